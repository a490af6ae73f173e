//! Convolutions by cuDNN.
//!
//! It wants the weights of a result's channel side by side, `(C_out, kernel, kernel, C_in)`: they are copied so, and gradients back.
//! Only algorithms that give the same bits in each run are used. Where there is none, and for products of bf16, for which cuDNN takes
//! maps of that type only, and where the kernel covers the whole map, convolutions are [`gathered`].
#![expect(unsafe_code, reason = "what cuDNN does with arrays is not for Rust to see")]

mod plan;

use super::device::{Array, Cuda, view};
use super::gathered;
use crate::geometry::Conv2d;
use crate::gpu::array::{ArrayView, ArrayViewMut};
use crate::gpu::backend::{Backend, Epilogue, PartialSums};
use crate::gpu::problem::Problem;
use candle_core::Result;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use plan::plan;

pub fn convolution(
    cuda: &Cuda,
    problem: &Problem,
    input: ArrayView<'_, Array>,
    weights: ArrayView<'_, Array>,
    epilogue: Epilogue<'_, Array>,
    result: &mut Array,
) -> Result<()> {
    let plan = plan(cuda, problem)?;
    let Some((plan, (algorithm, bytes))) =
        plan.and_then(|plan| Some((plan.clone(), plan.forward?)))
    else {
        return gathered::convolution(cuda, problem, input, weights, epilogue, result);
    };
    let (weights, mut workspace) = (by_output(cuda, problem, weights)?, workspace(cuda, bytes)?);
    let forward = plan.descriptors.forward();
    let input = view(input);
    // SAFETY: the descriptors are of this problem, as the arrays are, and the workspace is as large as the algorithm asked for.
    unsafe {
        forward.launch(algorithm, workspace.as_mut(), (1.0, 0.0), &input, &weights, result)?;
    }
    cuda.finish(problem.conv.out_channels, epilogue, result)
}

pub fn input_gradient(
    cuda: &Cuda,
    problem: &Problem,
    gradient: ArrayView<'_, Array>,
    weights: ArrayView<'_, Array>,
    epilogue: Epilogue<'_, Array>,
    result: &mut Array,
) -> Result<()> {
    let plan = plan(cuda, problem)?;
    let Some((plan, (algorithm, bytes))) =
        plan.and_then(|plan| Some((plan.clone(), plan.input_gradient?)))
    else {
        return gathered::input_gradient(cuda, problem, gradient, weights, epilogue, result);
    };
    let (weights, mut workspace) = (by_output(cuda, problem, weights)?, workspace(cuda, bytes)?);
    let backward = plan.descriptors.input_gradient();
    let gradient = view(gradient);
    // SAFETY: as for the convolution.
    unsafe {
        backward.launch(algorithm, workspace.as_mut(), (1.0, 0.0), result, &weights, &gradient)?;
    }
    cuda.finish(problem.conv.in_channels, epilogue, result)
}

pub fn weight_gradient(
    cuda: &Cuda,
    problem: &Problem,
    input: ArrayView<'_, Array>,
    gradient: ArrayView<'_, Array>,
    result: ArrayViewMut<'_, Array>,
) -> Result<Option<PartialSums<Array>>> {
    let plan = plan(cuda, problem)?;
    let Some((plan, (algorithm, bytes))) =
        plan.and_then(|plan| Some((plan.clone(), plan.weight_gradient?)))
    else {
        return gathered::weight_gradient(cuda, problem, input, gradient, result);
    };
    let mut by_output = cuda.array(result.len)?;
    let mut workspace = workspace(cuda, bytes)?;
    let backward = plan.descriptors.weight_gradient();
    let (input, gradient) = (view(input), view(gradient));
    // SAFETY: as for the convolution.
    unsafe {
        let scale = (1.0, 0.0);
        backward.launch(algorithm, workspace.as_mut(), scale, &input, &mut by_output, &gradient)?;
    }
    let (taps, outputs) = matrix(&problem.conv);
    let by_output = ArrayView::new(&by_output, 0..by_output.len());
    cuda.transpose(by_output, (outputs, taps), result)?;
    Ok(None)
}

/// The weights as a matrix: a row for each tap and input channel, a column for each output channel.
fn matrix(conv: &Conv2d) -> (usize, usize) {
    (conv.kernel * conv.kernel * conv.in_channels, conv.out_channels)
}

/// The weights as cuDNN wants them.
fn by_output(cuda: &Cuda, problem: &Problem, weights: ArrayView<'_, Array>) -> Result<Array> {
    let mut result = cuda.array(weights.len)?;
    let whole = ArrayViewMut::new(&mut result, 0..weights.len);
    cuda.transpose(weights, matrix(&problem.conv), whole)?;
    Ok(result)
}

fn workspace(cuda: &Cuda, bytes: usize) -> Result<Option<CudaSlice<u8>>> {
    // SAFETY: cuDNN reads nothing of it that it has not written.
    (bytes > 0).then(|| unsafe { cuda.device.alloc(bytes) }).transpose()
}
