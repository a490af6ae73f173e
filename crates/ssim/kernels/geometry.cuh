// Where windows, tiles and pixels lie.
#pragma once

constexpr int LANES = 32;   // columns of a tile: one warp side by side
constexpr int WARPS = 8;    // rows of a tile that are computed at a time
constexpr int THREADS = LANES * WARPS;
constexpr int ROWS = 56;    // rows of a tile with those that its windows reach over: what fits into 48 KB
constexpr int MOST = 31;    // the largest window
constexpr int SPAN = LANES + MOST - 1;

static_assert(ROWS % WARPS == 0 && ROWS >= MOST);

constexpr unsigned LUMINANCE = 1, CONTRAST = 2, STRUCTURE = 4, SSIM = 8;

// A window is named by its row and column in the map; its centre is the pixel `offset` further down and to the right.
struct Geometry {
    int width, height;          // of the images
    int map_width, map_height;  // of the map
    int size;                   // of the window
    int offset;
    int mirrored;               // whether the map has the size of the images, which are mirrored
    float weights[MOST];        // of the window along one axis
};

// Where blocks lie: tiles of `rows`×LANES, from left to right, then down, then plane after plane.
struct Tiling {
    int rows, across, down;
};

struct Formula {
    float c1, c2, c3;
    float alpha, beta, gamma;
    int joint;  // whether β = γ and c3 = c2/2
};

struct Tile {
    size_t plane;
    int row, column;
};

__device__ inline Tile tile_of_block(const Tiling &tiling) {
    const unsigned tiles = unsigned(tiling.across) * unsigned(tiling.down);
    const unsigned tile = blockIdx.x % tiles;
    return {blockIdx.x / tiles, int(tile / tiling.across) * tiling.rows, int(tile % tiling.across) * LANES};
}

// An index within `length`, mirrored with the edge repeated. What only threads beyond the end of the map ask for is any pixel.
__device__ inline int mirror(int index, int length) {
    const int left = index < 0 ? -1 - index : index;
    const int right = left < length ? left : 2 * length - 1 - left;
    return right < 0 ? 0 : right;
}

__device__ inline size_t at(int row, int column, int height, int width) {
    return size_t(mirror(row, height)) * width + mirror(column, width);
}
