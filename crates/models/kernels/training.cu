// Steps of training: crops, the log of losses, Adam. Counts are below 2^31.
//
// Whatever changes from step to step lies in the log: the arguments of a step's launches are the same in all steps, so that a CUDA graph
// can repeat it.

constexpr unsigned THREADS = 256;  // of a block; as in src/cuda/mod.rs

__device__ inline unsigned thread_number() { return blockIdx.x * THREADS + threadIdx.x; }

// The values of a log, all as double; src/loss_log.rs has the same places.
enum LossLog { LOSSES, FAILED, LOSS, PATCHES, STEPS, STEP_SIZE, CORRECTION, IS_INFINITE };

// Cuts patches of `size`×`size` pixels. `places` holds where each patch of an epoch begins and how wide its image is. The first patch is
// the epoch's first, or with a log the one that is next.
extern "C" __global__ void cut_patches(const float *images, const long long *places, unsigned epoch, const double *log, unsigned count,
                                       unsigned size, float *patches) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned first = log ? static_cast<unsigned long long>(log[PATCHES]) % epoch : 0;
    const unsigned patch = first + i / (size * size), row = i / size % size, column = i % size;
    patches[i] = images[places[2 * patch] + row * places[2 * patch + 1] + column];
}

__device__ static bool is_finite(float value) { return value - value == 0; }

// Notes in the log whether a reconstruction is not finite.
extern "C" __global__ void find_infinite(const float *reconstructions, unsigned count, double *log) {
    const unsigned i = thread_number();
    if (i < count && !is_finite(reconstructions[i])) log[IS_INFINITE] = 1;
}

// `StepSizeRule` in src/step_size.rs has the same fields.
struct StepSizeRule {
    double learning_rate, beta1, beta2;
};

// Adds the loss of a batch of `count` patches and computes the size of Adam's step. At the first batch whose reconstructions or loss are
// not finite it keeps the loss instead, and nothing changes any more. For a single thread.
extern "C" __global__ void log_step(const float *loss, unsigned count, StepSizeRule rule, double *log) {
    if (log[FAILED] != 0) return;
    if (log[IS_INFINITE] != 0 || !is_finite(*loss)) {
        log[FAILED] = 1;
        log[LOSS] = log[IS_INFINITE] != 0 ? NAN : static_cast<double>(*loss);
        return;
    }
    log[LOSSES] += static_cast<double>(*loss) * count;
    log[PATCHES] += count;
    log[STEPS] += 1;
    log[STEP_SIZE] = rule.learning_rate / (1 - pow(rule.beta1, log[STEPS]));
    log[CORRECTION] = 1 / sqrt(1 - pow(rule.beta2, log[STEPS]));
}

// `Decay` in src/cuda/training.rs has the same fields.
struct Decay {
    float beta1, beta2, weight_decay, epsilon;
};

// Updates the moments of gradients, all the first ones and then all the second ones, and moves parameters against the mean gradients,
// unless the step has failed.
extern "C" __global__ void adam(const float *gradients, unsigned count, Decay decay, const double *log, float *moments,
                                float *parameters) {
    const unsigned i = thread_number();
    if (i >= count || log[FAILED] != 0) return;
    const float g = gradients[i] + decay.weight_decay * parameters[i];
    const float mean = decay.beta1 * moments[i] + (1 - decay.beta1) * g;
    const float square = decay.beta2 * moments[count + i] + (1 - decay.beta2) * g * g;
    moments[i] = mean;
    moments[count + i] = square;
    const float step_size = log[STEP_SIZE], correction = log[CORRECTION];
    parameters[i] -= step_size * mean / (sqrtf(square) * correction + decay.epsilon);
}
