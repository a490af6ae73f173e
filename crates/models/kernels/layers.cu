// What the layers of a chain need beside matrix products. Maps are (N, H, W, C); counts are below 2^31.

#include "vectors.cuh"

// A convolution's maps, and the pixels of its result, which are the rows of the matrix of columns. `Geometry` in
// src/conv/gpu/columns.rs has the same fields.
struct Geometry {
    unsigned height, width, channels, rows, columns, kernel, stride, padding;
};

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

// Adds what rows of columns hold for each value of the maps, in the order of the kernel's taps, then the bias if there is one, and
// rectifies: the transposed convolution, once weights are multiplied.
template <class V>
__device__ static void fold(const V *columns, const Geometry &g, unsigned count, const float *bias, float slope, V *maps) {
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
    maps[i] = rectified(biased(sum, bias, channel), slope);
}

extern "C" __global__ void fold_1(const float *columns, Geometry g, unsigned count, const float *bias, float slope, float *maps) {
    fold(columns, g, count, bias, slope, maps);
}

extern "C" __global__ void fold_4(const float4 *columns, Geometry g, unsigned count, const float *bias, float slope, float4 *maps) {
    fold(columns, g, count, bias, slope, maps);
}

// Adds the bias and rectifies, in place; a slope of 1 leaves values as they are.
template <class V>
__device__ static void finish(V *values, unsigned count, unsigned channels, const float *bias, float slope) {
    const unsigned i = thread_number();
    if (i >= count) return;
    values[i] = rectified(biased(values[i], bias, i % (channels / LANES<V>)), slope);
}

extern "C" __global__ void finish_1(float *values, unsigned count, unsigned channels, const float *bias, float slope) {
    finish(values, count, channels, bias, slope);
}

extern "C" __global__ void finish_4(float4 *values, unsigned count, unsigned channels, const float *bias, float slope) {
    finish(values, count, channels, bias, slope);
}

// A matrix of `count` rows, of which a block sums `per_block`. `Rows` in src/conv/gpu/rows.rs has the same fields.
struct Rows {
    unsigned count, channels, per_block;
};

// Sums each channel over the rows of a block: a thread adds every so-manieth row, and then one thread what these have. The order is
// always the same. `partial` is shared; `sums` has a row for each block along the rows; blocks of as many channels as threads lie side by side.
template <class Value>
__device__ static void sum_rows(const Rows &rows, float (&partial)[THREADS], float *sums, Value value) {
    const unsigned lanes = smaller(rows.channels, THREADS), side = THREADS / lanes;
    const unsigned groups = (rows.channels + THREADS - 1) / THREADS, block = blockIdx.x / groups;
    const unsigned lane = threadIdx.x % lanes, turn = threadIdx.x / lanes, channel = blockIdx.x % groups * THREADS + lane;
    const unsigned end = smaller(rows.count, (block + 1) * rows.per_block);
    float sum = 0;
    if (turn < side && channel < rows.channels) {
        for (unsigned row = block * rows.per_block + turn; row < end; row += side) sum += value(row * rows.channels + channel);
    }
    partial[threadIdx.x] = sum;
    __syncthreads();
    if (turn > 0 || channel >= rows.channels) return;
    for (unsigned i = 1; i < side; i++) sum += partial[i * lanes + lane];
    sums[block * rows.channels + channel] = sum;
}

extern "C" __global__ void sum_channels(const float *values, Rows rows, float *sums) {
    __shared__ float partial[THREADS];
    sum_rows(rows, partial, sums, [&](unsigned i) { return values[i]; });
}

// The gradient of what was rectified, for that of the output, which tells where the slope applies, and its sums by channel.
extern "C" __global__ void rectify_backward(const float *output, const float *gradient, Rows rows, float slope, float *result,
                                            float *sums) {
    __shared__ float partial[THREADS];
    sum_rows(rows, partial, sums, [&](unsigned i) { return result[i] = output[i] > 0 ? gradient[i] : slope * gradient[i]; });
}

// Rows become columns.
extern "C" __global__ void transpose(const float *matrix, unsigned rows, unsigned columns, float *result) {
    const unsigned i = thread_number();
    if (i >= rows * columns) return;
    result[i] = matrix[i % rows * columns + i / rows];
}
