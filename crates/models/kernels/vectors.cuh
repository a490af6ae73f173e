// Values one by one, or four neighbouring channels at a time.
#pragma once

#include "threads.cuh"

template <class V>
constexpr unsigned LANES = sizeof(V) / sizeof(float);

template <class V>
__device__ inline V zero() {
    return V{};
}

__device__ inline float4 operator+(float4 a, float4 b) { return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w}; }

__device__ inline float biased(float value, const float *bias, unsigned channel) { return bias ? value + bias[channel] : value; }

// The bias of a layer may lie anywhere among its parameters: vectors of it need not be aligned.
__device__ inline float4 biased(float4 value, const float *bias, unsigned channel) {
    if (!bias) return value;
    bias += 4 * channel;
    return value + float4{bias[0], bias[1], bias[2], bias[3]};
}

__device__ inline float rectified(float value, float slope) { return value > 0 ? value : slope * value; }

__device__ inline float4 rectified(float4 value, float slope) {
    return {rectified(value.x, slope), rectified(value.y, slope), rectified(value.z, slope), rectified(value.w, slope)};
}
