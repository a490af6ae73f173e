//! How long layers take on the CPU, for benchmarks.

use crate::chain::Chain;
use crate::cpu::{
    Buffers, Packed, PreparedConv, multiply_rows, prepare_forward, prepare_input_gradient,
    write_weight_gradient,
};
use crate::geometry::{BiasRectifier, Layer, Size};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The times of one layer's passes over a batch.
#[derive(Clone, Copy, Debug)]
pub struct LayerTimes {
    /// Multiply-adds of each pass, by the plain algorithm.
    pub multiply_adds: u64,
    /// The time of the forward pass.
    pub forward: Duration,
    /// The time of the gradient with respect to the input.
    pub input_gradient: Duration,
    /// The time of the gradient with respect to the weights.
    pub weight_gradient: Duration,
}

/// Times each layer of a chain on a batch of `maps` maps of the given size, without rectifiers and biases: the shortest of `runs` runs.
///
/// ```
/// use convolutions::profile::time_layers;
/// use convolutions::{Chain, Conv2d, Direction, InputGradient, Layer, Size};
///
/// let conv = Conv2d { in_channels: 1, out_channels: 8, kernel: 3, stride: 1, padding: 1 };
/// let layer = Layer { conv, direction: Direction::Convolution, slope: None };
/// let chain = Chain::new(vec![layer], InputGradient::Skipped);
/// let times = time_layers(&chain, 2, Size { height: 10, width: 10 }, 1);
/// assert_eq!(times[0].multiply_adds, 2 * 10 * 10 * 3 * 3 * 8);
/// assert!(!times[0].forward.is_zero());
/// ```
pub fn time_layers(chain: &Chain, maps: usize, mut size: Size, runs: usize) -> Vec<LayerTimes> {
    let mut times = Vec::new();
    for layer in chain.layers() {
        let Some(output) = layer.output(size) else { break };
        times.push(time_layer(layer, maps, (size, output), runs));
        size = output;
    }
    times
}

fn time_layer(layer: &Layer, maps: usize, sizes: (Size, Size), runs: usize) -> LayerTimes {
    let (size, output) = sizes;
    let (channels, out_channels) = layer.channels();
    let values = |size: Size, channels: usize| vec![0.5; maps * size.pixels() * channels];
    let (input, gradient) = (values(size, channels), values(output, out_channels));
    let (weights, buffers) = (vec![0.5; layer.conv.weight_count()], Buffers::default());
    let run = |conv: PreparedConv, from: &[f32], results: usize| {
        let mut result = buffers.take(results);
        conv.run(from, BiasRectifier::default(), &buffers, &mut result);
    };
    LayerTimes {
        multiply_adds: maps as u64 * layer.multiply_adds(size).unwrap_or(0),
        forward: shortest(runs, || {
            run(prepare_forward(layer, &weights, sizes, &buffers), &input, gradient.len());
        }),
        input_gradient: shortest(runs, || {
            run(prepare_input_gradient(layer, &weights, sizes, &buffers), &gradient, input.len());
        }),
        weight_gradient: shortest(runs, || {
            let mut result = buffers.take(weights.len());
            let maps = [(&*input, size), (&*gradient, output)];
            write_weight_gradient(layer, maps[0], maps[1], &buffers, &mut result);
        }),
    }
}

/// The multiply-adds per second of matrix products that fit into the caches, one on each thread, by the micro-kernel of all
/// layers: the rate that layers would have if nothing but products took time.
pub fn product_rate(runs: usize) -> f64 {
    const ROWS: usize = 96;
    const TAPS: usize = 256;
    const CHANNELS: usize = 64;
    /// Enough that starting the threads takes no share of the time worth mention.
    const PRODUCTS: usize = 100;
    let (input, weights) = (vec![0.5; ROWS * TAPS], vec![0.5; TAPS * CHANNELS]);
    let weights = Packed::from_taps(&weights, CHANNELS, &Buffers::default());
    let multiply_all = |_: rayon::BroadcastContext<'_>| {
        let mut products = vec![0.0; ROWS * CHANNELS];
        for _ in 0..PRODUCTS {
            multiply_rows(black_box(&input), &weights, BiasRectifier::default(), &mut products);
        }
    };
    let time = shortest(runs, || rayon::broadcast(multiply_all));
    let products = PRODUCTS * rayon::current_num_threads();
    (products * ROWS * TAPS * CHANNELS) as f64 / time.as_secs_f64()
}

fn shortest<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    let mut time = || {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    // The first fills the caches.
    let warm_up = time();
    (0..runs).map(|_| time()).min().unwrap_or(warm_up)
}
