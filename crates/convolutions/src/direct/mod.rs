//! The plain sums of products, for all kernels.

mod convolution;
mod fold;
mod passes;
mod transposed;
mod weight_gradient;

use super::buffer::Buffers;
use super::pack::Packed;
use super::{Epilogue, Size};
pub use convolution::convolution;
use passes::{Pass, Source, run_passes};
pub use passes::{multiply, multiply_rows};
pub use transposed::input_gradient;
pub use weight_gradient::weight_gradient;

/// A convolution in either direction.
pub enum Kernel {
    /// A matrix product.
    Product(Packed),
    /// Sets of taps over padded maps.
    Passes { source: Source, output: Size, passes: Vec<Pass> },
    /// Products that are summed afterwards.
    Fold(fold::Fold),
}

impl Kernel {
    /// As [`super::Kernel::run`].
    pub fn run(
        &self,
        input: &[f32],
        epilogue: Epilogue<'_>,
        buffers: &Buffers,
        result: &mut [f32],
    ) {
        match self {
            Self::Product(weights) => {
                // A result of several pixels is a row of the product.
                let bias = epilogue.bias.map(|bias| bias.repeat(weights.channels / bias.len()));
                multiply(input, weights, Epilogue { bias: bias.as_deref(), ..epilogue }, result);
            }
            Self::Passes { source, output, passes } => {
                run_passes(passes, (*source, input), epilogue, buffers, (*output, result));
            }
            Self::Fold(fold) => fold.run(input, epilogue, buffers, result),
        }
    }
}
