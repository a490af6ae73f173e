// Runs one of the kernels on the CPU.
//
// Arguments: what to run, and the whole numbers that it takes. Standard input: its other numbers and its arrays. Standard output: what
// it writes. Arrays are as long as they are said to be, so that sanitizers see what leads beyond.
#include "emulation.h"

struct alignas(16) float4 {
    float x, y, z, w;
};

struct alignas(8) float2 {
    float x, y;
};

#include "../../kernels/convolutions.cu"
#include "../../kernels/layers.cu"
#include "../../kernels/sums.cu"

using emulation::get;
using emulation::put;

// At least `count` threads, as src/gpu/cuda/launch.rs launches them.
static void threads(unsigned count, const std::function<void()> &kernel) {
    emulation::launch((count + THREADS - 1) / THREADS, {THREADS, 1}, kernel);
}

static const float4 *vectors(const std::vector<float> &values) { return reinterpret_cast<const float4 *>(values.data()); }

static float4 *vectors(std::vector<float> &values) { return reinterpret_cast<float4 *>(values.data()); }

// Numbers: lanes, maps, the geometry.
static void run_unfold(const std::vector<unsigned> &numbers) {
    const Geometry g{numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8], numbers[9]};
    const auto maps = get<float>(numbers[1] * g.height * g.width * g.channels);
    std::vector<float> columns(numbers[1] * g.rows * g.columns * g.kernel * g.kernel * g.channels);
    const unsigned lanes = numbers[0], count = columns.size() / lanes;
    threads(count, [&] {
        lanes == 4 ? unfold_4(vectors(maps), g, count, vectors(columns)) : unfold_1(maps.data(), g, count, columns.data());
    });
    put(columns);
}

// The slope, the bias and the outputs of an epilogue, the latter two with the given numbers of values.
struct Finish {
    float slope = get<float>();
    std::vector<float> bias, outputs;

    Finish(unsigned biases, unsigned outputs) : bias(get<float>(biases)), outputs(get<float>(outputs)) {}

    Epilogue epilogue() const {
        const auto or_null = [](const std::vector<float> &values) { return values.empty() ? nullptr : values.data(); };
        return {or_null(bias), or_null(outputs), slope};
    }
};

// Numbers: lanes, maps, the geometry, values of the bias and of the outputs.
static void run_fold(const std::vector<unsigned> &numbers) {
    const Geometry g{numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8], numbers[9]};
    const Finish finish(numbers[10], numbers[11]);
    const auto columns = get<float>(numbers[1] * g.rows * g.columns * g.kernel * g.kernel * g.channels);
    std::vector<float> maps(numbers[1] * g.height * g.width * g.channels);
    const unsigned lanes = numbers[0], count = maps.size() / lanes;
    const Epilogue epilogue = finish.epilogue();
    threads(count, [&] {
        lanes == 4 ? fold_4(vectors(columns), g, count, epilogue, vectors(maps))
                   : fold_1(columns.data(), g, count, epilogue, maps.data());
    });
    put(maps);
}

// Numbers: lanes, values, channels, values of the bias and of the outputs.
static void run_finish(const std::vector<unsigned> &numbers) {
    const Finish finish(numbers[3], numbers[4]);
    auto values = get<float>(numbers[1]);
    const unsigned lanes = numbers[0], count = values.size() / lanes, channels = numbers[2];
    const Epilogue epilogue = finish.epilogue();
    threads(count, [&] {
        lanes == 4 ? finish_4(vectors(values), count, channels, epilogue) : finish_1(values.data(), count, channels, epilogue);
    });
    put(values);
}

// Numbers: values.
static void run_rectify(const std::vector<unsigned> &numbers) {
    const float slope = get<float>();
    const auto output = get<float>(numbers[0]), gradient = get<float>(numbers[0]);
    std::vector<float> result(numbers[0]);
    threads(numbers[0], [&] { rectify_backward(output.data(), gradient.data(), numbers[0], slope, result.data()); });
    put(result);
}

// Numbers: how many matrices; for each its rows, columns, rows of a part, parts and blocks side by side.
static void run_sums(const std::vector<unsigned> &numbers) {
    std::vector<std::vector<float>> matrices, results;
    Sums sums{};
    unsigned blocks = 0, partial_sums = 0, tickets = 0;
    for (sums.count = 0; sums.count < numbers[0]; sums.count++) {
        const unsigned *n = &numbers[1 + 5 * sums.count];
        matrices.push_back(get<float>(n[0] * n[1]));
        results.emplace_back(n[1]);
        sums.of[sums.count] = {nullptr, nullptr, n[0], n[1], n[2], blocks, partial_sums, tickets};
        blocks += n[3] * n[4];
        partial_sums += n[3] * n[1];
        tickets += n[4];
    }
    for (unsigned i = 0; i < sums.count; i++) sums.of[i].values = matrices[i].data(), sums.of[i].result = results[i].data();
    std::vector<float> partial(partial_sums);
    // The second time, the first must have left everything as it was.
    for (int time = 0; time < 2; time++) emulation::launch(blocks, {THREADS, 1}, [&] { add_rows(sums, partial.data()); });
    for (const auto &result : results) put(result);
}

// Of each precision.
template <class Kernel>
static Kernel *of(unsigned precision, Kernel *f32, Kernel *tf32, Kernel *bf16) {
    return precision == F32 ? f32 : precision == TF32 ? tf32 : bf16;
}

static Shapes shapes(const std::vector<unsigned> &n) {
    return {{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]}, n[8], n[9]};
}

static void add(const std::vector<float> &parts, unsigned shares, unsigned turns, unsigned channels, const Epilogue &epilogue,
                std::vector<float> &result) {
    const unsigned values = BLOCK / turns;
    emulation::launch((result.size() + values - 1) / values, {BLOCK, 1},
                      [&] { add_shares(parts.data(), result.size(), shares, turns, channels, epilogue, result.data()); });
}

// Numbers: the shapes, precision, whether it is transposed, lanes, rows of a tile, blocks, the division, turns, values of the bias and of
// the outputs.
static void run_convolve(const std::vector<unsigned> &numbers) {
    const Shapes s = shapes(numbers);
    const Geometry &g = s.geometry;
    const unsigned precision = numbers[10], is_transposed = numbers[11];
    const Division division{numbers[15], numbers[16], numbers[17]};
    const size_t large = s.maps * g.height * g.width * g.channels, small = s.maps * g.rows * g.columns * s.outputs;
    const Finish finish(numbers[19], numbers[20]);
    const auto weights = get<float>(g.kernel * g.kernel * g.channels * s.outputs), maps = get<float>(is_transposed ? small : large);
    std::vector<float> result(is_transposed ? large : small, NAN), parts(division.shares * result.size(), NAN);
    const unsigned lanes = numbers[12];
    const auto kernel = numbers[13] == 128
                            ? is_transposed ? of(precision, transpose_4_128_f32, transpose_4_128_tf32, transpose_4_128_bf16)
                              : lanes == 4  ? of(precision, convolve_4_128_f32, convolve_4_128_tf32, convolve_4_128_bf16)
                                            : of(precision, convolve_1_128_f32, convolve_1_128_tf32, convolve_1_128_bf16)
                        : is_transposed ? of(precision, transpose_4_64_f32, transpose_4_64_tf32, transpose_4_64_bf16)
                        : lanes == 4    ? of(precision, convolve_4_64_f32, convolve_4_64_tf32, convolve_4_64_bf16)
                                        : of(precision, convolve_1_64_f32, convolve_1_64_tf32, convolve_1_64_bf16);
    const Epilogue epilogue = finish.epilogue();
    const bool is_shared = division.shares > 1;
    emulation::launch(numbers[14], {BLOCK, 1}, [&] {
        kernel(maps.data(), weights.data(), s, division, epilogue, is_shared ? parts.data() : result.data());
    });
    if (is_shared) add(parts, division.shares, numbers[18], is_transposed ? g.channels : s.outputs, epilogue, result);
    put(result);
}

// Numbers: the shapes, precision, lanes, rows of a tile, blocks, the division, turns.
static void run_weigh(const std::vector<unsigned> &numbers) {
    const Shapes s = shapes(numbers);
    const Geometry &g = s.geometry;
    const Division division{numbers[14], numbers[15], numbers[16]};
    const auto maps = get<float>(s.maps * g.height * g.width * g.channels), gradient = get<float>(s.maps * g.rows * g.columns * s.outputs);
    std::vector<float> result(g.kernel * g.kernel * g.channels * s.outputs), parts(division.shares * result.size(), NAN);
    const auto kernel = numbers[11] == 4 ? of(numbers[10], weigh_4_64_f32, weigh_4_64_tf32, weigh_4_64_bf16)
                                         : of(numbers[10], weigh_1_32_f32, weigh_1_32_tf32, weigh_1_32_bf16);
    emulation::launch(numbers[13], {BLOCK, 1}, [&] { kernel(maps.data(), gradient.data(), s, division, parts.data()); });
    add(parts, division.shares, numbers[17], 1, {nullptr, nullptr, 1}, result);
    put(result);
}

// Numbers: rows, columns.
static void run_transpose(const std::vector<unsigned> &numbers) {
    const auto matrix = get<float>(numbers[0] * numbers[1]);
    std::vector<float> result(matrix.size());
    threads(matrix.size(), [&] { transpose(matrix.data(), numbers[0], numbers[1], result.data()); });
    put(result);
}

int main(int count, char **arguments) {
    const emulation::Runner runners[] = {
        {"convolve", run_convolve}, {"weigh", run_weigh},     {"unfold", run_unfold}, {"fold", run_fold},
        {"finish", run_finish},     {"rectify", run_rectify}, {"sums", run_sums},     {"transpose", run_transpose},
    };
    return emulation::run(runners, count, arguments);
}
