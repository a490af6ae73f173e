// Where the left factor of a convolution is gathered from.
#pragma once

#include "geometry.cuh"
#include "tensor_cores.cuh"

// `Shapes` in src/gpu/tiles.rs has the same fields.
struct Shapes {
    Geometry geometry;
    unsigned outputs, maps;  // channels of the convolution's result, and how many maps there are
};

// The maps that are gathered from.
struct Source {
    const float *values;
    unsigned height, width;
    Divisor channels;

    // Where a pixel begins, which may lie beyond the border.
    __device__ int place(unsigned map, int y, int x) const {
        return ((static_cast<int>(map * height) + y) * static_cast<int>(width) + x) * static_cast<int>(channels.by);
    }

    __device__ bool has(int y, int x) const { return static_cast<unsigned>(y) < height && static_cast<unsigned>(x) < width; }
};

// Begins to copy a value and its LANES - 1 neighbours, or zeros.
template <unsigned LANES>
__device__ static void copy(float *shared, const float *values, int place, bool is_there) {
    const float *from = is_there ? values + place : values;
    if constexpr (LANES == 4) {
        copy_4(shared, from, is_there);
    } else {
        copy_1(shared, from, is_there);
    }
}

// Which pixels of a result a block computes, and which taps of the kernel reach them. In a transposed convolution with a stride these
// depend on the pixel's place in a grid of that distance: a block has pixels of one such place.
template <bool IS_TRANSPOSED>
struct Grid;

template <>
struct Grid<false> {
    Source source;
    const Geometry &g;
    Divisor rows, columns, taps_across;
    unsigned taps_down;

    __device__ Grid(const Shapes &shapes, const float *maps, unsigned)
        : source{maps, shapes.geometry.height, shapes.geometry.width, Divisor(shapes.geometry.channels)},
          g(shapes.geometry),
          rows(g.rows),
          columns(g.columns),
          taps_across(g.kernel),
          taps_down(g.kernel) {}

    // Whether there are no such pixels.
    __device__ bool is_empty() const { return false; }

    // Where the first tap of a pixel lies, and the direction of the next ones.
    __device__ int top(unsigned row) const { return static_cast<int>(row * g.stride) - static_cast<int>(g.padding); }
    __device__ int left(unsigned column) const { return top(column); }
    static constexpr int DIRECTION = 1;

    __device__ unsigned pixel(unsigned row, unsigned column) const { return row * g.columns + column; }
    __device__ unsigned pixels() const { return g.rows * g.columns; }

    // The tap of the kernel.
    __device__ unsigned tap(unsigned down, unsigned across) const { return down * g.kernel + across; }
};

template <>
struct Grid<true> {
    Source source;
    const Geometry &g;
    unsigned y, x, first_down, first_across;
    Divisor rows, columns, taps_across;
    unsigned taps_down;

    __device__ Grid(const Shapes &shapes, const float *maps, unsigned place)
        : source{maps, shapes.geometry.rows, shapes.geometry.columns, Divisor(shapes.outputs)},
          g(shapes.geometry),
          y(place / g.stride),
          x(place % g.stride),
          first_down((y + g.padding) % g.stride),
          first_across((x + g.padding) % g.stride),
          rows(is_empty() ? 1 : (g.height + g.stride - 1 - y) / g.stride),
          columns(is_empty() ? 1 : (g.width + g.stride - 1 - x) / g.stride),
          taps_across((g.kernel + g.stride - 1 - first_across) / g.stride),
          taps_down((g.kernel + g.stride - 1 - first_down) / g.stride) {}

    // Maps may be smaller than the stride, but kernels are not.
    __device__ bool is_empty() const { return y >= g.height || x >= g.width; }

    __device__ int top(unsigned row) const { return (y + g.padding - first_down) / g.stride + row; }
    __device__ int left(unsigned column) const { return (x + g.padding - first_across) / g.stride + column; }
    static constexpr int DIRECTION = -1;

    __device__ unsigned pixel(unsigned row, unsigned column) const {
        return (y + row * g.stride) * g.width + x + column * g.stride;
    }
    __device__ unsigned pixels() const { return g.height * g.width; }
    __device__ unsigned tap(unsigned down, unsigned across) const {
        return (first_down + down * g.stride) * g.kernel + first_across + across * g.stride;
    }
};

// A pixel of a grid.
struct Pixel {
    unsigned map, row, column;

    template <class G>
    __device__ Pixel(unsigned number, const G &grid) {
        const unsigned rows = grid.columns.quotient(number);
        map = grid.rows.quotient(rows);
        row = rows - map * grid.rows.by;
        column = number - rows * grid.columns.by;
    }

    // So many pixels on.
    template <class G>
    __device__ void advance(unsigned by, const G &grid) {
        for (column += by; column >= grid.columns.by; column -= grid.columns.by) {
            if (++row == grid.rows.by) row = 0, map++;
        }
    }
};

// A tap of the kernel, and a channel that it is multiplied with.
struct Tap {
    unsigned row, column, channel;

    // In the order of the inner dimension.
    template <class G>
    __device__ Tap(unsigned number, const G &grid) {
        const unsigned tap = grid.source.channels.quotient(number);
        channel = number - tap * grid.source.channels.by;
        row = grid.taps_across.quotient(tap);
        column = tap - row * grid.taps_across.by;
    }

    template <class G>
    __device__ void advance(unsigned by, const G &grid) {
        for (channel += by; channel >= grid.source.channels.by; channel -= grid.source.channels.by) {
            if (++column == grid.taps_across.by) column = 0, row++;
        }
    }
};

// Where a pixel is gathered from: the row and column of its first tap, and where the values of that pixel of the map begin.
struct Place {
    int top, left, first;
};
