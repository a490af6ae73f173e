//! A convolution in either direction by plain sums.

use super::fold::Fold;
use super::passes::{Pass, Source, multiply, run_passes};
use crate::cpu::buffer::Buffers;
use crate::cpu::pack::Packed;
use crate::geometry::{BiasRectifier, Size};

/// A convolution in either direction, with packed weights, for maps of one size.
pub enum DirectConv {
    /// A matrix product.
    Product(Packed),
    /// Sets of taps over padded maps.
    Passes { source: Source, output: Size, passes: Vec<Pass> },
    /// Products that are summed afterwards.
    Fold(Fold),
}

impl DirectConv {
    /// As [`crate::cpu::convolution::PreparedConv::run`].
    pub fn run(
        &self,
        input: &[f32],
        bias_rectifier: BiasRectifier<'_>,
        buffers: &Buffers,
        result: &mut [f32],
    ) {
        match self {
            Self::Product(weights) => {
                // A result of several pixels is a row of the product.
                let repeat = |bias: &[f32]| bias.repeat(weights.channels / bias.len());
                let bias = bias_rectifier.bias.map(repeat);
                let bias_rectifier = BiasRectifier { bias: bias.as_deref(), ..bias_rectifier };
                multiply(input, weights, bias_rectifier, result);
            }
            Self::Passes { source, output, passes } => {
                run_passes(passes, (*source, input), bias_rectifier, buffers, (*output, result));
            }
            Self::Fold(fold) => fold.run(input, bias_rectifier, buffers, result),
        }
    }
}
