// The operations of a chain but matrix products. Maps are (N, H, W, C); counts are below 2^31.

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

// The gradient of what was rectified, for that of the output, which tells where the slope applies.
extern "C" __global__ void rectify_backward(const float *output, const float *gradient, unsigned count, float slope, float *result) {
    const unsigned i = thread_number();
    if (i < count) result[i] = output[i] > 0 ? gradient[i] : slope * gradient[i];
}

// Rows become columns.
extern "C" __global__ void transpose(const float *matrix, unsigned rows, unsigned columns, float *result) {
    const unsigned i = thread_number();
    if (i >= rows * columns) return;
    result[i] = matrix[i % rows * columns + i / rows];
}
