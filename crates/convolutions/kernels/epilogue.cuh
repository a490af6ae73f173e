// The last operations on sums before they are stored.
#pragma once

// A bias for each channel if there is one, then a rectifier; a slope of 1 leaves sums as they are. Whether the slope applies is decided by
// the sum itself or, where the sum is a gradient, by the outputs of the rectifier that it goes back through. `EpilogueArguments`
// in src/gpu/cuda/device.rs has the same fields.
struct Epilogue {
    const float *bias, *outputs;
    float slope;

    __device__ float finished(float sum, unsigned channel, size_t place) const {
        if (bias) sum += bias[channel];
        return (outputs ? outputs[place] : sum) > 0 ? sum : slope * sum;
    }
};
