// Runs CUDA kernels on the CPU, for tests: what CUDA adds to C++, as far as the kernels of this workspace use it.
//
// The threads of a block are fibres, of which one runs at a time, from one barrier to the next. Each time they take turns in
// another order, so that what needs a barrier and has none goes wrong. Shared memory holds NaN when a block begins. A barrier
// that some threads do not reach ends the program. What leads out of an array is for the compiler's sanitizers to find.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#define __global__
#define __device__
#define __grid_constant__
#define __launch_bounds__(threads)
#define __shared__ static __attribute__((section("shared_memory")))
#define __syncthreads() emulation::barrier(__LINE__)
#define __threadfence()  // blocks run one after the other

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

static dim3 threadIdx, blockIdx, blockDim;

// A fibre leaves only at barriers.
inline unsigned atomicAdd(unsigned *number, unsigned more) {
    const unsigned before = *number;
    *number += more;
    return before;
}

// The linker's names for both ends of a section. They are null where no kernel has shared memory.
extern "C" __attribute__((weak)) unsigned char __start_shared_memory[], __stop_shared_memory[];

namespace emulation {

constexpr size_t STACK = 64 << 10;
constexpr int ENDED = -1;

struct Fibre {
    dim3 index;
    ucontext_t context;
    int reached = 0;  // the line of the barrier that it waits at, or ENDED
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(STACK);
};

inline ucontext_t scheduler;
inline Fibre *running;
inline const std::function<void()> *kernel;

// Leaves the running fibre, until its turn comes again.
inline void suspend(int reached) {
    running->reached = reached;
    swapcontext(&running->context, &scheduler);
}

inline void barrier(int line) {
    suspend(line);
}

inline void begin() {
    (*kernel)();
    suspend(ENDED);
}

inline void prepare(Fibre &fibre) {
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.get();
    fibre.context.uc_stack.ss_size = STACK;
    fibre.context.uc_link = nullptr;
    makecontext(&fibre.context, begin, 0);
}

// Lets every fibre run as far as the next barrier, and says which one that was.
inline int step(std::vector<Fibre *> &order, std::mt19937 &dice) {
    std::shuffle(order.begin(), order.end(), dice);
    for (Fibre *fibre : order) {
        running = fibre;
        threadIdx = fibre->index;
        swapcontext(&scheduler, &fibre->context);
    }
    const int reached = order[0]->reached;
    for (const Fibre *fibre : order) {
        if (fibre->reached != reached) {
            std::fprintf(stderr, "threads wait at different barriers: lines %d and %d\n", reached, fibre->reached);
            std::abort();
        }
    }
    return reached;
}

// Runs `body` as a grid of `blocks` blocks, one after the other.
inline void launch(unsigned blocks, dim3 threads, const std::function<void()> &body) {
    std::mt19937 dice(1);
    std::vector<Fibre> fibres(threads.x * threads.y);
    std::vector<Fibre *> order;
    for (size_t i = 0; i < fibres.size(); i++) {
        fibres[i].index = {unsigned(i) % threads.x, unsigned(i) / threads.x, 0};
        order.push_back(&fibres[i]);
    }
    kernel = &body;
    blockDim = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) {
        // All ones are NaN in every type of float.
        std::fill(__start_shared_memory, __stop_shared_memory, static_cast<unsigned char>(0xff));
        for (Fibre &fibre : fibres) prepare(fibre);
        while (step(order, dice) != ENDED) {}
    }
}

// Reads so many values from standard input, as they lie in memory.
template <class T>
std::vector<T> get(size_t count) {
    std::vector<T> values(count);
    if (std::fread(values.data(), sizeof(T), count, stdin) != count) {
        std::fprintf(stderr, "the input is too short\n");
        std::abort();
    }
    return values;
}

template <class T>
T get() {
    return get<T>(1)[0];
}

// Writes values to standard output, as they lie in memory.
template <class T>
void put(const std::vector<T> &values) {
    if (values.empty()) return;
    if (std::fwrite(values.data(), sizeof(T), values.size(), stdout) != values.size()) std::abort();
}

// A function that runs a kernel, with the whole numbers that it takes.
struct Runner {
    const char *name;
    void (*run)(const std::vector<unsigned> &);
};

// Runs the one that the first argument names; the others are its numbers.
template <size_t COUNT>
int run(const Runner (&runners)[COUNT], int count, char **arguments) {
    std::vector<unsigned> numbers;
    for (int i = 2; i < count; i++) numbers.push_back(std::strtoul(arguments[i], nullptr, 10));
    for (const Runner &runner : runners) {
        if (count < 2 || std::strcmp(runner.name, arguments[1]) != 0) continue;
        runner.run(numbers);
        return 0;
    }
    std::fprintf(stderr, "there is no such kernel\n");
    return 2;
}

}  // namespace emulation
