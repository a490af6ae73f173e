// Products of small matrices on tensor cores, and copies that go on beside them. tests/emulation/tensor_cores.h does the same on the CPU.
#pragma once

#ifndef __CUDACC__
#include "../tests/emulation/tensor_cores.h"
#else

// c += a · b for 16×8 and 8×8 factors and a 16×8 result that the threads of a warp hold together (PTX, mma.m16n8k8 with .tf32).
__device__ inline void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The nearest number of eleven digits.
__device__ inline unsigned to_tf32(float value) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}

// The nearest number of eight digits, with the bits of a float.
__device__ inline unsigned to_bf16(float value) {
    unsigned short bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return static_cast<unsigned>(bits) << 16;
}

__device__ inline float from_bits(unsigned bits) { return __uint_as_float(bits); }

// Begins to copy four neighbouring values, or zeros.
__device__ inline void copy_4(float *shared, const float *global, bool is_there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(shared))), "l"(global), "r"(is_there ? 16 : 0));
}

// As above, a single value.
__device__ inline void copy_1(float *shared, const float *global, bool is_there) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
                 :
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(shared))), "l"(global), "r"(is_there ? 4 : 0));
}

// The copies that a thread has begun since the last call are a group.
__device__ inline void end_copies() { asm volatile("cp.async.commit_group;"); }

// Waits for the thread's own copies, but for the LATEST groups of them.
template <int LATEST>
__device__ inline void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" : : "n"(LATEST));
}

#endif
