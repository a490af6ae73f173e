//! The convolution.

use super::passes::{Pass, Source, multiply, run_passes};
use crate::conv::gather::{Grid, Steps, Taps};
use crate::conv::pack::{Border, Packed};
use crate::conv::{Conv2d, Maps, Operands};

/// As [`crate::conv::convolve`].
pub fn convolve(conv: &Conv2d, operands: Operands<'_>) -> Vec<f32> {
    let Operands { input, maps, weights, output, epilogue } = operands;
    let weights = Packed::from_taps(weights, conv.out_channels);
    if conv.is_dense(maps) {
        return multiply(input, maps.count, &weights, epilogue);
    }
    let border = Border::of(conv);
    let row = border.around(maps).width * conv.in_channels;
    let taps = Taps { rows: conv.kernel, row_stride: row, run: conv.kernel * conv.in_channels };
    let pass = Pass { weights, taps, grid: grid(conv, row, output) };
    let source = Source { data: input, maps, channels: conv.in_channels, border };
    run_passes(&[pass], source, output, epilogue)
}

/// All output pixels, with `row` the length of a padded row of the input.
fn grid(conv: &Conv2d, row: usize, output: Maps) -> Grid {
    let (channels, out_channels) = (conv.in_channels, conv.out_channels);
    Grid {
        height: output.height,
        width: output.width,
        source: Steps { origin: 0, row: conv.stride * row, column: conv.stride * channels },
        target: Steps { origin: 0, row: output.width * out_channels, column: out_channels },
    }
}
