//! The operations that a device has for chains.

use super::array::{ArrayView, ArrayViewMut};
use super::problem::{Geometry, MatrixProduct, Problem};
use candle_core::Result;
use std::ops::Range;

/// The last operations on a sum before it is stored: a bias and a rectifier, or the gradient of a rectifier.
pub struct Epilogue<'a, A> {
    pub bias: Option<ArrayView<'a, A>>,
    /// For a gradient: the outputs of the rectifier that it goes back through. The slope applies where they are not positive.
    pub outputs: Option<ArrayView<'a, A>>,
    /// Slope of the rectifier below zero; 1 if there is none.
    pub slope: f32,
}

impl<A> Epilogue<'_, A> {
    pub fn none() -> Self {
        Self { bias: None, outputs: None, slope: 1.0 }
    }

    /// For some of the sums.
    pub fn part(self, range: Range<usize>) -> Self {
        Self { outputs: self.outputs.map(|outputs| outputs.part(range)), ..self }
    }

    pub fn is_none(&self) -> bool {
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
pub struct Reduction<'a, A> {
    pub values: ArrayView<'a, A>,
    pub rows: usize,
    /// Where the sums go.
    pub to: Range<usize>,
}

/// Partial sums of a product whose inner dimension was split (split-K): a matrix with a row for each of `count` splits. Their sum is the
/// product.
pub struct PartialSums<A> {
    pub array: A,
    pub count: usize,
}

/// A device that computes with arrays of its own, one operation after the other.
pub trait Backend {
    /// Values in single precision.
    type Array;

    /// The most values that columns may have at a time; more maps are taken in turn.
    fn most_columns(&self) -> usize {
        // 256 MiB: batches of 128 patches of the paper's network go through their largest layer at once.
        1 << 26
    }

    /// An uninitialised array of `len` values.
    fn allocate(&self, len: usize) -> Result<Self::Array>;

    /// Writes the inputs of each pixel of the result into a row of `columns`, from the first one on.
    fn unfold(
        &self,
        geometry: &Geometry,
        maps: ArrayView<'_, Self::Array>,
        columns: &mut Self::Array,
    ) -> Result<()>;

    /// Adds the rows of `columns`, from the first one on, up to maps again, and finishes them.
    fn fold(
        &self,
        geometry: &Geometry,
        columns: &Self::Array,
        epilogue: Epilogue<'_, Self::Array>,
        maps: ArrayViewMut<'_, Self::Array>,
    ) -> Result<()>;

    /// A product of matrices, row by row.
    fn multiply(
        &self,
        product: &MatrixProduct,
        left: ArrayView<'_, Self::Array>,
        right: ArrayView<'_, Self::Array>,
        result: ArrayViewMut<'_, Self::Array>,
    ) -> Result<()>;

    /// Finishes sums `(…, channels)` in place.
    fn finish(
        &self,
        channels: usize,
        epilogue: Epilogue<'_, Self::Array>,
        values: &mut Self::Array,
    ) -> Result<()>;

    /// The gradient of a rectifier's input, for that of its output.
    fn rectify_backward(
        &self,
        slope: f32,
        output: ArrayView<'_, Self::Array>,
        gradient: ArrayView<'_, Self::Array>,
    ) -> Result<Self::Array>;

    /// The sums of the rows of matrices, in an order that is always the same.
    fn add_rows(
        &self,
        matrices: &[Reduction<'_, Self::Array>],
        sums: &mut Self::Array,
    ) -> Result<()>;
}

/// A device that computes convolutions.
pub trait Convolutions: Backend {
    /// The convolution with weights `(kernel, kernel, C_in, C_out)`.
    fn convolution(
        &self,
        problem: &Problem,
        input: ArrayView<'_, Self::Array>,
        weights: ArrayView<'_, Self::Array>,
        epilogue: Epilogue<'_, Self::Array>,
        result: &mut Self::Array,
    ) -> Result<()>;

    /// The convolution's gradient with respect to its input, which is the transposed convolution.
    fn input_gradient(
        &self,
        problem: &Problem,
        gradient: ArrayView<'_, Self::Array>,
        weights: ArrayView<'_, Self::Array>,
        epilogue: Epilogue<'_, Self::Array>,
        result: &mut Self::Array,
    ) -> Result<()>;

    /// Writes the convolution's gradient with respect to its weights to `result`, or returns partial sums of it, which are still to be
    /// added up.
    fn weight_gradient(
        &self,
        problem: &Problem,
        input: ArrayView<'_, Self::Array>,
        gradient: ArrayView<'_, Self::Array>,
        result: ArrayViewMut<'_, Self::Array>,
    ) -> Result<Option<PartialSums<Self::Array>>>;
}
