// Runs the kernels of tiles.cu on the CPU: a loop over threads in place of a device, which is enough where threads share nothing.
//
// Arguments: width, height, patch, stride, columns, rows, batch. Standard input: the image, in f32, and the weights along one axis of
// a patch, in f64. Standard output: all
// patches, in f32, each batch followed by the moments, in f64, of three samples of its patches; the sums of the stitched patches, in
// f64; and those of the squared patches, added in f64.
#include <cstdio>
#include <cstdlib>
#include <vector>

#define __global__
#define __device__
struct Place {
    unsigned x;
};
static Place blockIdx, blockDim, threadIdx;

#include "../../kernels/tiles.cu"

// As many blocks as src/tensor/cuda.rs launches, in an order that no kernel may rely on.
template <class Kernel>
static void launch(Number pixels, Kernel kernel) {
    blockDim.x = 256;
    for (unsigned block = (pixels + blockDim.x - 1) / blockDim.x; block-- > 0;) {
        for (unsigned thread = blockDim.x; thread-- > 0;) {
            blockIdx.x = block, threadIdx.x = thread;
            kernel();
        }
    }
}

template <class T>
static void put(const std::vector<T> &values) {
    if (fwrite(values.data(), sizeof(T), values.size(), stdout) != values.size()) exit(1);
}

int main(int count, char **arguments) {
    if (count != 8) return 2;
    Number numbers[7];
    for (int i = 0; i < 7; i++) numbers[i] = strtoull(arguments[i + 1], nullptr, 10);
    const Geometry g{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    const Number batch = numbers[6], pixels = g.width * g.height, tiles = g.columns * g.rows, area = g.patch * g.patch;
    std::vector<float> image(pixels);
    if (fread(image.data(), sizeof(float), pixels, stdin) != pixels) return 2;
    std::vector<double> weights(g.patch);
    if (fread(weights.data(), sizeof(double), g.patch, stdin) != g.patch) return 2;
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
