// How threads are numbered, and what kernels of several files share.
#pragma once

constexpr unsigned THREADS = 256;  // of a block; as in src/gpu/cuda/launch.rs

__device__ inline unsigned thread_number() { return blockIdx.x * THREADS + threadIdx.x; }

__device__ inline unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }
