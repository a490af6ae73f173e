//! Convolutions on CUDA, by this crate's kernels or by cuDNN.

#[cfg(feature = "cudnn")]
use super::cudnn as implementation;
use super::device::{Array, Cuda};
#[cfg(not(feature = "cudnn"))]
use super::gathered as implementation;
use crate::gpu::array::{ArrayView, ArrayViewMut};
use crate::gpu::backend::{Convolutions, Epilogue, PartialSums};
use crate::gpu::problem::Problem;
use candle_core::Result;

impl Convolutions for Cuda {
    fn convolution(
        &self,
        problem: &Problem,
        input: ArrayView<'_, Array>,
        weights: ArrayView<'_, Array>,
        epilogue: Epilogue<'_, Array>,
        result: &mut Array,
    ) -> Result<()> {
        implementation::convolution(self, problem, input, weights, epilogue, result)
    }

    fn input_gradient(
        &self,
        problem: &Problem,
        gradient: ArrayView<'_, Array>,
        weights: ArrayView<'_, Array>,
        epilogue: Epilogue<'_, Array>,
        result: &mut Array,
    ) -> Result<()> {
        implementation::input_gradient(self, problem, gradient, weights, epilogue, result)
    }

    fn weight_gradient(
        &self,
        problem: &Problem,
        input: ArrayView<'_, Array>,
        gradient: ArrayView<'_, Array>,
        result: ArrayViewMut<'_, Array>,
    ) -> Result<Option<PartialSums<Array>>> {
        implementation::weight_gradient(self, problem, input, gradient, result)
    }
}
