//! How long the layers of a chain take.

use super::chain::{Chain, Layer, Parameters};
use super::direct::multiply_rows;
use super::pack::Packed;
use super::{Epilogue, Maps};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// The times of one layer's passes over a batch.
pub(crate) struct LayerTimes {
    pub multiply_adds: u64,
    pub forward: Duration,
    pub input_gradient: Duration,
    pub weight_gradient: Duration,
}

impl Chain {
    /// Times each layer for inputs of the given size, without rectifiers and biases; the shortest of so many runs.
    pub fn time_layers(&self, mut maps: Maps, runs: usize) -> Vec<LayerTimes> {
        let mut times = Vec::new();
        for layer in self.layers() {
            let Some(output) = layer.output(maps) else { break };
            times.push(time_layer(layer, maps, output, runs));
            maps = output;
        }
        times
    }
}

fn time_layer(layer: &Layer, maps: Maps, output: Maps, runs: usize) -> LayerTimes {
    let (channels, out_channels) = layer.channels();
    let values = |maps: Maps, channels: usize| vec![0.5; maps.count * maps.pixels() * channels];
    let (input, gradient) = (values(maps, channels), values(output, out_channels));
    let (weights, bias) = (vec![0.5; layer.conv.weight_count()], vec![0.0; out_channels]);
    let parameters = Parameters { weights: &weights, bias: &bias };
    // Each weight meets each pixel of the smaller map once.
    let pixels = maps.count * maps.pixels().min(output.pixels());
    LayerTimes {
        multiply_adds: (pixels * weights.len()) as u64,
        forward: shortest(runs, || layer.forward(&input, maps, output, parameters)),
        input_gradient: shortest(runs, || layer.input_gradient(&gradient, output, maps, &weights)),
        weight_gradient: shortest(runs, || {
            layer.weight_gradient((&input, maps), (&gradient, output))
        }),
    }
}

/// The multiply-adds per second of matrix products that fit into the caches, one on each thread, by the micro-kernel of all
/// layers: what they could reach if nothing else took time.
pub(crate) fn product_rate(runs: usize) -> f64 {
    const ROWS: usize = 96;
    const TAPS: usize = 256;
    const CHANNELS: usize = 64;
    /// So many that starting the threads does not count.
    const PRODUCTS: usize = 100;
    let (input, weights) = (vec![0.5; ROWS * TAPS], vec![0.5; TAPS * CHANNELS]);
    let weights = Packed::from_taps(&weights, CHANNELS);
    let multiply_all = |_: rayon::BroadcastContext<'_>| {
        let mut products = vec![MaybeUninit::uninit(); ROWS * CHANNELS];
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
