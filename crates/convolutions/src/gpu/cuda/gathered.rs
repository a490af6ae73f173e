//! Convolutions whose left factor is gathered tile by tile: launches of `kernels/convolutions.cu`. Layers that it has no form for go
//! through columns.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::device::{Array, Cuda, EpilogueArguments, expect, view};
use super::launch::{Module, THREADS, blocks, count};
use crate::gpu::array::{ArrayView, ArrayViewMut};
use crate::gpu::backend::{Epilogue, PartialSums};
use crate::gpu::columns;
use crate::gpu::problem::Problem;
use crate::gpu::tiles::{Division, Launch, Shapes, turns};
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaViewMut, DeviceRepr, PushKernelArg,
};

/// The fewest channels of the result of a transposed convolution that is gathered: with fewer, much would be gathered for few products.
const FEWEST_CHANNELS: usize = 8;

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/gathering.cuh`.
unsafe impl DeviceRepr for Shapes {}
// SAFETY: as above, in `kernels/convolutions.cu`.
unsafe impl DeviceRepr for Division {}

pub fn convolution(
    cuda: &Cuda,
    problem: &Problem,
    input: ArrayView<'_, Array>,
    weights: ArrayView<'_, Array>,
    epilogue: Epilogue<'_, Array>,
    result: &mut Array,
) -> Result<()> {
    let Some(shapes) = Shapes::of(problem, &[input.start, weights.start])? else {
        return columns::convolution(cuda, problem, input, weights, epilogue, result);
    };
    expect("weights", weights.len == problem.conv.weight_count())?;
    expect("input", input.len == problem.maps * problem.lengths().0)?;
    expect("result", result.len() == problem.maps * problem.lengths().1)?;
    let launch = shapes.convolution().launch(cuda.precision);
    let channels = problem.conv.out_channels;
    convolve(cuda, (&shapes, &launch), [input, weights], (channels, epilogue), result)
}

pub fn input_gradient(
    cuda: &Cuda,
    problem: &Problem,
    gradient: ArrayView<'_, Array>,
    weights: ArrayView<'_, Array>,
    epilogue: Epilogue<'_, Array>,
    result: &mut Array,
) -> Result<()> {
    let channels = problem.conv.in_channels;
    let shapes = match channels < FEWEST_CHANNELS {
        true => None,
        false => Shapes::of(problem, &[gradient.start, weights.start])?,
    };
    let Some(shapes) = shapes else {
        return columns::input_gradient(cuda, problem, gradient, weights, epilogue, result);
    };
    expect("weights", weights.len == problem.conv.weight_count())?;
    expect("gradient", gradient.len == problem.maps * problem.lengths().1)?;
    expect("result", result.len() == problem.maps * problem.lengths().0)?;
    let launch = shapes.transposed().launch(cuda.precision);
    convolve(cuda, (&shapes, &launch), [gradient, weights], (channels, epilogue), result)
}

/// Either of the two. There are as many maps, weights and results as the shapes say.
fn convolve(
    cuda: &Cuda,
    (shapes, launch): (&Shapes, &Launch),
    [maps, weights]: [ArrayView<'_, Array>; 2],
    (channels, epilogue): (usize, Epilogue<'_, Array>),
    result: &mut Array,
) -> Result<()> {
    let values = result.len();
    count(maps.len.max(values))?;
    let epilogue = cuda.epilogue(epilogue, channels, values)?;
    let shares = launch.division.shares as usize;
    let mut parts = (shares > 1).then(|| cuda.array(shares * values)).transpose()?;
    let (kernel, stream) = (kernel(cuda, &launch.kernel)?, cuda.device.cuda_stream());
    let (maps, weights) = (view(maps), view(weights));
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&maps).arg(&weights).arg(shapes).arg(&launch.division).arg(&epilogue);
    builder.arg(parts.as_mut().unwrap_or(&mut *result));
    // SAFETY: the arguments are those of the kernel, which reads within maps and weights and the arrays of the epilogue, and writes all
    // pixels of each share; there are as many as the shapes say, by the callers' checks.
    unsafe { builder.launch(blocks(launch.blocks)) }.w()?;
    match parts {
        Some(parts) => add_shares(cuda, &parts, channels, &epilogue, result.as_view_mut()),
        None => Ok(()),
    }
}

pub fn weight_gradient(
    cuda: &Cuda,
    problem: &Problem,
    input: ArrayView<'_, Array>,
    gradient: ArrayView<'_, Array>,
    result: ArrayViewMut<'_, Array>,
) -> Result<Option<PartialSums<Array>>> {
    let Some(shapes) = Shapes::of(problem, &[input.start, gradient.start])? else {
        return columns::weight_gradient(cuda, problem, input, gradient, result).map(|()| None);
    };
    let (from, to) = problem.lengths();
    count(problem.maps * from.max(to))?;
    let are_there = input.len == problem.maps * from && gradient.len == problem.maps * to;
    expect("gradient of weights", are_there && result.len == problem.conv.weight_count())?;
    let Launch { kernel: name, blocks: grid, division } = shapes.weight_gradient(cuda.precision);
    let shares = division.shares as usize;
    let mut array = cuda.array(result.len * shares)?;
    let (kernel, stream) = (kernel(cuda, &name)?, cuda.device.cuda_stream());
    let (input, gradient) = (view(input), view(gradient));
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&input).arg(&gradient).arg(&shapes).arg(&division).arg(&mut array);
    // SAFETY: the arguments are those of the kernel, which reads within maps of these shapes, and writes as many sums as there are
    // weights for each share.
    unsafe { builder.launch(blocks(grid)) }.w()?;
    Ok(Some(PartialSums { array, count: shares }))
}

/// Adds up the shares of a result, and applies the epilogue.
fn add_shares(
    cuda: &Cuda,
    parts: &Array,
    channels: usize,
    epilogue: &EpilogueArguments,
    mut result: CudaViewMut<'_, f32>,
) -> Result<()> {
    let (values, channels) = (count(result.len())?, count(channels)?);
    let shares = (parts.len() / result.len().max(1)) as u32;
    let turns = turns(shares);
    let (kernel, stream) = (kernel(cuda, "add_shares")?, cuda.device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(parts).arg(&values).arg(&shares).arg(&turns).arg(&channels);
    builder.arg(epilogue).arg(&mut result);
    // SAFETY: the arguments are those of the kernel, which reads as many values for each share as there are results, and the arrays of
    // the epilogue, and writes the results.
    unsafe { builder.launch(blocks(values.div_ceil(THREADS / turns))) }.w()?;
    Ok(())
}

fn kernel(cuda: &Cuda, name: &str) -> Result<CudaFunction> {
    Module::Convolutions.kernel(&cuda.device, name)
}
