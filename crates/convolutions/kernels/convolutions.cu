// Convolutions, their transposes and the gradients of their weights, as products of matrices that are gathered tile by tile: what columns
// would hold is never written. Maps are (N, H, W, C), weights (kernel, kernel, C_in, C_out); counts are below 2^31.
//
// A block computes a tile of the product. It goes through the inner dimension in chunks, of which the next ones are on their way into
// shared memory while one is multiplied. Rows of shared memory are longer than the tile, so that the threads of a warp, which read
// different rows, use different banks.

#include "epilogue.cuh"
#include "gathering.cuh"
#include "threads.cuh"
#include "tiles.cuh"

// Stores what two neighbouring channels have, if there are such.
__device__ static void store_pair(float *values, float first, float second, unsigned channel, unsigned channels) {
    if (channels % 2 == 0) {
        if (channel < channels) *reinterpret_cast<float2 *>(values + channel) = float2{first, second};
        return;
    }
    if (channel < channels) values[channel] = first;
    if (channel + 1 < channels) values[channel + 1] = second;
}

// Which tile a block computes, and from which chunks.
struct Task {
    unsigned first_row, first_column, share, place;

    // Tiles lie side by side, then below each other, then those of other places in a grid.
    __device__ Task(unsigned rows, unsigned tiles_across, unsigned tiles_down, unsigned shares) {
        const unsigned tile = blockIdx.x / shares;
        share = blockIdx.x % shares;
        first_column = tile % tiles_across * COLUMNS;
        first_row = tile / tiles_across % tiles_down * rows;
        place = tile / tiles_across / tiles_down;
    }
};

__device__ inline unsigned tiles_for(unsigned columns) { return (columns + COLUMNS - 1) / COLUMNS; }

// How a product is divided: tiles along its rows, shares of the inner dimension, and chunks of a share. `Division` in
// src/gpu/tiles.rs has the same fields.
struct Division {
    unsigned tiles, shares, chunks;
};

// Sums for a tile of pixels and channels: of a convolution, or a transposed one. `parts` has such sums for each share of the taps; if
// there is one, it is finished.
template <bool IS_TRANSPOSED, unsigned ROWS, Precision P, unsigned LANES>
__device__ static void convolve(const float *maps, const float *weights, const Shapes &shapes, const Division &division,
                                const Epilogue &epilogue, float *parts) {
    static_assert(LANES == 4 || !IS_TRANSPOSED, "weights are copied by four");
    constexpr unsigned LEFT = CHUNK + 4, RIGHT = IS_TRANSPOSED ? CHUNK + 4 : COLUMNS + 8;
    alignas(16) __shared__ float left[STAGES<ROWS>][ROWS][LEFT];
    alignas(16) __shared__ float right[STAGES<ROWS>][IS_TRANSPOSED ? COLUMNS : CHUNK][RIGHT];
    const Geometry &g = shapes.geometry;
    const unsigned channels = IS_TRANSPOSED ? g.channels : shapes.outputs;  // of the result
    const Task task(ROWS, tiles_for(channels), division.tiles, division.shares);
    const Grid<IS_TRANSPOSED> grid(shapes, maps, task.place);
    const unsigned rows = shapes.maps * grid.rows.by * grid.columns.by;
    const unsigned inner = grid.taps_down * grid.taps_across.by * grid.source.channels.by;
    if (grid.is_empty() || task.first_row >= rows) return;
    const unsigned all = (inner + CHUNK - 1) / CHUNK, first = smaller(all, task.share * division.chunks);

    constexpr unsigned VECTORS = CHUNK / LANES, DISTANCE = BLOCK / VECTORS, TURNS = ROWS / DISTANCE;
    const unsigned own = threadIdx.x % VECTORS * LANES, turn = threadIdx.x / VECTORS;
    Place places[TURNS];
    for (unsigned i = 0; i < TURNS; i++) {
        const unsigned number = task.first_row + turn + i * DISTANCE;
        const Pixel pixel(number, grid);
        const int top = grid.top(pixel.row), left = grid.left(pixel.column);
        // Where there is no pixel, nothing is inside of the map.
        places[i] = {number < rows ? top : -0x40000000, left, grid.source.place(pixel.map, top, left)};
    }
    unsigned k = first * CHUNK + own;
    Tap tap(k, grid);
    const unsigned row_of_weights = threadIdx.x / (COLUMNS / 4), column_of_weights = threadIdx.x % (COLUMNS / 4) * 4;
    unsigned k_of_weights = first * CHUNK + row_of_weights;
    const auto load = [&](unsigned stage) {
        const int down = static_cast<int>(tap.row) * grid.DIRECTION, across = static_cast<int>(tap.column) * grid.DIRECTION;
        const int offset = grid.source.place(0, down, across) + static_cast<int>(tap.channel);
        for (unsigned i = 0; i < TURNS; i++) {
            const Place &place = places[i];
            const bool is_there = k < inner && grid.source.has(place.top + down, place.left + across);
            copy<LANES>(&left[stage][turn + i * DISTANCE][own], grid.source.values, place.first + offset, is_there);
        }
        if constexpr (IS_TRANSPOSED) {
            // Neighbouring weights are those of neighbouring channels of the gathered maps.
            const unsigned column = task.first_column + turn;
            const bool is_there = k < inner && column < channels;
            const unsigned place = (grid.tap(tap.row, tap.column) * channels + column) * shapes.outputs + tap.channel;
            copy_4(&right[stage][turn][own], is_there ? weights + place : weights, is_there);
        } else {
            const unsigned column = task.first_column + column_of_weights;
            const bool is_there = k_of_weights < inner && column < channels;
            copy_4(&right[stage][row_of_weights][column_of_weights], is_there ? weights + k_of_weights * channels + column : weights,
                   is_there);
        }
        k += CHUNK;
        k_of_weights += CHUNK;
        tap.advance(CHUNK, grid);
    };
    static_assert(BLOCK == CHUNK * COLUMNS / 4, "each thread copies four weights");
    const Lane<ROWS> lane;
    float sums[COLUMNS / 8][4] = {};
    for_each_chunk<STAGES<ROWS>>(smaller(all - first, division.chunks), load, [&](unsigned stage) {
        multiply_chunk<P, ROWS>(
            sums, lane, [&](unsigned row, unsigned k) { return left[stage][row][k]; },
            [&](unsigned k, unsigned column) { return IS_TRANSPOSED ? right[stage][column][k] : right[stage][k][column]; });
    });
    add_parts(sums, lane, &left[0][0][0]);
    if (lane.part > 0) return;
    const size_t values = static_cast<size_t>(shapes.maps) * grid.pixels() * channels;
    float *result = parts + task.share * values;
    for (unsigned half = 0; half < 2; half++) {
        const unsigned number = task.first_row + lane.row + 8 * half;
        if (number >= rows) return;
        const Pixel pixel(number, grid);
        const size_t place = static_cast<size_t>(pixel.map * grid.pixels() + grid.pixel(pixel.row, pixel.column)) * channels;
        for (unsigned j = 0; j < COLUMNS / 8; j++) {
            const unsigned channel = task.first_column + 8 * j + 2 * lane.place;
            float first = sums[j][2 * half], second = sums[j][2 * half + 1];
            if (division.shares == 1 && channel < channels) first = epilogue.finished(first, channel, place + channel);
            if (division.shares == 1 && channel + 1 < channels) second = epilogue.finished(second, channel + 1, place + channel + 1);
            store_pair(result + place, first, second, channel, channels);
        }
    }
}

// The gradient of the weights for that of the result, summed over a share of the pixels: a tile of taps and their channels times channels
// of the result.
template <unsigned ROWS, Precision P, unsigned LANES>
__device__ static void find_weight_gradient(const float *maps, const float *gradient, const Shapes &shapes, const Division &division,
                                            float *parts) {
    alignas(16) __shared__ float left[STAGES<ROWS>][CHUNK][ROWS + 8];
    alignas(16) __shared__ float right[STAGES<ROWS>][CHUNK][COLUMNS + 8];
    const Grid<false> grid(shapes, maps, 0);
    const Geometry &g = shapes.geometry;
    const unsigned rows = g.kernel * g.kernel * g.channels, columns = shapes.outputs, pixels = shapes.maps * grid.pixels();
    const Task task(ROWS, tiles_for(columns), division.tiles, division.shares);
    const unsigned all = (pixels + CHUNK - 1) / CHUNK, first = smaller(all, task.share * division.chunks);

    constexpr unsigned VECTORS = ROWS / LANES, DISTANCE = BLOCK / VECTORS, TURNS = CHUNK / DISTANCE;
    const unsigned own = threadIdx.x % VECTORS * LANES, turn = threadIdx.x / VECTORS, row = task.first_row + own;
    const Tap tap(row, grid);
    const int offset = grid.source.place(0, tap.row, tap.column) + static_cast<int>(tap.channel);
    const unsigned k_of_gradient = threadIdx.x / (COLUMNS / 4), column_of_gradient = threadIdx.x % (COLUMNS / 4) * 4;
    const unsigned column = task.first_column + column_of_gradient;
    unsigned number = first * CHUNK;
    Pixel pixel(number + turn, grid);
    const auto load = [&](unsigned stage) {
        Pixel next = pixel;
        for (unsigned i = 0; i < TURNS; i++) {
            const unsigned k = turn + i * DISTANCE;
            const int top = grid.top(next.row), left_of_pixel = grid.left(next.column);
            const bool is_there = number + k < pixels && row < rows &&
                                  grid.source.has(top + static_cast<int>(tap.row), left_of_pixel + static_cast<int>(tap.column));
            copy<LANES>(&left[stage][k][own], maps, grid.source.place(next.map, top, left_of_pixel) + offset, is_there);
            next.advance(DISTANCE, grid);
        }
        pixel = next;
        const unsigned k = number + k_of_gradient;
        const bool is_there = k < pixels && column < columns;
        copy_4(&right[stage][k_of_gradient][column_of_gradient], is_there ? gradient + k * columns + column : gradient, is_there);
        number += CHUNK;
    };
    static_assert(TURNS * DISTANCE == CHUNK, "after a chunk, a pixel is where the next one begins");
    const Lane<ROWS> lane;
    float sums[COLUMNS / 8][4] = {};
    for_each_chunk<STAGES<ROWS>>(smaller(all - first, division.chunks), load, [&](unsigned stage) {
        multiply_chunk<P, ROWS>(
            sums, lane, [&](unsigned row, unsigned k) { return left[stage][k][row]; },
            [&](unsigned k, unsigned column) { return right[stage][k][column]; });
    });
    add_parts(sums, lane, &left[0][0][0]);
    if (lane.part > 0) return;
    for (unsigned half = 0; half < 2; half++) {
        const unsigned row = task.first_row + lane.row + 8 * half;
        for (unsigned j = 0; row < rows && j < COLUMNS / 8; j++) {
            float *place = parts + static_cast<size_t>(task.share * rows + row) * columns;
            store_pair(place, sums[j][2 * half], sums[j][2 * half + 1], task.first_column + 8 * j + 2 * lane.place, columns);
        }
    }
}

// Adds up the shares, in an order that is always the same: `turns` threads take turns for each value, and a block has BLOCK / turns values.
// Values of `channels` channels lie side by side.
extern "C" __global__ void add_shares(const float *parts, unsigned count, unsigned shares, unsigned turns, unsigned channels,
                                      Epilogue epilogue, float *result) {
    __shared__ float partial[BLOCK];
    const unsigned values = BLOCK / turns, own = threadIdx.x % values, turn = threadIdx.x / values, i = blockIdx.x * values + own;
    float sum = 0;
#pragma unroll 4
    for (unsigned share = turn; i < count && share < shares; share += turns) sum += parts[static_cast<size_t>(share) * count + i];
    partial[threadIdx.x] = sum;
    __syncthreads();
    if (turn > 0 || i >= count) return;
    for (unsigned other = 1; other < turns; other++) sum += partial[other * values + own];
    result[i] = epilogue.finished(sum, i % channels, i);
}

// A kernel for each precision. Maps of one channel, and others whose number is no multiple of 4, are gathered value by value.
#define CONVOLUTION(name, ...)                                                                                                          \
    extern "C" __global__ void name(const float *maps, const float *weights, Shapes shapes, Division division, Epilogue epilogue,        \
                                    float *parts) {                                                                                     \
        convolve<__VA_ARGS__>(maps, weights, shapes, division, epilogue, parts);                                                        \
    }
#define WEIGHT_GRADIENT(name, ...)                                                                                                      \
    extern "C" __global__ void name(const float *maps, const float *gradient, Shapes shapes, Division division, float *parts) {         \
        find_weight_gradient<__VA_ARGS__>(maps, gradient, shapes, division, parts);                                                     \
    }
#define KERNELS(name, precision)                                                                                                        \
    CONVOLUTION(convolve_4_64_##name, false, 64, precision, 4)                                                                          \
    CONVOLUTION(convolve_4_128_##name, false, 128, precision, 4)                                                                        \
    CONVOLUTION(convolve_1_64_##name, false, 64, precision, 1)                                                                          \
    CONVOLUTION(convolve_1_128_##name, false, 128, precision, 1)                                                                        \
    CONVOLUTION(transpose_4_64_##name, true, 64, precision, 4)                                                                          \
    CONVOLUTION(transpose_4_128_##name, true, 128, precision, 4)                                                                        \
    WEIGHT_GRADIENT(weigh_4_64_##name, 64, precision, 4)                                                                                \
    WEIGHT_GRADIENT(weigh_1_32_##name, 32, precision, 1)

KERNELS(f32, F32)
KERNELS(tf32, TF32)
KERNELS(bf16, BF16)
