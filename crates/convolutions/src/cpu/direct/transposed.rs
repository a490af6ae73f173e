//! The gradient of a convolution with respect to its input, which is the transposed convolution.
//!
//! Each residue class of the output's rows and columns modulo the stride, called a phase, meets its own taps of the kernel:
//! it is a convolution with stride 1 and those taps in reverse order.

use super::convolution::DirectConv;
use super::fold::Fold;
use super::passes::{Pass, Source};
use crate::cpu::buffer::Buffers;
use crate::cpu::gather::{Grid, Steps, Taps};
use crate::cpu::pack::{Border, Packed};
use crate::cpu::strip::widest_strip;
use crate::geometry::{Conv2d, Size};

/// As [`crate::cpu::convolution::PreparedConv::input_gradient`].
pub fn input_gradient(
    conv: &Conv2d,
    weights: &[f32],
    (gradient, output): (Size, Size),
    buffers: &Buffers,
) -> DirectConv {
    if conv.is_product(output) {
        let channels = conv.kernel * conv.kernel * conv.in_channels;
        return DirectConv::Product(Packed::from_channels(&[weights], channels, buffers));
    }
    if conv.in_channels * 4 <= widest_strip() {
        return DirectConv::Fold(Fold::new(conv, weights, (gradient, output), buffers));
    }
    let rows: Vec<Phase> = phases(conv, output.height).collect();
    let columns: Vec<Phase> = phases(conv, output.width).collect();
    let border = Border {
        before: (before(&rows), before(&columns)),
        after: (after(&rows, gradient.height), after(&columns, gradient.width)),
    };
    let padded_row = border.around(gradient).width * conv.out_channels;
    let pairs = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
    let passes: Vec<Pass> = pairs
        .map(|(row, column)| {
            let run = column.taps.len() * conv.out_channels;
            Pass {
                weights: phase_weights(conv, weights, (row, column), buffers),
                taps: Taps { rows: row.taps.len(), row_stride: padded_row, run },
                grid: grid(conv, (row, column), border, padded_row, output),
            }
        })
        .collect();
    let source = Source { size: gradient, channels: conv.out_channels, border };
    DirectConv::Passes { source, output, passes }
}

/// The output pixels of a phase in each direction, with `padded_row` the length of a padded row of the gradient.
fn grid(
    conv: &Conv2d,
    (row, column): (&Phase, &Phase),
    border: Border,
    padded_row: usize,
    output: Size,
) -> Grid {
    let (top, left) = (row.source_origin(border.before.0), column.source_origin(border.before.1));
    Grid {
        height: row.count,
        width: column.count,
        source: Steps {
            origin: top * padded_row + left * conv.out_channels,
            row: padded_row,
            column: conv.out_channels,
        },
        target: Steps {
            origin: (row.first * output.width + column.first) * conv.in_channels,
            row: conv.stride * output.width * conv.in_channels,
            column: conv.stride * conv.in_channels,
        },
    }
}

/// The rows (or columns) `first, first + stride, …` of a transposed convolution's output and the taps they meet.
struct Phase {
    first: usize,
    count: usize,
    /// Kernel rows, in the order of the source rows that they meet.
    taps: Vec<usize>,
    /// The source row that the last tap meets for the first output row.
    last_source: usize,
}

impl Phase {
    /// The padded source row that the first tap meets for the first output row.
    fn source_origin(&self, before: usize) -> usize {
        self.last_source + 1 + before - self.taps.len().max(1)
    }
}

/// The phases of an output of `size` rows.
fn phases(conv: &Conv2d, size: usize) -> impl Iterator<Item = Phase> {
    let &Conv2d { kernel, stride, padding, .. } = conv;
    (0..stride.min(size)).map(move |first| {
        let residue = (first + padding) % stride;
        let taps: Vec<usize> = (residue..kernel).step_by(stride).collect();
        Phase {
            first,
            count: (size - first).div_ceil(stride),
            taps: taps.into_iter().rev().collect(),
            last_source: (first + padding) / stride,
        }
    })
}

/// The zeros needed before a source so that every tap meets something.
fn before(phases: &[Phase]) -> usize {
    phases
        .iter()
        .map(|phase| phase.taps.len().saturating_sub(phase.last_source + 1))
        .max()
        .unwrap_or(0)
}

/// The zeros needed after a source of `size` rows so that every tap meets something.
fn after(phases: &[Phase], size: usize) -> usize {
    phases
        .iter()
        .map(|phase| (phase.last_source + phase.count).saturating_sub(size))
        .max()
        .unwrap_or(0)
}

fn phase_weights(
    conv: &Conv2d,
    weights: &[f32],
    (row, column): (&Phase, &Phase),
    buffers: &Buffers,
) -> Packed {
    let matrix = conv.in_channels * conv.out_channels;
    let blocks: Vec<&[f32]> = row
        .taps
        .iter()
        .flat_map(|&y| column.taps.iter().map(move |&x| y * conv.kernel + x))
        .map(|tap| &weights[tap * matrix..(tap + 1) * matrix])
        .collect();
    Packed::from_channels(&blocks, conv.in_channels, buffers)
}
