//! Chains on a GPU.
//!
//! What is launched in which order, on which parts of which arrays, is written here for any [`Backend`], so that tests run all of it
//! on the CPU; [`cuda`] is the backend that counts. Convolutions are matrix products of [`columns`], unless a backend has better ones:
//! [`tiles`] are gathered without writing columns.

mod chain;
mod columns;
#[cfg(feature = "cuda")]
pub(super) mod cuda;
#[cfg(test)]
mod emulated;
mod part;
#[cfg(test)]
mod reference;
mod rows;
#[cfg(test)]
mod tests;
mod tiles;

use self::columns::{Geometry, Product};
use self::part::{Part, PartMut};
use super::{Conv2d, Size};
use candle_core::Result;
use std::ops::Range;

/// A convolution of so many maps.
#[derive(Clone, Copy, Debug)]
struct Problem {
    conv: Conv2d,
    maps: usize,
    /// Of the convolved maps.
    input: Size,
    /// Of the result.
    output: Size,
}

impl Problem {
    /// Values of a convolved map and of its result.
    fn lengths(&self) -> (usize, usize) {
        let Conv2d { in_channels, out_channels, .. } = self.conv;
        (self.input.pixels() * in_channels, self.output.pixels() * out_channels)
    }
}

/// What is done with a sum before it is stored, as [`super::Epilogue`], or with a gradient.
struct Epilogue<'a, A> {
    bias: Option<Part<'a, A>>,
    /// Of a gradient: the outputs of the rectifier that it goes back through, which tell where the slope applies.
    outputs: Option<Part<'a, A>>,
    /// Slope of the rectifier below zero; 1 if there is none.
    slope: f32,
}

impl<A> Epilogue<'_, A> {
    fn none() -> Self {
        Self { bias: None, outputs: None, slope: 1.0 }
    }

    /// For some of the sums.
    fn part(self, range: Range<usize>) -> Self {
        Self { outputs: self.outputs.map(|outputs| outputs.part(range)), ..self }
    }

    fn is_none(&self) -> bool {
        self.bias.is_none() && self.slope == 1.0
    }
}

impl<A> Clone for Epilogue<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Epilogue<'_, A> {}

/// A matrix whose rows are to be added up.
struct Matrix<'a, A> {
    values: Part<'a, A>,
    rows: usize,
    /// Where the sums go.
    to: Range<usize>,
}

/// A result that is the sum of so many rows.
struct Shares<A> {
    array: A,
    count: usize,
}

/// A device that computes with arrays of its own, one operation after the other.
trait Backend {
    /// Values in single precision.
    type Array;

    /// The most values that columns may have at a time; more maps are taken in turn.
    fn most_columns(&self) -> usize {
        // 256 MiB: batches of 128 patches of the paper's network go through their largest layer at once.
        1 << 26
    }

    /// An array of so many values that nothing was written to yet.
    fn allocate(&self, len: usize) -> Result<Self::Array>;

    /// Writes the inputs of each pixel of the result into a row of `columns`, from the first one on.
    fn unfold(
        &self,
        geometry: &Geometry,
        maps: Part<'_, Self::Array>,
        columns: &mut Self::Array,
    ) -> Result<()>;

    /// Adds the rows of `columns`, from the first one on, up to maps again, and finishes them.
    fn fold(
        &self,
        geometry: &Geometry,
        columns: &Self::Array,
        epilogue: Epilogue<'_, Self::Array>,
        maps: PartMut<'_, Self::Array>,
    ) -> Result<()>;

    /// A product of matrices, row by row.
    fn multiply(
        &self,
        product: &Product,
        left: Part<'_, Self::Array>,
        right: Part<'_, Self::Array>,
        result: PartMut<'_, Self::Array>,
    ) -> Result<()>;

    /// Finishes sums `(…, channels)` in place.
    fn finish(
        &self,
        channels: usize,
        epilogue: Epilogue<'_, Self::Array>,
        values: &mut Self::Array,
    ) -> Result<()>;

    /// The gradient of what was rectified, for that of the output.
    fn rectify_backward(
        &self,
        slope: f32,
        output: Part<'_, Self::Array>,
        gradient: Part<'_, Self::Array>,
    ) -> Result<Self::Array>;

    /// The sums of the rows of matrices, in an order that is always the same.
    fn add_rows(&self, matrices: &[Matrix<'_, Self::Array>], sums: &mut Self::Array) -> Result<()>;

    /// The convolution with weights `(kernel, kernel, C_in, C_out)`.
    fn convolution(
        &self,
        problem: &Problem,
        input: Part<'_, Self::Array>,
        weights: Part<'_, Self::Array>,
        epilogue: Epilogue<'_, Self::Array>,
        result: &mut Self::Array,
    ) -> Result<()> {
        columns::convolution(self, problem, input, weights, epilogue, result)
    }

    /// The convolution's gradient with respect to its input, which is the transposed convolution.
    fn input_gradient(
        &self,
        problem: &Problem,
        gradient: Part<'_, Self::Array>,
        weights: Part<'_, Self::Array>,
        epilogue: Epilogue<'_, Self::Array>,
        result: &mut Self::Array,
    ) -> Result<()> {
        columns::input_gradient(self, problem, gradient, weights, epilogue, result)
    }

    /// The convolution's gradient with respect to its weights, or parts of it that are still to be added up.
    fn weight_gradient(
        &self,
        problem: &Problem,
        input: Part<'_, Self::Array>,
        gradient: Part<'_, Self::Array>,
        result: PartMut<'_, Self::Array>,
    ) -> Result<Option<Shares<Self::Array>>> {
        columns::weight_gradient(self, problem, input, gradient, result).map(|()| None)
    }
}
