// From windows back to the pixels under them.
#pragma once

#include "geometry.cuh"

// Windows around the pixels of a row: their coefficients, and their centres x and z = y − x.
struct Windows {
    float k0[WARPS][SPAN], k1[WARPS][SPAN], k2[WARPS][SPAN], x[WARPS][SPAN], z[WARPS][SPAN];
};

// The same summed along rows, about the pixel x and z in the middle.
struct RowSums {
    float k0[ROWS][LANES], k1[ROWS][LANES], k2[ROWS][LANES], x[ROWS][LANES], z[ROWS][LANES];
};

// Beyond the edge, windows are mirrored with the pixels: the weight of pixel j in window i, w(j−i) + w(j+i+1) + w(2n−1−j−i), does
// not change when i and j trade places. Without mirroring there are no windows there.
__device__ inline void load_windows(Windows &windows, const float *x, const float *y, const float *k, size_t stride, int row,
                                    int column, const Geometry &g) {
    const int r = g.mirrored ? mirror(row, g.height) : row - g.offset;
    for (int i = threadIdx.x; i < LANES + g.size - 1; i += LANES) {
        const int c = g.mirrored ? mirror(column + i, g.width) : column + i - g.offset;
        const bool exists = r >= 0 && r < g.map_height && c >= 0 && c < g.map_width;
        const float *from = k + (exists ? size_t(r) * g.map_width + c : 0);
        windows.k0[threadIdx.y][i] = exists ? from[0] : 0;
        windows.k1[threadIdx.y][i] = exists ? from[stride] : 0;
        windows.k2[threadIdx.y][i] = exists ? from[2 * stride] : 0;
        const size_t pixel = at(row, column + i, g.height, g.width);
        windows.x[threadIdx.y][i] = x[pixel];
        windows.z[threadIdx.y][i] = y[pixel] - x[pixel];
    }
}

__device__ inline void sum_along_row(RowSums &rows, int row, const Windows &windows, const Geometry &g) {
    const int warp = threadIdx.y, lane = threadIdx.x;
    const float x = windows.x[warp][lane + g.size / 2], z = windows.z[warp][lane + g.size / 2];
    float k0 = 0, k1 = 0, k2 = 0;
    for (int k = 0; k < g.size; k++) {
        const int i = lane + k;
        const float w1 = g.weights[k] * windows.k1[warp][i], w2 = g.weights[k] * windows.k2[warp][i];
        k0 = fmaf(g.weights[k], windows.k0[warp][i], k0);
        k0 = fmaf(w1, x - windows.x[warp][i], k0);
        k0 = fmaf(w2, z - windows.z[warp][i], k0);
        k1 += w1;
        k2 += w2;
    }
    rows.k0[row][lane] = k0;
    rows.k1[row][lane] = k1;
    rows.k2[row][lane] = k2;
    rows.x[row][lane] = x;
    rows.z[row][lane] = z;
}

__device__ inline float sum_down_column(const RowSums &rows, int first, const Geometry &g) {
    const int lane = threadIdx.x, middle = first + g.size / 2;
    const float x = rows.x[middle][lane], z = rows.z[middle][lane];
    float sum = 0;
    for (int k = 0; k < g.size; k++) {
        const int row = first + k;
        const float at_pixel = fmaf(rows.k1[row][lane], x - rows.x[row][lane], rows.k0[row][lane]);
        sum = fmaf(g.weights[k], fmaf(rows.k2[row][lane], z - rows.z[row][lane], at_pixel), sum);
    }
    return sum;
}
