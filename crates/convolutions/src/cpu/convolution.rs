//! A convolution in either direction, by the algorithm that suits it.

use super::buffer::Buffers;
use super::direct::{self, DirectConv};
use super::winograd::{self, WinogradConv};
use crate::geometry::{BiasRectifier, Conv2d, Size};

/// A convolution in either direction for maps of one size, its weights in the order in which they are read.
pub enum PreparedConv {
    Direct(DirectConv),
    Winograd(WinogradConv),
}

impl PreparedConv {
    /// The convolution with weights `(kernel, kernel, C_in, C_out)`, for the sizes of its input and its result.
    pub fn forward(conv: &Conv2d, weights: &[f32], sizes: (Size, Size), buffers: &Buffers) -> Self {
        match winograd::supports(conv) {
            true => Self::Winograd(winograd::forward(conv, weights, sizes, buffers)),
            false => Self::Direct(direct::forward(conv, weights, sizes, buffers)),
        }
    }

    /// The convolution's gradient with respect to its input, which is the transposed convolution. `sizes` are those of the gradient and
    /// of the input; the former alone does not tell the latter where a stride leaves a remainder.
    pub fn input_gradient(
        conv: &Conv2d,
        weights: &[f32],
        sizes: (Size, Size),
        buffers: &Buffers,
    ) -> Self {
        match winograd::supports(conv) {
            true => Self::Winograd(winograd::input_gradient(conv, weights, sizes, buffers)),
            false => Self::Direct(direct::input_gradient(conv, weights, sizes, buffers)),
        }
    }

    /// Writes the results for a batch of maps, `(N, H, W, C)` each.
    pub fn run(
        &self,
        input: &[f32],
        bias_rectifier: BiasRectifier<'_>,
        buffers: &Buffers,
        result: &mut [f32],
    ) {
        match self {
            Self::Direct(conv) => conv.run(input, bias_rectifier, buffers, result),
            Self::Winograd(conv) => conv.run(input, bias_rectifier, buffers, result),
        }
    }
}

/// Writes the gradient with respect to the weights, `(kernel, kernel, C_in, C_out)`, for an input `(N, H, W, C_in)` and a
/// gradient of the result `(N, H', W', C_out)`.
pub fn weight_gradient(
    conv: &Conv2d,
    input: (&[f32], Size),
    gradient: (&[f32], Size),
    buffers: &Buffers,
    result: &mut [f32],
) {
    match winograd::supports_weight_gradient(conv) {
        true => winograd::weight_gradient(conv, input, gradient, buffers, result),
        false => direct::weight_gradient(conv, input, gradient, buffers, result),
    }
}
