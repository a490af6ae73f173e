//! Chains against candle's own convolutions, and their gradients against finite differences.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

mod gradients;
mod layers;

use crate::geometry::Conv2d;
use candle_core::{Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Values in [-1, 1) that depend on nothing but the seed.
pub(crate) fn noise(seed: u64, shape: &[usize]) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0f32)).collect();
    Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu).unwrap()
}

/// Convolutions that halve maps of 1 channel and `side` × `side` pixels, 32 or 128, until they are 8 × 8, and one that makes `outputs`
/// values of these: kernels of all sizes that have an algorithm of their own.
pub(crate) fn encoder(side: usize, outputs: usize) -> Vec<Conv2d> {
    let all = [(32, 4, 2), (32, 4, 2), (32, 3, 1), (64, 4, 2), (64, 3, 1), (128, 4, 2), (64, 3, 1)];
    let some = if side == 32 { &all[2..] } else { &all[..] };
    let mut in_channels = 1;
    let mut conv = |out_channels, kernel, stride, padding| {
        let conv = Conv2d { in_channels, out_channels, kernel, stride, padding };
        in_channels = out_channels;
        conv
    };
    let mut convs: Vec<_> =
        some.iter().map(|&(c, kernel, stride)| conv(c, kernel, stride, 1)).collect();
    convs.extend([conv(32, 3, 1, 1), conv(outputs, 8, 1, 0)]);
    convs
}

/// The same in reverse order, for layers that transpose them.
pub(crate) fn decoder(side: usize, outputs: usize) -> Vec<Conv2d> {
    encoder(side, outputs).into_iter().rev().collect()
}

pub(crate) fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
