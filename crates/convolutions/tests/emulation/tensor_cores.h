// The functions of kernels/tensor_cores.cuh on the CPU. Copies happen when they are waited for, so that what is read too early is wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>

namespace tensor_cores {

constexpr unsigned MOST_THREADS = 256;

struct Copy {
    float *to;
    const float *from;
    unsigned count;
    bool is_there;
};

// Of each thread, the groups of copies that it has begun; the last one is open.
inline std::deque<std::vector<Copy>> pending[MOST_THREADS];

inline void begin(Copy copy) {
    auto &groups = pending[threadIdx.x];
    if (groups.empty()) groups.emplace_back();
    if (copy.count == 4 && (reinterpret_cast<uintptr_t>(copy.to) % 16 || reinterpret_cast<uintptr_t>(copy.from) % 16)) {
        std::fprintf(stderr, "a copy of four values is not aligned\n");
        std::abort();
    }
    groups.back().push_back(copy);
}

inline void finish(const std::vector<Copy> &copies) {
    for (const Copy &copy : copies) {
        for (unsigned i = 0; i < copy.count; i++) copy.to[i] = copy.is_there ? copy.from[i] : 0;
    }
}

inline float factors_a[MOST_THREADS][4], factors_b[MOST_THREADS][2];

}  // namespace tensor_cores

inline float from_bits(unsigned bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline unsigned to_bits(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The last 13 bits are rounded off, halves away from zero.
inline unsigned to_tf32(float value) { return (to_bits(value) + 0x1000) & ~0x1fffu; }

// The last 16 bits are rounded off, halves to even.
inline unsigned to_bf16(float value) {
    const unsigned bits = to_bits(value);
    return (bits + 0x7fff + (bits >> 16 & 1)) & ~0xffffu;
}

inline void copy_4(float *shared, const float *global, bool is_there) { tensor_cores::begin({shared, global, 4, is_there}); }

inline void copy_1(float *shared, const float *global, bool is_there) { tensor_cores::begin({shared, global, 1, is_there}); }

inline void end_copies() {
    auto &groups = tensor_cores::pending[threadIdx.x];
    if (groups.empty()) groups.emplace_back();
    groups.emplace_back();
}

template <int LATEST>
inline void wait_for_copies() {
    auto &groups = tensor_cores::pending[threadIdx.x];
    while (groups.size() > LATEST + 1) {
        tensor_cores::finish(groups.front());
        groups.pop_front();
    }
}

// All threads of a block call this at once.
inline void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    using namespace tensor_cores;
    for (unsigned i = 0; i < 4; i++) factors_a[threadIdx.x][i] = from_bits(a[i]);
    for (unsigned i = 0; i < 2; i++) factors_b[threadIdx.x][i] = from_bits(b[i]);
    __syncthreads();
    const unsigned warp = threadIdx.x / 32 * 32, group = threadIdx.x % 32 / 4, place = threadIdx.x % 4;
    for (unsigned i = 0; i < 4; i++) {
        const unsigned row = group + i / 2 * 8, column = 2 * place + i % 2;
        for (unsigned k = 0; k < 8; k++) {
            const float left = factors_a[warp + row % 8 * 4 + k % 4][row / 8 + k / 4 * 2];
            c[i] += left * factors_b[warp + column * 4 + k % 4][k / 4];
        }
    }
    __syncthreads();
}
