//! The convolution and its gradients by the minimal algorithm that fits the kernel.

use super::algorithm::{F2x5, F3x2, F4x2, F4x3};
use super::blocks::BlockView;
use super::correlation::Correlation;
use super::sandwich::Strides;
use super::tap_gradient::TapGradient;
use super::taps::{Place, TransformedTaps};
use crate::cpu::buffer::{Buffer, Buffers};
use crate::cpu::strip::{strip_width, widest_strip};
use crate::geometry::{BiasRectifier, Conv2d, Size};
use rayon::prelude::*;

/// Whether there is an algorithm for a convolution. Strips of channels must not reach beyond a pixel of a block.
pub fn supports(conv: &Conv2d) -> bool {
    let strip = |channels| match conv.stride {
        1 => strip_width(channels),
        _ => widest_strip(),
    };
    let channels = [conv.in_channels, conv.out_channels];
    matches!((conv.kernel, conv.stride), (3 | 5, 1) | (4, 2))
        && channels.iter().all(|&channels| channels.is_multiple_of(strip(channels)))
}

/// Whether there is an algorithm for the gradient with respect to the weights, too.
pub fn supports_weight_gradient(conv: &Conv2d) -> bool {
    supports(conv) && conv.out_channels.is_multiple_of(widest_strip())
}

/// A convolution in either direction, with transformed weights, for maps of one size.
pub struct WinogradConv {
    correlation: Correlation,
    algorithm: Minimal,
}

/// A minimal algorithm.
#[derive(Clone, Copy)]
enum Minimal {
    F4x3,
    F2x5,
    F4x2,
    F3x2,
}

impl Minimal {
    /// The algorithm for a kernel; `strided` is the one for kernels of 4×4 at a stride of 2.
    fn of(conv: &Conv2d, strided: Self) -> Self {
        match (conv.kernel, conv.stride) {
            (3, 1) => Self::F4x3,
            (5, 1) => Self::F2x5,
            _ => strided,
        }
    }

    fn taps(
        self,
        weights: &[f32],
        channels: (usize, usize),
        place: impl Fn(usize, usize) -> Place + Sync,
        buffers: &Buffers,
    ) -> TransformedTaps {
        match self {
            Self::F4x3 => TransformedTaps::new::<F4x3, 3, 6>(weights, channels, place, buffers),
            Self::F2x5 => TransformedTaps::new::<F2x5, 5, 6>(weights, channels, place, buffers),
            Self::F4x2 => TransformedTaps::new::<F4x2, 2, 5>(weights, channels, place, buffers),
            Self::F3x2 => TransformedTaps::new::<F3x2, 2, 4>(weights, channels, place, buffers),
        }
    }
}

impl WinogradConv {
    /// As [`crate::cpu::convolution::PreparedConv::run`].
    pub fn run(
        &self,
        input: &[f32],
        bias_rectifier: BiasRectifier<'_>,
        buffers: &Buffers,
        result: &mut [f32],
    ) {
        let correlation = &self.correlation;
        match self.algorithm {
            Minimal::F4x3 => correlation.run::<F4x3, 4, 6>(input, bias_rectifier, buffers, result),
            Minimal::F2x5 => correlation.run::<F2x5, 2, 6>(input, bias_rectifier, buffers, result),
            Minimal::F4x2 => correlation.run::<F4x2, 4, 5>(input, bias_rectifier, buffers, result),
            Minimal::F3x2 => correlation.run::<F3x2, 3, 4>(input, bias_rectifier, buffers, result),
        }
    }
}

/// As [`crate::cpu::convolution::PreparedConv::forward`].
pub fn forward(
    conv: &Conv2d,
    weights: &[f32],
    (input, output): (Size, Size),
    buffers: &Buffers,
) -> WinogradConv {
    let (source, target) = views(conv, input, output);
    let place = |input, output| {
        let Place { first, taps } = place(conv, input);
        Place { first: first + output, taps }
    };
    let algorithm = Minimal::of(conv, Minimal::F4x2);
    let channels = (source.block_channels(), conv.out_channels);
    let taps = algorithm.taps(weights, channels, place, buffers);
    let blocks = (output.height, output.width);
    WinogradConv { correlation: Correlation { source, target, blocks, taps }, algorithm }
}

/// As [`crate::cpu::convolution::PreparedConv::input_gradient`].
pub fn input_gradient(
    conv: &Conv2d,
    weights: &[f32],
    (gradient, input): (Size, Size),
    buffers: &Buffers,
) -> WinogradConv {
    let &Conv2d { in_channels, out_channels, kernel, stride, padding } = conv;
    // Block r of the result is the sum over its taps p of pixel r - p of the gradient. The first in the result:
    let (taps, first) = (kernel / stride, padding / stride);
    let origin = first as isize + 1 - taps as isize;
    let source = BlockView { size: gradient, channels: out_channels, stride: 1, origin };
    let origin = (stride * first) as isize - padding as isize;
    let target = BlockView { size: input, channels: in_channels, stride, origin };
    let place = |input: usize, output: usize| {
        // The taps are met in reverse order.
        let (part, channel) = (output / in_channels, output % in_channels);
        let last = |part| part + stride * (taps - 1);
        let tap = last(part / stride) * kernel + last(part % stride);
        let step = (stride * in_channels * out_channels) as isize;
        let taps = Strides { row: -(kernel as isize) * step, column: -step };
        Place { first: (tap * out_channels + input) * in_channels + channel, taps }
    };
    let algorithm = Minimal::of(conv, Minimal::F3x2);
    let weights = swap_channels(weights, (in_channels, out_channels), buffers);
    let channels = (out_channels, target.block_channels());
    let taps = algorithm.taps(&weights, channels, place, buffers);
    let blocks = |pixels: usize| (pixels - 1 + padding) / stride - first + 1;
    let blocks = (blocks(input.height), blocks(input.width));
    WinogradConv { correlation: Correlation { source, target, blocks, taps }, algorithm }
}

/// As [`crate::cpu::convolution::weight_gradient`].
pub fn weight_gradient(
    conv: &Conv2d,
    (input, size): (&[f32], Size),
    (gradient, output): (&[f32], Size),
    buffers: &Buffers,
    result: &mut [f32],
) {
    let (source, target) = views(conv, size, output);
    let (input, gradient) = ((source, input), (target, gradient));
    let place = |input| place(conv, input);
    match Minimal::of(conv, Minimal::F4x2) {
        Minimal::F4x3 => {
            TapGradient::new::<F4x3, 4, 6>(input, gradient, buffers)
                .taps::<F4x3, 3, 6>(place, result);
        }
        Minimal::F2x5 => {
            TapGradient::new::<F2x5, 2, 6>(input, gradient, buffers)
                .taps::<F2x5, 5, 6>(place, result);
        }
        Minimal::F4x2 | Minimal::F3x2 => {
            TapGradient::new::<F4x2, 4, 5>(input, gradient, buffers)
                .taps::<F4x2, 2, 5>(place, result);
        }
    }
}

/// The views that a convolution reads and writes.
fn views(conv: &Conv2d, input: Size, output: Size) -> (BlockView, BlockView) {
    let &Conv2d { in_channels, out_channels, stride, padding, .. } = conv;
    let source =
        BlockView { size: input, channels: in_channels, stride, origin: -(padding as isize) };
    let target = BlockView { size: output, channels: out_channels, stride: 1, origin: 0 };
    (source, target)
}

/// Where the weights of a block channel of the input and the first output lie in `(kernel, kernel, C_in, C_out)`.
fn place(conv: &Conv2d, input: usize) -> Place {
    let &Conv2d { in_channels, out_channels, kernel, stride, .. } = conv;
    // The pixels of a row of a block, and so their weights, lie side by side.
    let (row, rest) = (input / (stride * in_channels), input % (stride * in_channels));
    let step = stride * in_channels * out_channels;
    let taps = Strides::new(kernel * step, step);
    Place { first: (row * kernel * in_channels + rest) * out_channels, taps }
}

/// From `(taps, rows, columns)` to `(taps, columns, rows)`.
fn swap_channels(weights: &[f32], (rows, columns): (usize, usize), buffers: &Buffers) -> Buffer {
    let mut swapped = buffers.take(weights.len());
    let taps = swapped.par_chunks_mut(rows * columns).zip(weights.par_chunks(rows * columns));
    taps.for_each(|(swapped, weights)| {
        for (column, swapped) in swapped.chunks_exact_mut(rows).enumerate() {
            for (swapped, weights) in swapped.iter_mut().zip(weights.chunks_exact(columns)) {
                *swapped = weights[column];
            }
        }
    });
    swapped
}
