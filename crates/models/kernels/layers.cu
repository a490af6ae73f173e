// What the layers of a chain need beside matrix products. Maps are (N, H, W, C); counts are below 2^31.

#include "geometry.cuh"
#include "vectors.cuh"

// Copies the inputs of each pixel of the result into a row (kernel, kernel, C), zeros for those beyond the border.
template <class V>
__device__ static void unfold(const V *maps, const Geometry &g, unsigned count, V *columns) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned channels = g.channels / LANES<V>, channel = i % channels;
    const unsigned tap = i / channels % (g.kernel * g.kernel), pixel = i / channels / (g.kernel * g.kernel);
    const unsigned map = pixel / (g.rows * g.columns);
    // Above and to the left of the border, these wrap around to numbers beyond the map.
    const unsigned y = pixel / g.columns % g.rows * g.stride + tap / g.kernel - g.padding;
    const unsigned x = pixel % g.columns * g.stride + tap % g.kernel - g.padding;
    const bool is_inside = y < g.height && x < g.width;
    columns[i] = is_inside ? maps[((map * g.height + y) * g.width + x) * channels + channel] : zero<V>();
}

extern "C" __global__ void unfold_1(const float *maps, Geometry g, unsigned count, float *columns) {
    unfold(maps, g, count, columns);
}

extern "C" __global__ void unfold_4(const float4 *maps, Geometry g, unsigned count, float4 *columns) {
    unfold(maps, g, count, columns);
}

// Adds what rows of columns hold for each value of the maps, in the order of the kernel's taps, and finishes the sums:
// the transposed convolution, once weights are multiplied.
template <class V>
__device__ static void fold(const V *columns, const Geometry &g, unsigned count, const Epilogue &epilogue, V *maps) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned channels = g.channels / LANES<V>, channel = i % channels, pixel = i / channels;
    const unsigned map = pixel / (g.height * g.width);
    const unsigned y = pixel / g.width % g.height + g.padding, x = pixel % g.width + g.padding;
    V sum = zero<V>();
    for (unsigned v = y % g.stride; v < g.kernel && v <= y; v += g.stride) {
        const unsigned row = (y - v) / g.stride;
        if (row >= g.rows) continue;
        for (unsigned u = x % g.stride; u < g.kernel && u <= x; u += g.stride) {
            const unsigned column = (x - u) / g.stride;
            if (column >= g.columns) continue;
            const unsigned place = (map * g.rows + row) * g.columns + column;
            sum = sum + columns[((place * g.kernel + v) * g.kernel + u) * channels + channel];
        }
    }
    maps[i] = finished(epilogue, sum, channel * LANES<V>, static_cast<size_t>(i) * LANES<V>);
}

extern "C" __global__ void fold_1(const float *columns, Geometry g, unsigned count, Epilogue epilogue, float *maps) {
    fold(columns, g, count, epilogue, maps);
}

extern "C" __global__ void fold_4(const float4 *columns, Geometry g, unsigned count, Epilogue epilogue, float4 *maps) {
    fold(columns, g, count, epilogue, maps);
}

// Finishes sums in place.
template <class V>
__device__ static void finish(V *values, unsigned count, unsigned channels, const Epilogue &epilogue) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned channel = i % (channels / LANES<V>) * LANES<V>;
    values[i] = finished(epilogue, values[i], channel, static_cast<size_t>(i) * LANES<V>);
}

extern "C" __global__ void finish_1(float *values, unsigned count, unsigned channels, Epilogue epilogue) {
    finish(values, count, channels, epilogue);
}

extern "C" __global__ void finish_4(float4 *values, unsigned count, unsigned channels, Epilogue epilogue) {
    finish(values, count, channels, epilogue);
}

// A matrix of `count` rows, of which a block sums `per_block`. `Rows` in src/conv/gpu/rows.rs has the same fields. Blocks of as many
// channels as threads lie side by side: they are a group's.
struct Rows {
    unsigned count, channels, per_block;
};

// What the threads of a block share to sum.
struct Shared {
    float partial[THREADS];
    unsigned arrived;
};

// The blocks of each group that have summed their rows.
constexpr unsigned MOST_GROUPS = 64;  // as in src/conv/gpu/cuda/backend.rs
__device__ static unsigned arrived[MOST_GROUPS];

// Loads that a thread begins before it waits for the first of them.
constexpr unsigned LOADS = 16;

// Sums a channel over rows: a thread adds every so-manieth of them, and then one thread what these have, which alone gets the sum.
template <class Source>
__device__ static float sum_channel(const Rows &rows, unsigned first, unsigned end, Shared &shared, const Source &source) {
    const unsigned lanes = smaller(rows.channels, THREADS), side = THREADS / lanes;
    const unsigned lane = threadIdx.x % lanes, turn = threadIdx.x / lanes;
    const unsigned channel = blockIdx.x % ((rows.channels + THREADS - 1) / THREADS) * THREADS + lane;
    float sum = 0;
    const bool takes_part = turn < side && channel < rows.channels;
    for (unsigned row = first + turn; takes_part && row < end; row += LOADS * side) {
        typename Source::Loaded loaded[LOADS];
        for (unsigned i = 0; i < LOADS; i++) {
            if (row + i * side < end) loaded[i] = source.load((row + i * side) * rows.channels + channel);
        }
        for (unsigned i = 0; i < LOADS; i++) {
            if (row + i * side < end) sum += source.value((row + i * side) * rows.channels + channel, loaded[i]);
        }
    }
    shared.partial[threadIdx.x] = sum;
    __syncthreads();
    if (turn > 0 || channel >= rows.channels) return 0;
    for (unsigned i = 1; i < side; i++) sum += shared.partial[i * lanes + lane];
    return sum;
}

// Values as they are.
template <class Pointer>
struct Plain {
    using Loaded = float;
    Pointer values;
    __device__ float load(unsigned i) const { return values[i]; }
    __device__ float value(unsigned, float loaded) const { return loaded; }
};

// Sums all channels in an order that is always the same: each block its rows, and the last one that has done so what all blocks of its
// group have. `blocks` has a row of sums for each block along the rows.
template <class Source>
__device__ static void sum_rows(const Rows &rows, Shared &shared, volatile float *blocks, float *sums, const Source &source) {
    const unsigned groups = (rows.channels + THREADS - 1) / THREADS, group = blockIdx.x % groups, block = blockIdx.x / groups;
    const unsigned channel = group * THREADS + threadIdx.x, count = (rows.count + rows.per_block - 1) / rows.per_block;
    const unsigned first = block * rows.per_block, end = smaller(rows.count, first + rows.per_block);
    const bool has_sum = channel < rows.channels;  // those of the threads whose turn is the first
    float sum = sum_channel(rows, first, end, shared, source);
    if (!sums) return;
    if (has_sum) blocks[block * rows.channels + channel] = sum;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) shared.arrived = atomicAdd(&arrived[group], 1u);
    __syncthreads();
    if (shared.arrived + 1 < count) return;
    sum = sum_channel(rows, 0, count, shared, Plain<volatile float *>{blocks});
    if (has_sum) sums[channel] = sum;
    if (threadIdx.x == 0) arrived[group] = 0;
}

extern "C" __global__ void sum_channels(const float *values, Rows rows, float *blocks, float *sums) {
    __shared__ Shared shared;
    sum_rows(rows, shared, blocks, sums, Plain<const float *>{values});
}

// The gradient of what was rectified, for that of the output, which tells where the slope applies.
struct Rectified {
    struct Loaded {
        float output, gradient;
    };
    const float *output, *gradient;
    float slope;
    float *result;
    __device__ Loaded load(unsigned i) const { return {output[i], gradient[i]}; }
    __device__ float value(unsigned i, Loaded loaded) const {
        return result[i] = loaded.output > 0 ? loaded.gradient : slope * loaded.gradient;
    }
};

// That gradient, and its sums by channel if they are wanted.
extern "C" __global__ void rectify_backward(const float *output, const float *gradient, Rows rows, float slope, float *result,
                                            float *blocks, float *sums) {
    __shared__ Shared shared;
    sum_rows(rows, shared, blocks, sums, Rectified{output, gradient, slope, result});
}

// Rows become columns.
extern "C" __global__ void transpose(const float *matrix, unsigned rows, unsigned columns, float *result) {
    const unsigned i = thread_number();
    if (i >= rows * columns) return;
    result[i] = matrix[i % rows * columns + i / rows];
}
