//! Transposed convolutions to few channels.
//!
//! A register tile of a few output channels would be mostly padding. Instead, each pixel of the gradient is multiplied with
//! the weights of all taps at once, and the products of the taps that meet in an output pixel are summed afterwards.
#![expect(unsafe_code, reason = "results are written to memory that was not zeroed")]

use super::passes::multiply_rows;
use crate::conv::buffer::filled;
use crate::conv::pack::Packed;
use crate::conv::{Conv2d, Epilogue, Maps, Operands};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// As [`super::input_gradient`].
pub fn input_gradient(conv: &Conv2d, operands: Operands<'_>) -> Vec<f32> {
    let Operands { input: gradient, maps, weights, output, epilogue } = operands;
    assert_eq!(gradient.len(), output.count * maps.pixels() * conv.out_channels);
    let columns = conv.kernel * conv.kernel * conv.in_channels;
    let weights = Packed::from_channels(&[weights], columns);
    let results = output.pixels() * conv.in_channels;
    let run = |target: &mut [MaybeUninit<f32>]| {
        target
            .par_chunks_mut(results)
            .zip(gradient.par_chunks(maps.pixels() * conv.out_channels))
            .for_each(|(target, gradient)| {
                let multiply = |products: &mut [MaybeUninit<f32>]| {
                    multiply_rows(gradient, &weights, Epilogue::default(), products);
                };
                // SAFETY: there is a row of products for each pixel of the gradient.
                let products = unsafe { filled(maps.pixels() * columns, multiply) };
                fold(conv, &products, maps, output, epilogue, target);
            });
    };
    // SAFETY: there is a gradient for each map, and all rows of a map are written.
    unsafe { filled(output.count * results, run) }
}

/// Sums the products `(H', W', kernel, kernel, C_in)` of a map to `(H, W, C_in)`.
fn fold(
    conv: &Conv2d,
    products: &[f32],
    maps: Maps,
    output: Maps,
    epilogue: Epilogue<'_>,
    target: &mut [MaybeUninit<f32>],
) {
    let &Conv2d { in_channels: channels, kernel, stride, padding, .. } = conv;
    let columns = kernel * kernel * channels;
    let slope = epilogue.slope.unwrap_or(1.0);
    let mut sums = vec![0.0; output.width * channels];
    for (y, target) in target.chunks_exact_mut(output.width * channels).enumerate() {
        match epilogue.bias {
            Some(bias) => sums.chunks_exact_mut(channels).for_each(|s| s.copy_from_slice(bias)),
            None => sums.fill(0.0),
        }
        for tap_y in 0..kernel {
            let Some(row) = source(y, tap_y, conv).filter(|&row| row < maps.height) else {
                continue;
            };
            let products = &products[row * maps.width * columns..][..maps.width * columns];
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
        for (target, &sum) in target.iter_mut().zip(&sums) {
            target.write(sum.max(sum * slope));
        }
    }
}

/// The row of the gradient that meets row `y` of the result with a tap, if any. It may lie below the gradient.
fn source(y: usize, tap: usize, conv: &Conv2d) -> Option<usize> {
    let distance = (y + conv.padding).checked_sub(tap)?;
    distance.is_multiple_of(conv.stride).then_some(distance / conv.stride)
}
