// Values one by one, or four neighbouring channels at a time.
#pragma once

#include "epilogue.cuh"
#include "threads.cuh"

template <class V>
constexpr unsigned LANES = sizeof(V) / sizeof(float);

template <class V>
__device__ inline V zero() {
    return V{};
}

__device__ inline float4 operator+(float4 a, float4 b) { return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w}; }

// A value, or four channels of it; channels and places count values.
__device__ inline float finished(const Epilogue &epilogue, float sum, unsigned channel, size_t place) {
    return epilogue.finished(sum, channel, place);
}

// The bias of a layer may lie anywhere among its parameters: vectors of it need not be aligned.
__device__ inline float4 finished(const Epilogue &epilogue, float4 sum, unsigned channel, size_t place) {
    return {epilogue.finished(sum.x, channel, place), epilogue.finished(sum.y, channel + 1, place + 1),
            epilogue.finished(sum.z, channel + 2, place + 2), epilogue.finished(sum.w, channel + 3, place + 3)};
}
