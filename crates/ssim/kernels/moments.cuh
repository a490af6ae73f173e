// From pixels to the moments of windows, by tiles in shared memory.
#pragma once

#include "geometry.cuh"

// Means, variances and covariance.
struct Moments {
    float x, y, xx, yy, xy;
};

// Sums of weighted differences of which moments are made, so that the same differences give the same bits.
__device__ inline void add(Moments &sums, float weight, float x, float y) {
    const float wx = weight * x, wy = weight * y;
    sums.x += wx;
    sums.y += wy;
    sums.xx = fmaf(wx, x, sums.xx);
    sums.yy = fmaf(wy, y, sums.yy);
    sums.xy = fmaf(wx, y, sums.xy);
}

__device__ inline Moments central(const Moments &sums) {
    return {sums.x, sums.y, fmaf(-sums.x, sums.x, sums.xx), fmaf(-sums.y, sums.y, sums.yy), fmaf(-sums.x, sums.y, sums.xy)};
}

struct Pixels {
    float x[WARPS][SPAN], y[WARPS][SPAN];
};

struct RowMoments {
    float x[ROWS][LANES], y[ROWS][LANES], xx[ROWS][LANES], yy[ROWS][LANES], xy[ROWS][LANES];
};

// What moments of a column are relative to.
struct Anchor {
    float x, y;
};

__device__ inline void load_pixels(Pixels &pixels, const float *x, const float *y, int row, int column, const Geometry &g) {
    for (int i = threadIdx.x; i < LANES + g.size - 1; i += LANES) {
        const size_t pixel = at(row, column + i, g.height, g.width);
        pixels.x[threadIdx.y][i] = x[pixel];
        pixels.y[threadIdx.y][i] = y[pixel];
    }
}

// The moments of one row of a window, about the pixel in its middle.
__device__ inline Moments moments_of_row(const Pixels &pixels, const Anchor &anchor, const Geometry &g) {
    const float(&xs)[SPAN] = pixels.x[threadIdx.y];
    const float(&ys)[SPAN] = pixels.y[threadIdx.y];
    const int first = threadIdx.x, middle = first + g.size / 2;
    const float x = xs[middle], y = ys[middle];
    Moments sums = {};
    for (int k = 0; k < g.size; k++) {
        add(sums, g.weights[k], xs[first + k] - x, ys[first + k] - y);
    }
    Moments moments = central(sums);
    moments.x += x - anchor.x;
    moments.y += y - anchor.y;
    return moments;
}

// The moments of a window from those of its rows, of which the first is `first`.
__device__ inline Moments moments_of_window(const RowMoments &rows, int first, const Geometry &g) {
    const int lane = threadIdx.x, middle = first + g.size / 2;
    const float x = rows.x[middle][lane], y = rows.y[middle][lane];
    Moments sums = {};
    float xx = 0, yy = 0, xy = 0;
    for (int k = 0; k < g.size; k++) {
        const int row = first + k;
        add(sums, g.weights[k], rows.x[row][lane] - x, rows.y[row][lane] - y);
        xx = fmaf(g.weights[k], rows.xx[row][lane], xx);
        yy = fmaf(g.weights[k], rows.yy[row][lane], yy);
        xy = fmaf(g.weights[k], rows.xy[row][lane], xy);
    }
    const Moments between = central(sums);
    return {x + between.x, y + between.y, xx + between.xx, yy + between.yy, xy + between.xy};
}

// Calls use(row, column, moments, anchor) for every window of the block's tile. Means are relative to the anchor.
template <typename Use>
__device__ inline void each_window(Pixels &pixels, RowMoments &rows, const float *x, const float *y, const Geometry &g,
                                   const Tiling &tiling, const Tile &tile, Use use) {
    const int lane = threadIdx.x, warp = threadIdx.y;
    const int top = tile.row + g.offset - g.size / 2, left = tile.column + g.offset - g.size / 2;
    const size_t origin = at(tile.row + g.offset, tile.column + g.offset + lane, g.height, g.width);
    const Anchor anchor = {x[origin], y[origin]};
    for (int first = 0; first < tiling.rows + g.size - 1; first += WARPS) {
        const int row = first + warp;
        load_pixels(pixels, x, y, top + row, left, g);
        __syncthreads();
        const Moments moments = moments_of_row(pixels, anchor, g);
        rows.x[row][lane] = moments.x;
        rows.y[row][lane] = moments.y;
        rows.xx[row][lane] = moments.xx;
        rows.yy[row][lane] = moments.yy;
        rows.xy[row][lane] = moments.xy;
        __syncthreads();
    }
    const int column = tile.column + lane;
    for (int row = warp; row < tiling.rows && tile.row + row < g.map_height; row += WARPS) {
        if (column < g.map_width) {
            use(tile.row + row, column, moments_of_window(rows, row, g), anchor);
        }
    }
}
