// Runs one of the kernels on the CPU.
//
// Arguments: the name of the kernel, and the whole numbers that it takes. Standard input: its other numbers and its arrays. Standard
// output: the arrays that it writes. Arrays have their exact lengths, so that sanitizers find accesses beyond.
#include <cmath>
#include <cstring>

#include "../../../ssim/tests/emulation/emulation.h"

#include "../../kernels/training.cu"

template <class T>
static std::vector<T> get(size_t count) {
    std::vector<T> values(count);
    if (std::fread(values.data(), sizeof(T), count, stdin) != count) std::abort();
    return values;
}

constexpr size_t LOG_LENGTH = IS_INFINITE + 1;

template <class T>
static T get() {
    return get<T>(1)[0];
}

template <class T>
static void put(const std::vector<T> &values) {
    if (values.empty()) return;
    if (std::fwrite(values.data(), sizeof(T), values.size(), stdout) != values.size()) std::abort();
}

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
    const struct {
        const char *name;
        void (*run)(const std::vector<unsigned> &);
    } kernels[] = {
        {"cut", run_cut}, {"log", run_log}, {"adam", run_adam},
    };
    std::vector<unsigned> numbers;
    for (int i = 2; i < count; i++) numbers.push_back(std::strtoul(arguments[i], nullptr, 10));
    for (const auto &kernel : kernels) {
        if (count < 2 || std::strcmp(kernel.name, arguments[1]) != 0) continue;
        kernel.run(numbers);
        return 0;
    }
    return 2;
}
