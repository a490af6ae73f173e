//! Two-dimensional convolutions on the CPU, forwards and backwards.
//!
//! Three primitives cover the network: the convolution, its gradient with respect to the input (which *is* the
//! transposed convolution) and its gradient with respect to the weights. Activations are channels-last, `(N, H, W, C)`,
//! and weights `(kernel, kernel, C_in, C_out)`, because then
//!
//! - the inputs below one row of a kernel are contiguous, so that no patch matrix needs to be gathered;
//! - a vector register holds neighbouring channels, whatever the size of the map, down to 1×1.
//!
//! [`winograd`] holds algorithms with fewer multiplications for the layers that they suit, [`direct`] the plain sums for all
//! others. The work is split over threads by maps, tiles or weights, never within a sum: results are the same for any number
//! of threads.

mod buffer;
mod chain;
mod direct;
mod gather;
mod pack;
mod profile;
mod simd;
#[cfg(test)]
mod tests;
mod winograd;

pub(crate) use chain::{Chain, Direction, InputGradient, Layer, Mode, contiguous, with_values};
pub(crate) use profile::product_rate;

/// The geometry of a convolution with a square kernel and equal stride and zero padding in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv2d {
    /// Channels of the convolved map.
    pub in_channels: usize,
    /// Channels of the result.
    pub out_channels: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

/// The number of maps in a batch and their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Maps {
    pub count: usize,
    pub height: usize,
    pub width: usize,
}

impl Maps {
    fn pixels(&self) -> usize {
        self.height * self.width
    }
}

impl Conv2d {
    /// The size of the result, `None` if the kernel is larger than the padded input.
    pub fn output(&self, input: Maps) -> Option<Maps> {
        let side = |size: usize| {
            Some((size + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1)
        };
        Some(Maps { height: side(input.height)?, width: side(input.width)?, ..input })
    }

    /// The size of the result of the transposed convolution, `None` if the padding leaves nothing.
    pub fn transposed_output(&self, input: Maps) -> Option<Maps> {
        let side = |size: usize| {
            let full = size.checked_sub(1)? * self.stride + self.kernel;
            full.checked_sub(2 * self.padding).filter(|&side| side > 0)
        };
        Some(Maps { height: side(input.height)?, width: side(input.width)?, ..input })
    }

    /// The shape of the weights, `(kernel, kernel, C_in, C_out)`.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.kernel, self.kernel, self.in_channels, self.out_channels]
    }

    /// The number of weights, without biases.
    pub fn weight_count(&self) -> usize {
        self.weight_shape().iter().product()
    }

    /// Whether the kernel covers an unpadded input exactly once, so that the convolution is a matrix product.
    fn is_dense(&self, input: Maps) -> bool {
        self.padding == 0 && input.height == self.kernel && input.width == self.kernel
    }
}

/// What is done with a sum before it is stored: add the bias of its channel, then apply a rectifier.
#[derive(Clone, Copy, Default)]
pub(crate) struct Epilogue<'a> {
    /// One value per output channel.
    pub bias: Option<&'a [f32]>,
    /// Slope below zero, in [0, 1); linear if there is none.
    pub slope: Option<f32>,
}

/// What a convolution in either direction is applied to.
#[derive(Clone, Copy)]
struct Operands<'a> {
    /// Maps `(N, H, W, C)`, channels of the convolved map or of the result.
    input: &'a [f32],
    /// The size of the input.
    maps: Maps,
    /// `(kernel, kernel, C_in, C_out)`
    weights: &'a [f32],
    /// The size of the result, which that of the input does not tell where a stride leaves a remainder.
    output: Maps,
    epilogue: Epilogue<'a>,
}

/// The convolution of `(N, H, W, C_in)`: `(N, H', W', C_out)`.
fn convolve(conv: &Conv2d, operands: Operands<'_>) -> Vec<f32> {
    match winograd::supports(conv) {
        true => winograd::convolve(conv, operands),
        false => direct::convolve(conv, operands),
    }
}

/// The gradient with respect to the input, `(N, H, W, C_in)`, for a gradient of the result `(N, H', W', C_out)`; and, with
/// an epilogue, the transposed convolution.
fn input_gradient(conv: &Conv2d, operands: Operands<'_>) -> Vec<f32> {
    match winograd::supports(conv) {
        true => winograd::input_gradient(conv, operands),
        false => direct::input_gradient(conv, operands),
    }
}

/// The gradient with respect to the weights, `(kernel, kernel, C_in, C_out)`, for an input `(N, H, W, C_in)` and a
/// gradient of the result `(N, H', W', C_out)`.
fn weight_gradient(
    conv: &Conv2d,
    input: &[f32],
    maps: Maps,
    gradient: &[f32],
    output: Maps,
) -> Vec<f32> {
    match winograd::supports(conv) {
        true => winograd::weight_gradient(conv, input, maps, gradient, output),
        false => direct::weight_gradient(conv, input, maps, gradient, output),
    }
}
