// Steps of training: crops, the record of losses, Adam. Counts are below 2^31.
//
// All numbers that change from step to step lie in the record: the arguments of a step's launches are the same in all of them, so that a CUDA
// graph can repeat it.

constexpr unsigned THREADS = 256;  // of a block; as in src/cuda/mod.rs

__device__ inline unsigned thread_number() { return blockIdx.x * THREADS + threadIdx.x; }

// The state of a run, all as double. src/record.rs has the same places.
enum Record { LOSSES, FAILED, LOSS, PATCHES, STEPS, STEP_SIZE, CORRECTION, IS_INFINITE };

// Cuts patches of `size`×`size` pixels; of each place it is known where it begins and how wide its image is. The first patch is the
// first place, or with a record the next one of an epoch of `epoch` places.
extern "C" __global__ void cut_patches(const float *images, const long long *places, unsigned epoch, const double *record, unsigned count,
                                       unsigned size, float *patches) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned first = record ? static_cast<unsigned long long>(record[PATCHES]) % epoch : 0;
    const unsigned patch = first + i / (size * size), row = i / size % size, column = i % size;
    patches[i] = images[places[2 * patch] + row * places[2 * patch + 1] + column];
}

__device__ static bool is_finite(float value) { return value - value == 0; }

// Tells the record of reconstructions that are not finite.
extern "C" __global__ void look_at(const float *reconstructions, unsigned count, double *record) {
    const unsigned i = thread_number();
    if (i < count && !is_finite(reconstructions[i])) record[IS_INFINITE] = 1;
}

// `Pace` in src/adam.rs has the same fields.
struct Pace {
    double learning_rate, beta1, beta2;
};

// Adds the loss of a batch of `count` patches and says how Adam is to step, or keeps the loss of the first batch whose reconstructions
// or loss are not finite, and how far the run was before it. After that, nothing changes any more. For a single thread.
extern "C" __global__ void record_step(const float *loss, unsigned count, Pace pace, double *record) {
    if (record[FAILED] != 0) return;
    if (record[IS_INFINITE] != 0 || !is_finite(*loss)) {
        record[FAILED] = 1;
        record[LOSS] = record[IS_INFINITE] != 0 ? NAN : static_cast<double>(*loss);
        return;
    }
    record[LOSSES] += static_cast<double>(*loss) * count;
    record[PATCHES] += count;
    record[STEPS] += 1;
    record[STEP_SIZE] = pace.learning_rate / (1 - pow(pace.beta1, record[STEPS]));
    record[CORRECTION] = 1 / sqrt(1 - pow(pace.beta2, record[STEPS]));
}

// `Decay` in src/cuda/training.rs has the same fields.
struct Decay {
    float beta1, beta2, weight_decay, epsilon;
};

// Updates the moments of gradients, all the first ones and then all the second ones, and moves parameters against the mean gradients,
// unless the step has failed.
extern "C" __global__ void adam(const float *gradients, unsigned count, Decay decay, const double *record, float *moments,
                                float *parameters) {
    const unsigned i = thread_number();
    if (i >= count || record[FAILED] != 0) return;
    const float g = gradients[i] + decay.weight_decay * parameters[i];
    const float mean = decay.beta1 * moments[i] + (1 - decay.beta1) * g;
    const float square = decay.beta2 * moments[count + i] + (1 - decay.beta2) * g * g;
    moments[i] = mean;
    moments[count + i] = square;
    const float step_size = record[STEP_SIZE], correction = record[CORRECTION];
    parameters[i] -= step_size * mean / (sqrtf(square) * correction + decay.epsilon);
}
