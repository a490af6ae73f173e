//! Transposed convolutions to few channels.
//!
//! A register tile of a few output channels would be mostly padding. Instead, each pixel of the gradient is multiplied with
//! the weights of all taps at once, and the products of the taps that meet in an output pixel are summed afterwards.

use super::passes::multiply_rows;
use crate::cpu::buffer::Buffers;
use crate::cpu::pack::Packed;
use crate::geometry::{BiasRectifier, Conv2d, Size};
use rayon::prelude::*;

/// A transposed convolution.
pub struct Fold {
    conv: Conv2d,
    /// To the products of all taps.
    weights: Packed,
    gradient: Size,
    output: Size,
}

impl Fold {
    /// As [`super::input_gradient`].
    pub fn new(
        conv: &Conv2d,
        weights: &[f32],
        (gradient, output): (Size, Size),
        buffers: &Buffers,
    ) -> Self {
        let columns = conv.kernel * conv.kernel * conv.in_channels;
        let weights = Packed::from_channels(&[weights], columns, buffers);
        Self { conv: *conv, weights, gradient, output }
    }

    /// As [`crate::cpu::convolution::PreparedConv::run`].
    pub fn run(
        &self,
        gradient: &[f32],
        bias_rectifier: BiasRectifier<'_>,
        buffers: &Buffers,
        result: &mut [f32],
    ) {
        let Self { conv, weights, .. } = self;
        let gradients = gradient.par_chunks_exact(self.gradient.pixels() * conv.out_channels);
        let results = result.par_chunks_exact_mut(self.output.pixels() * conv.in_channels);
        results.zip_eq(gradients).for_each_init(
            || buffers.take(self.gradient.pixels() * weights.channels),
            |products, (result, gradient)| {
                multiply_rows(gradient, weights, BiasRectifier::default(), products);
                self.sum(products, bias_rectifier, result);
            },
        );
    }

    /// Sums the products `(H', W', kernel, kernel, C_in)` of a map to `(H, W, C_in)`.
    fn sum(&self, products: &[f32], bias_rectifier: BiasRectifier<'_>, result: &mut [f32]) {
        let Conv2d { in_channels: channels, kernel, stride, padding, .. } = self.conv;
        let (columns, row) = (self.weights.channels, self.gradient.width * self.weights.channels);
        let slope = bias_rectifier.slope.unwrap_or(1.0);
        for (y, sums) in result.chunks_exact_mut(self.output.width * channels).enumerate() {
            match bias_rectifier.bias {
                Some(bias) => sums.chunks_exact_mut(channels).for_each(|s| s.copy_from_slice(bias)),
                None => sums.fill(0.0),
            }
            for tap_y in 0..kernel {
                let Some(source) = self.source(y, tap_y) else { continue };
                let products = &products[source * row..][..row];
                for tap_x in 0..kernel {
                    // Pixel x of the gradient meets pixel stride * x + tap - padding of the result.
                    let first = padding.saturating_sub(tap_x).div_ceil(stride);
                    let from = (first * stride + tap_x - padding) * channels;
                    let tap = first * columns + (tap_y * kernel + tap_x) * channels;
                    for channel in 0..channels {
                        let sums = sums.iter_mut().skip(from + channel).step_by(stride * channels);
                        let products = products.iter().skip(tap + channel).step_by(columns);
                        sums.zip(products).for_each(|(sum, &product)| *sum += product);
                    }
                }
            }
            for sum in sums {
                *sum = sum.max(*sum * slope);
            }
        }
    }

    /// The row of the gradient that meets row `y` of the result with a tap, if any.
    fn source(&self, y: usize, tap: usize) -> Option<usize> {
        let distance = (y + self.conv.padding).checked_sub(tap)?;
        let row = distance / self.conv.stride;
        (distance.is_multiple_of(self.conv.stride) && row < self.gradient.height).then_some(row)
    }
}
