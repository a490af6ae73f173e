// Tiles of a product, chunk by chunk.
#pragma once

#include "tensor_cores.cuh"

constexpr unsigned BLOCK = 256;  // threads, in eight warps; as in src/gpu/cuda/launch.rs
constexpr unsigned CHUNK = 32, COLUMNS = 32;  // of a tile; as in src/gpu/tiles.rs

// Chunks that shared memory has room for.
template <unsigned ROWS>
constexpr unsigned STAGES = ROWS > 64 ? 2 : 3;

enum Precision { F32, TF32, BF16 };

// A factor as tensor cores take it. In F32 it is the sum of two, whose smaller parts need not be multiplied with each other: 22 digits.
template <Precision P>
struct Factor {
    unsigned large;
    __device__ explicit Factor(float value) : large(P == BF16 ? to_bf16(value) : to_tf32(value)) {}
};

template <>
struct Factor<F32> {
    unsigned large, small;
    __device__ explicit Factor(float value) : large(to_tf32(value)), small(to_tf32(value - from_bits(large))) {}
};

template <Precision P>
__device__ static void multiply_add(float (&c)[4], const Factor<P> (&a)[4], const Factor<P> (&b)[2]) {
    const unsigned large_a[4] = {a[0].large, a[1].large, a[2].large, a[3].large}, large_b[2] = {b[0].large, b[1].large};
    if constexpr (P == F32) {
        const unsigned small_a[4] = {a[0].small, a[1].small, a[2].small, a[3].small}, small_b[2] = {b[0].small, b[1].small};
        multiply_add(c, small_a, large_b);
        multiply_add(c, large_a, small_b);
    }
    multiply_add(c, large_a, large_b);
}

// Where a thread's values lie in the small matrices that its warp holds: row and column of `a[0]` and `b[0]` are (group, place) and
// (place, group), those of `c[0]` (group, 2 · place). Each warp has 16 rows of the tile, and warps that have the same rows divide each
// chunk among them.
template <unsigned ROWS>
struct Lane {
    static constexpr unsigned PARTS = BLOCK / 32 * 16 / ROWS, STEPS = CHUNK / 8 / PARTS;
    unsigned group = threadIdx.x % 32 / 4, place = threadIdx.x % 4;
    unsigned row = threadIdx.x / 32 % (ROWS / 16) * 16 + group, part = threadIdx.x / 32 / (ROWS / 16);
};

// Multiplies a thread's part of a chunk: `left(row, k)` and `right(k, column)` read the tile's factors from shared memory.
template <Precision P, unsigned ROWS, class Left, class Right>
__device__ static void multiply_chunk(float (&sums)[COLUMNS / 8][4], const Lane<ROWS> &lane, Left left, Right right) {
#pragma unroll
    for (unsigned step = 0; step < lane.STEPS; step++) {
        const unsigned k = (lane.part * lane.STEPS + step) * 8 + lane.place, row = lane.row;
        const Factor<P> a[4] = {Factor<P>(left(row, k)), Factor<P>(left(row + 8, k)), Factor<P>(left(row, k + 4)),
                                Factor<P>(left(row + 8, k + 4))};
#pragma unroll
        for (unsigned j = 0; j < COLUMNS / 8; j++) {
            const unsigned column = 8 * j + lane.group;
            const Factor<P> b[2] = {Factor<P>(right(k, column)), Factor<P>(right(k + 4, column))};
            multiply_add(sums[j], a, b);
        }
    }
}

// Adds to the sums of the first part those of the others, in their order.
template <unsigned ROWS>
__device__ static void add_parts(float (&sums)[COLUMNS / 8][4], const Lane<ROWS> &lane, float *shared) {
    constexpr unsigned COUNT = COLUMNS / 2, THREADS_OF_PART = BLOCK / Lane<ROWS>::PARTS;
    const unsigned own = threadIdx.x % THREADS_OF_PART;
    // Chunks are no longer needed.
    __syncthreads();
    for (unsigned i = 0; lane.part > 0 && i < COUNT; i++) {
        shared[((lane.part - 1) * COUNT + i) * THREADS_OF_PART + own] = sums[i / 4][i % 4];
    }
    __syncthreads();
    for (unsigned part = 1; lane.part == 0 && part < Lane<ROWS>::PARTS; part++) {
#pragma unroll
        for (unsigned i = 0; i < COUNT; i++) sums[i / 4][i % 4] += shared[((part - 1) * COUNT + i) * THREADS_OF_PART + own];
    }
}

// Goes through chunks: `load(stage)` begins to copy the next one, for it is called for each of them in turn; `multiply(stage)` uses it.
template <unsigned COUNT, class Load, class Multiply>
__device__ static void for_each_chunk(unsigned chunks, Load load, Multiply multiply) {
    for (unsigned ahead = 0; ahead + 1 < COUNT; ahead++) {
        if (ahead < chunks) load(ahead);
        end_copies();
    }
    unsigned stage = 0, free = COUNT - 1;
    for (unsigned chunk = 0; chunk < chunks; chunk++) {
        wait_for_copies<static_cast<int>(COUNT) - 2>();
        // Now everybody's copies are there, and nobody reads the stage that is filled next.
        __syncthreads();
        if (chunk + COUNT - 1 < chunks) load(free);
        end_copies();
        multiply(stage);
        free = stage;
        stage = stage + 1 < COUNT ? stage + 1 : 0;
    }
}
