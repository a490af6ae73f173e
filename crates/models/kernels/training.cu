// Steps of training: crops, the record of losses, Adam. Counts are below 2^31.

#include "threads.cuh"

// Cuts patches of `size`×`size` pixels; of each it is known where it begins and how wide its image is.
extern "C" __global__ void cut_patches(const float *images, const long long *places, unsigned count, unsigned size, float *patches) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned patch = i / (size * size), row = i / size % size, column = i % size;
    patches[i] = images[places[2 * patch] + row * places[2 * patch + 1] + column];
}

// What a run knows of its losses, all as double. `Record` in src/record.rs has the same places.
enum Record { LOSSES, FAILED, LOSS, PATCHES, STEPS };

__device__ static bool is_finite(float value) { return value - value == 0; }

// Adds the loss of a batch, or keeps what the first batch was whose reconstructions or loss are not finite: their sum is finite only
// if all of them are. After that, nothing changes any more. For a single thread.
extern "C" __global__ void record_step(const float *loss, const float *reconstructions, double count, double patches, double steps,
                                       double *record) {
    if (record[FAILED] != 0) return;
    if (is_finite(*reconstructions) && is_finite(*loss)) {
        record[LOSSES] += static_cast<double>(*loss) * count;
        return;
    }
    record[FAILED] = 1;
    record[LOSS] = static_cast<double>(is_finite(*reconstructions) ? *loss : *reconstructions - *reconstructions);
    record[PATCHES] = patches;
    record[STEPS] = steps;
}

__device__ static bool has_failed(const double *record) { return record && record[FAILED] != 0; }

// `Decay` in src/adam/cuda.rs has the same fields.
struct Decay {
    float beta1, beta2, weight_decay;
};

// Updates the moments of gradients, all the first ones and then all the second ones, unless the step has failed.
extern "C" __global__ void update_moments(const float *gradients, const float *parameters, unsigned count, Decay decay,
                                          const double *record, float *moments) {
    const unsigned i = thread_number();
    if (i >= count || has_failed(record)) return;
    const float g = gradients[i] + decay.weight_decay * parameters[i];
    moments[i] = decay.beta1 * moments[i] + (1 - decay.beta1) * g;
    moments[count + i] = decay.beta2 * moments[count + i] + (1 - decay.beta2) * g * g;
}

// Moves parameters against their mean gradients, unless the step has failed.
extern "C" __global__ void descend(const float *moments, unsigned count, float step_size, float second_correction, float epsilon,
                                   const double *record, float *parameters) {
    const unsigned i = thread_number();
    if (i >= count || has_failed(record)) return;
    const float denominator = sqrtf(moments[count + i]) * second_correction + epsilon;
    parameters[i] -= step_size * moments[i] / denominator;
}
