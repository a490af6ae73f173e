//! A layer of a chain, in both directions.

use super::buffer::Buffers;
use super::{Conv2d, Kernel, Size, weight_gradient};

/// A convolution in either direction, plus a bias, followed by a rectifier of the given slope below zero, if any.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// The convolution, or the one that is transposed.
    pub conv: Conv2d,
    /// Whether it is transposed.
    pub direction: Direction,
    /// Slope of the rectifier below zero, in [0, 1); linear if there is none.
    pub slope: Option<f32>,
}

/// The direction in which a layer applies its convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The convolution itself.
    Convolution,
    /// The transposed convolution, which is the gradient of the convolution with respect to its input.
    Transposed,
}

impl Layer {
    /// Channels of its input and of its output.
    pub fn channels(&self) -> (usize, usize) {
        let Conv2d { in_channels, out_channels, .. } = self.conv;
        match self.direction {
            Direction::Convolution => (in_channels, out_channels),
            Direction::Transposed => (out_channels, in_channels),
        }
    }

    /// The number of its weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.conv.weight_count() + self.channels().1
    }

    pub(super) fn output(&self, input: Size) -> Option<Size> {
        match self.direction {
            Direction::Convolution => self.conv.output(input),
            Direction::Transposed => self.conv.transposed_output(input),
        }
    }

    /// From maps of size `input` to the sums before the rectifier.
    pub(super) fn forward(
        &self,
        weights: &[f32],
        input: Size,
        output: Size,
        buffers: &Buffers,
    ) -> Kernel {
        let (conv, sizes) = (&self.conv, (input, output));
        match self.direction {
            Direction::Convolution => Kernel::convolution(conv, weights, sizes, buffers),
            Direction::Transposed => Kernel::input_gradient(conv, weights, sizes, buffers),
        }
    }

    /// From the gradient of the sums before the rectifier to that of the input.
    pub(super) fn input_gradient(
        &self,
        weights: &[f32],
        input: Size,
        output: Size,
        buffers: &Buffers,
    ) -> Kernel {
        let (conv, sizes) = (&self.conv, (output, input));
        match self.direction {
            Direction::Convolution => Kernel::input_gradient(conv, weights, sizes, buffers),
            Direction::Transposed => Kernel::convolution(conv, weights, sizes, buffers),
        }
    }

    /// Writes the gradient of the weights for that of the sums before the rectifier.
    pub(super) fn weight_gradient(
        &self,
        input: (&[f32], Size),
        gradient: (&[f32], Size),
        buffers: &Buffers,
        result: &mut [f32],
    ) {
        let (input, gradient) = match self.direction {
            Direction::Convolution => (input, gradient),
            Direction::Transposed => (gradient, input),
        };
        weight_gradient(&self.conv, input, gradient, buffers, result);
    }
}
