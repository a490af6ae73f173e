//! The gradients of rectifiers and biases.

use pulp::Arch;
use rayon::prelude::*;

/// Scales the gradient of a rectifier's output by its slope where the output is not positive. The output tells whether the
/// input was, since the slope is not negative.
pub fn rectify_gradient(gradient: &mut [f32], output: &[f32], slope: f32) {
    const CHUNK: usize = 1 << 14;
    let chunks = gradient.par_chunks_mut(CHUNK).zip(output.par_chunks(CHUNK));
    chunks.for_each(|(gradient, output)| {
        // What is captured by reference could be changed by the writes, which would keep the loop from vectors.
        Arch::new().dispatch(move || {
            for (gradient, &output) in gradient.iter_mut().zip(output) {
                *gradient *= if output > 0.0 { 1.0 } else { slope };
            }
        });
    });
}

/// Adds the sums of each of the channels of `values` `(…, channels)`: the gradient of a bias.
pub fn add_channel_sums(values: &[f32], sums: &mut [f32]) {
    /// Small enough that rounding errors stay small, and fixed, so that they are always the same.
    const PIXELS_PER_SUM: usize = 512;
    let channels = sums.len();
    let partial: Vec<Vec<f32>> = values
        .par_chunks(PIXELS_PER_SUM * channels)
        .map(|pixels| {
            let mut sums = vec![0.0; channels];
            Arch::new().dispatch(|| add_rows(pixels.chunks_exact(channels), &mut sums));
            sums
        })
        .collect();
    add_rows(partial.iter().map(Vec::as_slice), sums);
}

#[inline(always)]
fn add_rows<'a>(rows: impl Iterator<Item = &'a [f32]>, sums: &mut [f32]) {
    for row in rows {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}
