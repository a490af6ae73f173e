// Runs the kernels for one pair of batches: from standard input to standard output, numbers as they lie in memory.

#include "emulation.h"

#include "../../kernels/ssim.cu"

// As the test writes it.
struct Case {
    Geometry geometry;
    Tiling maps, images;
    Formula formula;
    unsigned wanted;
    int planes;
    int per_window;  // whether there is a cotangent for every window
    float factor;
};

using emulation::get;
using emulation::put;

static size_t blocks(const Tiling &tiling, const Case &c) {
    return size_t(tiling.across) * tiling.down * c.planes;
}

static std::vector<float> mean_loss(const std::vector<float> &partial, double windows) {
    std::vector<float> loss(1);
    emulation::launch(1, {LANES, WARPS}, [&] { ssim_sum(partial.data(), partial.size(), 1 / windows, loss.data()); });
    return loss;
}

int main() {
    const Case c = get<Case>();
    const Geometry &g = c.geometry;
    const size_t pixels = size_t(g.width) * g.height * c.planes, windows = size_t(g.map_width) * g.map_height * c.planes;
    const std::vector<float> x = get<float>(pixels), y = get<float>(pixels);
    const std::vector<float> cotangent = get<float>(c.per_window ? windows : 1);

    // No larger than what is written to them, so that the sanitizer sees the end.
    std::vector<float> maps(windows * __builtin_popcount(c.wanted)), coefficients(3 * windows), gradient(pixels);
    std::vector<float> partial(blocks(c.maps, c));
    if (c.wanted != 0) {
        emulation::launch(partial.size(), {LANES, WARPS}, [&] {
            ssim_windows(x.data(), y.data(), g, c.maps, c.formula, c.wanted, c.planes, maps.data(), partial.data());
        });
    }
    put(maps);
    put(mean_loss(partial, windows));

    emulation::launch(partial.size(), {LANES, WARPS}, [&] {
        ssim_linearise(x.data(), y.data(), g, c.maps, c.formula, cotangent.data(), c.per_window, c.factor, c.planes,
                       coefficients.data(), partial.data());
    });
    put(mean_loss(partial, windows));
    emulation::launch(blocks(c.images, c), {LANES, WARPS}, [&] {
        ssim_pull_back(x.data(), y.data(), g, c.images, coefficients.data(), c.planes, gradient.data());
    });
    put(gradient);
}
