// Runs one of the kernels on the CPU.
//
// Arguments: what to run, and the whole numbers that it takes. Standard input: its other numbers and its arrays. Standard output: what
// it writes. Arrays are as long as they are said to be, so that sanitizers see what leads beyond.
#include "emulation.h"

#include "../../kernels/training.cu"

using emulation::get;
using emulation::put;

constexpr size_t RECORD = IS_INFINITE + 1;

// At least `count` threads, as src/cuda/mod.rs launches them.
static void threads(unsigned count, const std::function<void()> &kernel) {
    emulation::launch((count + THREADS - 1) / THREADS, {THREADS, 1}, kernel);
}

// Numbers: pixels of all images, places, patches, their size, whether the record counts.
static void run_cut(const std::vector<unsigned> &numbers) {
    const auto images = get<float>(numbers[0]);
    const auto places = get<long long>(2 * numbers[1]);
    const auto record = get<double>(RECORD);
    std::vector<float> patches(numbers[2] * numbers[3] * numbers[3]);
    threads(patches.size(), [&] {
        cut_patches(images.data(), places.data(), numbers[1], numbers[4] ? record.data() : nullptr, patches.size(), numbers[3],
                    patches.data());
    });
    put(patches);
}

// Numbers: steps, values of each step's reconstructions, patches of a batch. Each step has a loss and its reconstructions.
static void run_record(const std::vector<unsigned> &numbers) {
    auto record = get<double>(RECORD);
    const Pace pace = get<Pace>();
    for (unsigned step = 0; step < numbers[0]; step++) {
        const auto loss = get<float>(1), reconstructions = get<float>(numbers[1]);
        threads(numbers[1], [&] { look_at(reconstructions.data(), numbers[1], record.data()); });
        emulation::launch(1, {1, 1}, [&] { record_step(loss.data(), numbers[2], pace, record.data()); });
    }
    put(record);
}

// Numbers: values.
static void run_adam(const std::vector<unsigned> &numbers) {
    const unsigned count = numbers[0];
    const auto record = get<double>(RECORD);
    const Decay decay = get<Decay>();
    const auto gradients = get<float>(count);
    auto parameters = get<float>(count), moments = get<float>(2 * count);
    threads(count, [&] { adam(gradients.data(), count, decay, record.data(), moments.data(), parameters.data()); });
    put(parameters);
    put(moments);
}

int main(int count, char **arguments) {
    const emulation::Runner runners[] = {{"cut", run_cut}, {"record", run_record}, {"adam", run_adam}};
    return emulation::run(runners, count, arguments);
}
