//! The passes of a layer. A transposed layer changes places with its gradient.

use super::buffer::Buffers;
use super::convolution::{PreparedConv, weight_gradient};
use crate::geometry::{Direction, Layer, Size};

/// From maps of size `input` to the sums before bias and rectifier, of size `output`.
pub fn prepare_forward(
    layer: &Layer,
    weights: &[f32],
    (input, output): (Size, Size),
    buffers: &Buffers,
) -> PreparedConv {
    let sizes = (input, output);
    match layer.direction {
        Direction::Convolution => PreparedConv::forward(&layer.conv, weights, sizes, buffers),
        Direction::Transposed => PreparedConv::input_gradient(&layer.conv, weights, sizes, buffers),
    }
}

/// From the gradient of the sums, of size `output`, to that of the input.
pub fn prepare_input_gradient(
    layer: &Layer,
    weights: &[f32],
    (input, output): (Size, Size),
    buffers: &Buffers,
) -> PreparedConv {
    let sizes = (output, input);
    match layer.direction {
        Direction::Convolution => {
            PreparedConv::input_gradient(&layer.conv, weights, sizes, buffers)
        }
        Direction::Transposed => PreparedConv::forward(&layer.conv, weights, sizes, buffers),
    }
}

/// Writes the gradient of the weights for that of the sums.
pub fn write_weight_gradient(
    layer: &Layer,
    input: (&[f32], Size),
    gradient: (&[f32], Size),
    buffers: &Buffers,
    result: &mut [f32],
) {
    let (convolved, of_result) = match layer.direction {
        Direction::Convolution => (input, gradient),
        Direction::Transposed => (gradient, input),
    };
    weight_gradient(&layer.conv, convolved, of_result, buffers, result);
}
