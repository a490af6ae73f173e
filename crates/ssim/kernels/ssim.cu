// SSIM of many pairs of planes, and its gradient, in single precision.
//
// How digits are kept. E[x²] − μ² of bright pixels leaves nothing of a small variance in single precision, and c2 is 9e-4. So
// no square of a pixel is ever taken, only squares of differences of neighbours:
//
// * along a row, moments are about the pixel in the middle of the window's row;
// * down a column, the law of total variance joins the rows: the variance of a window is the mean of its rows' variances plus the
//   variance of their means, which are taken about the mean of the middle row;
// * means are relative to one pixel of the tile's column, the anchor, and only their sum with it is rounded as a pixel is.
//
// With ε = 2⁻²⁴ and windows of K×K pixels, a second moment is wrong by some ε·K·σ² (the middle pixel has at least 1/K of a row's
// weight, so what cancels is at most K times what is left), and by 2σδ from means that were rounded by δ ≤ ε/2 of the values'
// range in a tile. Divided by 2σ² + c2, for pixels in [0, 1] and c2 = 9e-4, the first is 2e-6 for K = 31 and the second 7e-7. An
// SSIM is a product of a few such quotients: 1e-5 leaves room for the roundings of the formula. Moments of equal images are
// equal to the last bit, so that they score 1, and a constant window has no variance at all.
//
// The gradient, too, consists of differences: of a pixel and the mean of a window, and of the two images.
//
// Pixels are not checked. NaN gives NaN in every window that it is under; pixels beyond 1e9 overflow.

#include "formula.cuh"
#include "spread.cuh"

// Writes the sum of a value of each thread to `total`, in an order that does not change.
template <typename T>
__device__ inline void sum_of_block(T (&sums)[THREADS], T value, T scale, float *total) {
    const int thread = threadIdx.y * LANES + threadIdx.x;
    sums[thread] = value;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (thread < half) sums[thread] += sums[thread + half];
    }
    if (thread == 0) *total = float(scale * sums[0]);
}

// The wanted maps, one after the other in the order of their bits, each of all planes; and for every block the sum of 1 − SSIM,
// unless `partial` is null.
extern "C" __global__ void __launch_bounds__(THREADS)
ssim_windows(const float *__restrict__ x, const float *__restrict__ y, const __grid_constant__ Geometry g,
             const __grid_constant__ Tiling tiling, const __grid_constant__ Formula f, unsigned wanted, size_t planes,
             float *__restrict__ maps, float *__restrict__ partial) {
    __shared__ Pixels pixels;
    __shared__ RowMoments rows;
    __shared__ float sums[THREADS];
    const Tile tile = tile_of_block(tiling);
    const size_t image = tile.plane * g.width * g.height, map = size_t(g.map_width) * g.map_height;
    float loss = 0;
    const auto write = [&](int row, int column, const Moments &moments, const Anchor &anchor) {
        const Statistics s = statistics(moments, anchor);
        size_t out = tile.plane * map + size_t(row) * g.map_width + column;
        const auto store = [&](float value) {
            maps[out] = value;
            out += planes * map;
        };
        if (wanted & LUMINANCE) store(luminance(s, f).value);
        if (wanted & CONTRAST) store(factors(s, f).contrast.value);
        if (wanted & STRUCTURE) store(factors(s, f).structure);
        if (wanted & SSIM) store(ssim(s, f));
        if (partial) loss += 1 - ssim(s, f);
    };
    each_window(pixels, rows, x + image, y + image, g, tiling, tile, write);
    if (partial) sum_of_block(sums, loss, 1.0f, partial + blockIdx.x);
}

// For every window what ssim_pull_back needs, in three maps one after the other: the derivative of factor · cotangent · SSIM, as in
// Derivative, but with its first value at the centre pixel instead of the means. `stride` is 1 if the cotangent has a value for each
// window, 0 if it is a single one; where it is null it is 1. Also the sums of 1 − SSIM, as above.
extern "C" __global__ void __launch_bounds__(THREADS)
ssim_linearise(const float *__restrict__ x, const float *__restrict__ y, const __grid_constant__ Geometry g,
               const __grid_constant__ Tiling tiling, const __grid_constant__ Formula f, const float *__restrict__ cotangent,
               size_t stride, float factor, size_t planes, float *__restrict__ coefficients, float *__restrict__ partial) {
    __shared__ Pixels pixels;
    __shared__ RowMoments rows;
    __shared__ float sums[THREADS];
    const Tile tile = tile_of_block(tiling);
    const size_t image = tile.plane * g.width * g.height, map = size_t(g.map_width) * g.map_height;
    float loss = 0;
    const auto write = [&](int row, int column, const Moments &moments, const Anchor &anchor) {
        const Statistics s = statistics(moments, anchor);
        const Derivative d = f.joint ? joint_derivative(s, f) : separate_derivative(s, f);
        const size_t window = tile.plane * map + size_t(row) * g.map_width + column;
        const size_t centre = image + size_t(row + g.offset) * g.width + column + g.offset;
        // The mean of the window relative to its centre, in either image.
        const float mean_x = (anchor.x - x[centre]) + moments.x, mean_y = (anchor.y - y[centre]) + moments.y;
        const float scale = cotangent ? factor * cotangent[stride * window] : factor;
        coefficients[window] = scale * (d.mean - d.pixel * mean_x - d.difference * (mean_y - mean_x));
        coefficients[window + planes * map] = scale * d.pixel;
        coefficients[window + 2 * planes * map] = scale * d.difference;
        loss += 1 - d.ssim;
    };
    each_window(pixels, rows, x + image, y + image, g, tiling, tile, write);
    sum_of_block(sums, loss, 1.0f, partial + blockIdx.x);
}

// The sum of `count` values times `scale`; for a single block.
extern "C" __global__ void __launch_bounds__(THREADS)
ssim_sum(const float *__restrict__ values, size_t count, double scale, float *__restrict__ total) {
    __shared__ double sums[THREADS];
    double sum = 0;
    for (size_t i = threadIdx.y * LANES + threadIdx.x; i < count; i += THREADS) sum += values[i];
    sum_of_block(sums, sum, scale, total);
}

// The gradient with respect to x: at every pixel the weighted sum of the derivatives of all windows that it is under.
extern "C" __global__ void __launch_bounds__(THREADS)
ssim_pull_back(const float *__restrict__ x, const float *__restrict__ y, const __grid_constant__ Geometry g,
               const __grid_constant__ Tiling tiling, const float *__restrict__ coefficients, size_t planes,
               float *__restrict__ gradient) {
    __shared__ Windows windows;
    __shared__ RowSums rows;
    const Tile tile = tile_of_block(tiling);
    const size_t image = tile.plane * g.width * g.height, map = size_t(g.map_width) * g.map_height;
    const int top = tile.row - g.size / 2, left = tile.column - g.size / 2;
    for (int first = 0; first < tiling.rows + g.size - 1; first += WARPS) {
        const int row = first + threadIdx.y;
        load_windows(windows, x + image, y + image, coefficients + tile.plane * map, planes * map, top + row, left, g);
        __syncthreads();
        sum_along_row(rows, row, windows, g);
        __syncthreads();
    }
    const int column = tile.column + threadIdx.x;
    for (int row = threadIdx.y; row < tiling.rows && tile.row + row < g.height; row += WARPS) {
        if (column < g.width) {
            gradient[image + size_t(tile.row + row) * g.width + column] = sum_down_column(rows, row, g);
        }
    }
}
