// Runs the kernels of tiles.cu on the CPU.
//
// Arguments: width, height, patch, stride, columns, rows, batch. Standard input: the image, in f32, and the weights along one axis of
// a patch, in f64. Standard output: all patches, in f32, each batch followed by the moments, in f64, of three samples of its patches;
// the sums of the stitched patches, in f64; and those of the squared patches, added in f64.
#include "emulation.h"

#include "../../kernels/tiles.cu"

using emulation::get;
using emulation::put;

// A thread for each pixel, as src/tensor/cuda.rs launches them.
static void launch(Number pixels, const std::function<void()> &kernel) {
    constexpr unsigned THREADS = 256;
    emulation::launch((pixels + THREADS - 1) / THREADS, {THREADS, 1}, kernel);
}

int main(int count, char **arguments) {
    if (count != 8) return 2;
    Number numbers[7];
    for (int i = 0; i < 7; i++) numbers[i] = strtoull(arguments[i + 1], nullptr, 10);
    const Geometry g{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    const Number batch = numbers[6], pixels = g.width * g.height, tiles = g.columns * g.rows, area = g.patch * g.patch;
    const auto image = get<float>(pixels);
    const auto weights = get<double>(g.patch);
    std::vector<double> sums(pixels), squares(pixels);
    for (Number first = 0; first < tiles; first += batch) {
        // Of their own size, so that the sanitizer sees what reaches beyond.
        const Number some = smaller(batch, tiles - first);
        std::vector<float> patches(some * area);
        launch(some * area, [&] { cut_tiles(image.data(), g, first, some, patches.data()); });
        put(patches);
        std::vector<float> samples(3 * some * area);
        for (Number i = 0; i < samples.size(); i++) samples[i] = patches[i / (3 * area) * area + i % area] * (i / area % 3 + 1) / 4;
        std::vector<double> moments(2 * some * area);
        launch(some * area,
               [&] { moments_of_samples(patches.data(), samples.data(), some, area, 3, moments.data()); });
        put(moments);
        std::vector<double> squared(patches.begin(), patches.end());
        for (double &value : squared) value *= value;
        const Number top = smaller(first / g.columns * g.stride, g.height - g.patch);
        const Number bottom = smaller((first + some - 1) / g.columns * g.stride, g.height - g.patch) + g.patch;
        const Number rows = bottom - top;
        launch(rows * g.width, [&] { add_tiles_f32(patches.data(), weights.data(), g, first, some, top, rows, sums.data()); });
        launch(rows * g.width, [&] { add_tiles_f64(squared.data(), weights.data(), g, first, some, top, rows, squares.data()); });
    }
    put(sums);
    put(squares);
}
