// Cutting an image into patches, and stitching them together again. A thread has one pixel.

using Number = unsigned long long;

// Where the patches of an image lie, numbered row by row: at multiples of the stride, and the last ones flush with the border.
// `Geometry` in src/tensor/geometry.rs has the same fields.
struct Geometry {
    Number width, height, patch, stride, columns, rows;
};

__device__ static Number smaller(Number a, Number b) { return a < b ? a : b; }

// The patches along an axis that cover a pixel of it.
struct Covering {
    Number first;    // the first one at a multiple of the stride,
    Number regular;  // how many of these there are,
    Number count;    // and how many with the one that is flush with the border, if that covers the pixel, too.
    Number last;     // Its number.

    __device__ Number operator[](Number index) const { return index < regular ? first + index : last; }
};

__device__ static Covering covering(Number at, Number length, Number patch, Number stride, Number patches) {
    Covering result;
    result.last = patches - 1;
    result.first = at + stride > patch ? (at + stride - patch) / stride : 0;
    const Number end = smaller(at / stride + 1, result.last);
    result.regular = end > result.first ? end - result.first : 0;
    result.count = result.regular + (at + patch >= length ? 1 : 0);
    return result;
}

__device__ static Number thread_number() { return blockIdx.x * static_cast<Number>(blockDim.x) + threadIdx.x; }

// Copies `count` patches out of an image, from number `first` on.
extern "C" __global__ void cut_tiles(const float *image, Geometry g, Number first, Number count, float *patches) {
    const Number area = g.patch * g.patch, pixel = thread_number();
    if (pixel >= count * area) return;
    const Number tile = first + pixel / area, within = pixel % area;
    const Number x = smaller(tile % g.columns * g.stride, g.width - g.patch) + within % g.patch;
    const Number y = smaller(tile / g.columns * g.stride, g.height - g.patch) + within / g.patch;
    patches[pixel] = image[y * g.width + x];
}

// Adds `count` patches, from number `first` on, to `rows` rows of sums, from `top` on. A patch's pixel is multiplied by the weights of
// its row and of its column. A pixel's patches are added in the order of their numbers, so that sums are always the same.
template <class T>
__device__ static void add_tiles(const T *patches, const double *weights, const Geometry &g, Number first, Number count, Number top,
                                 Number rows, double *sums) {
    const Number pixel = thread_number();
    if (pixel >= rows * g.width) return;
    const Number x = pixel % g.width, y = top + pixel / g.width;
    const Covering across = covering(x, g.width, g.patch, g.stride, g.columns);
    const Covering down = covering(y, g.height, g.patch, g.stride, g.rows);
    double sum = sums[y * g.width + x];
    for (Number i = 0; i < down.count; i++) {
        const Number v = y - smaller(down[i] * g.stride, g.height - g.patch);
        for (Number j = 0; j < across.count; j++) {
            const Number tile = down[i] * g.columns + across[j];
            if (tile < first || tile >= first + count) continue;
            const Number u = x - smaller(across[j] * g.stride, g.width - g.patch);
            const T value = patches[((tile - first) * g.patch + v) * g.patch + u];
            sum += weights[v] * weights[u] * static_cast<double>(value);
        }
    }
    sums[y * g.width + x] = sum;
}

extern "C" __global__ void add_tiles_f32(const float *patches, const double *weights, Geometry g, Number first, Number count,
                                         Number top, Number rows, double *sums) {
    add_tiles(patches, weights, g, first, count, top, rows, sums);
}

extern "C" __global__ void add_tiles_f64(const double *patches, const double *weights, Geometry g, Number first, Number count,
                                         Number top, Number rows, double *sums) {
    add_tiles(patches, weights, g, first, count, top, rows, sums);
}

// The means of the differences of samples from `count` patches of `area` pixels, and then those of their squares.
extern "C" __global__ void moments_of_samples(const float *patches, const float *decodes, Number count, Number area, Number samples,
                                              double *moments) {
    const Number pixel = thread_number();
    if (pixel >= count * area) return;
    const float *own = decodes + pixel / area * samples * area + pixel % area;
    const double weight = 1.0 / static_cast<double>(samples);
    double mean = 0, mean_square = 0;
    for (Number sample = 0; sample < samples; sample++) {
        const double difference = static_cast<double>(own[sample * area]) - static_cast<double>(patches[pixel]);
        mean += weight * difference;
        mean_square += weight * difference * difference;
    }
    moments[pixel] = mean;
    moments[count * area + pixel] = mean_square;
}
