//! How long the layers of a chain take.

use super::buffer::Buffers;
use super::chain::Chain;
use super::direct::multiply_rows;
use super::pack::Packed;
use super::{Epilogue, Kernel, Layer, Size};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The times of one layer's passes over a batch.
pub struct LayerTimes {
    /// Multiply-adds of each pass, by the plain algorithm.
    pub multiply_adds: u64,
    /// Of the layer.
    pub forward: Duration,
    /// Of its gradient with respect to the input.
    pub input_gradient: Duration,
    /// Of its gradient with respect to the weights.
    pub weight_gradient: Duration,
}

impl Chain {
    /// Times each layer for so many inputs of the given size, without rectifiers and biases; the shortest of so many runs.
    pub fn time_layers(&self, maps: usize, mut size: Size, runs: usize) -> Vec<LayerTimes> {
        let mut times = Vec::new();
        for layer in self.layers() {
            let Some(output) = layer.output(size) else { break };
            times.push(time_layer(layer, maps, (size, output), runs));
            size = output;
        }
        times
    }
}

fn time_layer(layer: &Layer, maps: usize, (size, output): (Size, Size), runs: usize) -> LayerTimes {
    let (channels, out_channels) = layer.channels();
    let values = |size: Size, channels: usize| vec![0.5; maps * size.pixels() * channels];
    let (input, gradient) = (values(size, channels), values(output, out_channels));
    let (weights, buffers) = (vec![0.5; layer.conv.weight_count()], Buffers::default());
    let run = |kernel: Kernel, from: &[f32], results: usize| {
        let mut result = buffers.take(results);
        kernel.run(from, Epilogue::default(), &buffers, &mut result);
    };
    // Each weight meets each pixel of the smaller map once.
    let pixels = maps * size.pixels().min(output.pixels());
    LayerTimes {
        multiply_adds: (pixels * weights.len()) as u64,
        forward: shortest(runs, || {
            run(layer.forward(&weights, size, output, &buffers), &input, gradient.len());
        }),
        input_gradient: shortest(runs, || {
            run(layer.input_gradient(&weights, size, output, &buffers), &gradient, input.len());
        }),
        weight_gradient: shortest(runs, || {
            let mut result = buffers.take(weights.len());
            layer.weight_gradient((&input, size), (&gradient, output), &buffers, &mut result);
        }),
    }
}

/// The multiply-adds per second of matrix products that fit into the caches, one on each thread, by the micro-kernel of all
/// layers: what they could reach if nothing else took time.
pub fn product_rate(runs: usize) -> f64 {
    const ROWS: usize = 96;
    const TAPS: usize = 256;
    const CHANNELS: usize = 64;
    /// So many that starting the threads does not count.
    const PRODUCTS: usize = 100;
    let (input, weights) = (vec![0.5; ROWS * TAPS], vec![0.5; TAPS * CHANNELS]);
    let weights = Packed::from_taps(&weights, CHANNELS, &Buffers::default());
    let multiply_all = |_: rayon::BroadcastContext<'_>| {
        let mut products = vec![0.0; ROWS * CHANNELS];
        for _ in 0..PRODUCTS {
            multiply_rows(black_box(&input), &weights, Epilogue::default(), &mut products);
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
