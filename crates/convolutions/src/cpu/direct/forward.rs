//! The convolution.

use super::convolution::DirectConv;
use super::passes::{Pass, Source};
use crate::cpu::buffer::Buffers;
use crate::cpu::gather::{Grid, Steps, Taps};
use crate::cpu::pack::{Border, Packed};
use crate::geometry::{Conv2d, Size};

/// As [`crate::cpu::convolution::PreparedConv::forward`].
pub fn forward(
    conv: &Conv2d,
    weights: &[f32],
    (input, output): (Size, Size),
    buffers: &Buffers,
) -> DirectConv {
    let weights = Packed::from_taps(weights, conv.out_channels, buffers);
    if conv.is_product(input) {
        return DirectConv::Product(weights);
    }
    let border = Border::of(conv);
    let row = border.around(input).width * conv.in_channels;
    let taps = Taps { rows: conv.kernel, row_stride: row, run: conv.kernel * conv.in_channels };
    let pass = Pass { weights, taps, grid: grid(conv, row, output) };
    let source = Source { size: input, channels: conv.in_channels, border };
    DirectConv::Passes { source, output, passes: vec![pass] }
}

/// All output pixels, with `row` the length of a padded row of the input.
fn grid(conv: &Conv2d, row: usize, output: Size) -> Grid {
    let (channels, out_channels) = (conv.in_channels, conv.out_channels);
    Grid {
        height: output.height,
        width: output.width,
        source: Steps { origin: 0, row: conv.stride * row, column: conv.stride * channels },
        target: Steps { origin: 0, row: output.width * out_channels, column: out_channels },
    }
}
