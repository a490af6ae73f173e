//! The gradient of a convolution with respect to its weights.

use crate::cpu::buffer::{Buffer, Buffers};
use crate::cpu::pack::{Border, pad_batch};
use crate::cpu::simd::Correlate;
use crate::cpu::strip::widest_strip;
use crate::geometry::{Conv2d, Size};
use rayon::prelude::*;

/// As [`crate::cpu::convolution::weight_gradient`].
pub fn weight_gradient(
    conv: &Conv2d,
    (input, size): (&[f32], Size),
    (gradient, output): (&[f32], Size),
    buffers: &Buffers,
    result: &mut [f32],
) {
    if input.is_empty() {
        return result.fill(0.0);
    }
    let border = Border::of(conv);
    let input = pad_batch(input, size, conv.in_channels, border, buffers);
    let channels = conv.out_channels.next_multiple_of(widest_strip());
    let wide;
    let gradient = match channels == conv.out_channels {
        true => gradient,
        false => {
            wide = widen(gradient, conv.out_channels, channels, buffers);
            &*wide
        }
    };
    let row = border.around(size).width * conv.in_channels;
    let run = conv.kernel * conv.in_channels;
    let blocks = Blocks::new(conv, size, output, gradient.len() / channels);

    result.par_chunks_mut(run * conv.out_channels).enumerate().for_each(|(kernel_row, result)| {
        let chunks = result.par_chunks_mut(WEIGHTS_PER_TASK * conv.out_channels);
        chunks.enumerate().for_each(|(chunk, result)| {
            let first = kernel_row * row + chunk * WEIGHTS_PER_TASK;
            let mut sums = buffers.zeros(result.len() / conv.out_channels * channels);
            blocks.correlate(&input, first, gradient, channels, &mut sums);
            for (result, sums) in
                result.chunks_exact_mut(conv.out_channels).zip(sums.chunks_exact(channels))
            {
                result.copy_from_slice(&sums[..conv.out_channels]);
            }
        });
    });
}

/// Weights of one kernel row whose gradients are computed together: a few register tiles, so that tasks are many.
const WEIGHTS_PER_TASK: usize = 48;
/// Output pixels whose gradients are read together; with 32 channels they fill half of a first-level cache.
const PIXELS_PER_BLOCK: usize = 128;

/// How the output pixels of a batch are cut into blocks of whole rows for the weight gradient.
struct Blocks {
    maps: usize,
    map_step: usize,
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl Blocks {
    /// The blocks of a batch whose outputs have `pixels` pixels in all.
    fn new(conv: &Conv2d, input: Size, output: Size, pixels: usize) -> Self {
        let padded = Border::of(conv).around(input);
        let map_step = padded.pixels() * conv.in_channels;
        let (row_step, column_step) =
            (conv.stride * padded.width * conv.in_channels, conv.stride * conv.in_channels);
        let maps = pixels / output.pixels();
        if conv.is_dense(input) {
            // One pixel per map: the maps take the place of the columns.
            let (columns, column_step) = (maps, map_step);
            return Self { maps: 1, map_step: 0, rows: 1, columns, row_step: 0, column_step };
        }
        let (rows, columns) = (output.height, output.width);
        Self { maps, map_step, rows, columns, row_step, column_step }
    }

    /// Adds the products of inputs from `first` on and gradients of all blocks to `sums`, in the order of the pixels.
    fn correlate(
        &self,
        input: &[f32],
        first: usize,
        gradient: &[f32],
        channels: usize,
        sums: &mut [f32],
    ) {
        let rows_per_block = (PIXELS_PER_BLOCK / self.columns).clamp(1, self.rows);
        for map in 0..self.maps {
            for row in (0..self.rows).step_by(rows_per_block) {
                let rows = rows_per_block.min(self.rows - row);
                let pixel = (map * self.rows + row) * self.columns;
                let gradient = &gradient[pixel * channels..][..rows * self.columns * channels];
                Correlate {
                    input: &input[first + map * self.map_step + row * self.row_step..],
                    gradient,
                    rows,
                    columns: self.columns,
                    column_step: self.column_step,
                    row_step: self.row_step,
                    sums,
                    channels,
                }
                .run();
            }
        }
    }
}

/// Fills the rows of a matrix up with zeros.
fn widen(matrix: &[f32], from: usize, to: usize, buffers: &Buffers) -> Buffer {
    let mut wide = buffers.zeros(matrix.len() / from * to);
    for (wide, row) in wide.chunks_exact_mut(to).zip(matrix.chunks_exact(from)) {
        wide[..from].copy_from_slice(row);
    }
    wide
}
