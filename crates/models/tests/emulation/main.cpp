// Runs one of the kernels on the CPU.
//
// Arguments: the name of the kernel, and the whole numbers that it takes. Standard input: its other numbers and its arrays. Standard
// output: the arrays that it writes. Arrays have their exact lengths, so that sanitizers find accesses beyond.
#include "emulation.h"

#include "../../kernels/training.cu"

using emulation::get;
using emulation::put;

constexpr size_t LOG_LENGTH = IS_INFINITE + 1;

// At least `count` threads, as src/cuda/mod.rs launches them.
static void threads(unsigned count, const std::function<void()> &kernel) {
    emulation::launch((count + THREADS - 1) / THREADS, {THREADS, 1}, kernel);
}

// Numbers: pixels of all images, places, patches, their size, whether the log counts.
static void run_cut(const std::vector<unsigned> &numbers) {
    const auto images = get<float>(numbers[0]);
    const auto places = get<long long>(2 * numbers[1]);
    const auto log = get<double>(LOG_LENGTH);
    std::vector<float> patches(numbers[2] * numbers[3] * numbers[3]);
    threads(patches.size(), [&] {
        cut_patches(images.data(), places.data(), numbers[1], numbers[4] ? log.data() : nullptr, patches.size(), numbers[3],
                    patches.data());
    });
    put(patches);
}

// Numbers: pixels of all images, places, patches, their size, the seed.
static void run_corrupt(const std::vector<unsigned> &numbers) {
    const auto patches = get<float>(numbers[2] * numbers[3] * numbers[3]), images = get<float>(numbers[0]);
    const auto places = get<long long>(2 * numbers[1]);
    const auto log = get<double>(LOG_LENGTH);
    std::vector<float> inputs(patches.size());
    threads(patches.size(), [&] {
        corrupt_patches(patches.data(), images.data(), places.data(), numbers[1], log.data(), numbers[4], patches.size(), numbers[3],
                        inputs.data());
    });
    put(inputs);
}

// Numbers: steps, values of each step's reconstructions, patches of a batch. Each step has a loss and its reconstructions.
static void run_log(const std::vector<unsigned> &numbers) {
    auto log = get<double>(LOG_LENGTH);
    const StepSizeRule rule = get<StepSizeRule>();
    for (unsigned step = 0; step < numbers[0]; step++) {
        const auto loss = get<float>(1), reconstructions = get<float>(numbers[1]);
        threads(numbers[1], [&] { find_infinite(reconstructions.data(), numbers[1], log.data()); });
        emulation::launch(1, {1, 1}, [&] { log_step(loss.data(), numbers[2], rule, log.data()); });
    }
    put(log);
}

// Numbers: values.
static void run_adam(const std::vector<unsigned> &numbers) {
    const unsigned count = numbers[0];
    const auto log = get<double>(LOG_LENGTH);
    const Decay decay = get<Decay>();
    const auto gradients = get<float>(count);
    auto parameters = get<float>(count), moments = get<float>(2 * count);
    threads(count, [&] { adam(gradients.data(), count, decay, log.data(), moments.data(), parameters.data()); });
    put(parameters);
    put(moments);
}

int main(int count, char **arguments) {
    const emulation::Runner runners[] = {{"cut", run_cut}, {"corrupt", run_corrupt}, {"log", run_log}, {"adam", run_adam}};
    return emulation::run(runners, count, arguments);
}
