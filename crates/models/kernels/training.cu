// Steps of training: crops, what the network sees of them, the log of losses, Adam. Counts are below 2^31.
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

// SplitMix64, as src/patches/corruption.rs has it.
class Dice {
    unsigned long long state_;

    __device__ static unsigned long long mixed(unsigned long long z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }

   public:
    __device__ Dice(unsigned long long seed, unsigned long long position) : state_(mixed(mixed(seed) ^ position)) {}

    __device__ unsigned below(unsigned bound) {
        state_ += 0x9e3779b97f4a7c15ull;
        return static_cast<unsigned>(((mixed(state_) >> 32) * bound) >> 32);
    }

    // The side of a block.
    __device__ unsigned side(unsigned patch) {
        const unsigned least = (patch / 32) << below(4);
        return least + below(least < patch / 8 ? least : patch / 8);
    }
};

constexpr unsigned BLOCKS = 4;  // of a patch, at most; as in src/patches/corruption.rs

// Copies the `count` pixels of the patches that are next by the log, some blocks of which are uniform, lighter or darker, or of another
// patch of the epoch. Images, places and log are those of `cut_patches`.
extern "C" __global__ void corrupt_patches(const float *patches, const float *images, const long long *places, unsigned epoch,
                                           const double *log, unsigned long long seed, unsigned count, unsigned size, float *inputs) {
    const unsigned i = thread_number();
    if (i >= count) return;
    const unsigned row = i / size % size, column = i % size;
    Dice dice(seed, static_cast<unsigned long long>(log[PATCHES]) + i / (size * size));
    float pixel = patches[i];
    for (unsigned blocks = dice.below(BLOCKS + 1); blocks > 0; blocks--) {
        const unsigned width = dice.side(size), height = dice.side(size);
        const unsigned left = dice.below(size - width + 1), top = dice.below(size - height + 1);
        const float level = dice.below(1 << 20) / static_cast<float>(1 << 20);
        const unsigned other = dice.below(epoch), kind = dice.below(3);
        if (column < left || column >= left + width || row < top || row >= top + height) continue;
        if (kind == 0) {
            pixel = level;
        } else if (kind == 1) {
            pixel += 0.5f * (level - 0.5f);
            pixel = pixel < 0 ? 0 : pixel > 1 ? 1 : pixel;
        } else {
            pixel = images[places[2 * other] + row * places[2 * other + 1] + column];
        }
    }
    inputs[i] = pixel;
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
