// Sums of the rows of matrices, many matrices at once: the gradients of biases, and those of weights that several blocks have shares of. The
// order in which rows are added is always the same. Counts are below 2^31.

#include "threads.cuh"

// A matrix, and where its sums go. A block sums `per_part` rows of some columns; its blocks, the sums of its parts and its tickets follow
// those of the matrices before it. `Sum` in src/gpu/cuda/sums.rs has the same fields.
struct Sum {
    const float *values;
    float *result;
    unsigned rows, columns, per_part, first_block, first_partial, first_ticket;
};

constexpr unsigned MOST_SUMS = 24, MOST_TICKETS = 512;  // as in src/gpu/cuda/sums.rs

struct Sums {
    Sum of[MOST_SUMS];
    unsigned count;
};

// The number of parts that were summed, for each group of columns.
__device__ static unsigned arrived[MOST_TICKETS];

// The shared memory of a block.
struct Shared {
    float partial[THREADS];
    unsigned arrived;
};

constexpr unsigned NEIGHBOURS = 32;  // neighbouring columns of a block, as in src/gpu/rows.rs
constexpr unsigned LOADS = 16;  // that a thread begins before it waits for the first of them

// The sum of a column. The threads of a column take turns to add its rows; the first of them adds up their sums, and it alone returns the
// result.
template <class Values>
__device__ static float sum_column(Values values, unsigned columns, unsigned column, unsigned first, unsigned end, Shared &shared) {
    const unsigned lanes = smaller(columns, NEIGHBOURS), side = THREADS / lanes, turn = threadIdx.x / lanes;
    float sum = 0;
    const bool takes_part = turn < side && column < columns;
    for (unsigned row = first + turn; takes_part && row < end; row += LOADS * side) {
        float loaded[LOADS];
        for (unsigned i = 0; i < LOADS; i++) {
            if (row + i * side < end) loaded[i] = values[static_cast<size_t>(row + i * side) * columns + column];
        }
        for (unsigned i = 0; i < LOADS; i++) {
            if (row + i * side < end) sum += loaded[i];
        }
    }
    __syncthreads();
    shared.partial[threadIdx.x] = sum;
    __syncthreads();
    if (turn > 0) return 0;
    for (unsigned i = 1; i < side; i++) sum += shared.partial[i * lanes + threadIdx.x];
    return sum;
}

// The last block that has summed a part of some columns adds up what all have.
extern "C" __global__ void add_rows(const __grid_constant__ Sums sums, volatile float *partial) {
    __shared__ Shared shared;
    unsigned number = 0;
    while (number + 1 < sums.count && blockIdx.x >= sums.of[number + 1].first_block) number++;
    const Sum &matrix = sums.of[number];
    const unsigned columns = matrix.columns, lanes = smaller(columns, NEIGHBOURS), groups = (columns + lanes - 1) / lanes;
    const unsigned block = blockIdx.x - matrix.first_block, group = block % groups, part = block / groups;
    const unsigned parts = (matrix.rows + matrix.per_part - 1) / matrix.per_part;
    const unsigned column = group * lanes + threadIdx.x % lanes, first = part * matrix.per_part;
    const bool has_sum = threadIdx.x < lanes && column < columns;
    float sum = sum_column(matrix.values, columns, column, first, smaller(matrix.rows, first + matrix.per_part), shared);
    if (parts > 1) {
        partial += matrix.first_partial;
        unsigned *ticket = &arrived[matrix.first_ticket + group];
        if (has_sum) partial[part * columns + column] = sum;
        __threadfence();
        __syncthreads();
        if (threadIdx.x == 0) shared.arrived = atomicAdd(ticket, 1u);
        __syncthreads();
        if (shared.arrived + 1 < parts) return;
        sum = sum_column(partial, columns, column, 0, parts, shared);
        if (threadIdx.x == 0) *ticket = 0;
    }
    if (has_sum) matrix.result[column] = sum;
}
