//! Launches of `kernels/convolutions.cu`; what is not for it goes through columns.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::super::tiles::{Convolution, Shapes, WeightGradient};
use super::super::{Backend, Epilogue, Part, PartMut, Problem, columns};
use super::Cuda;
use super::backend::{bias, expect, optional, view, view_mut};
use crate::cuda::{Module, count};
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg,
};

type Array = CudaSlice<f32>;

/// Threads of a block.
const BLOCK: u32 = 128;

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/convolutions.cu`.
unsafe impl DeviceRepr for Shapes {}

pub(super) fn convolution(
    cuda: &Cuda,
    problem: &Problem,
    input: Part<'_, Array>,
    weights: Part<'_, Array>,
    epilogue: Epilogue<'_, Array>,
    result: &mut Array,
) -> Result<()> {
    let Some(shapes) = Shapes::of(problem, &[input.start, weights.start])? else {
        return columns::convolution(cuda, problem, input, weights, epilogue, result);
    };
    let tiles = shapes.convolution(cuda.precision);
    expect("weights", weights.len == problem.conv.weight_count())?;
    expect("input", input.len == problem.maps * problem.lengths().0)?;
    expect("result", result.len() == problem.maps * problem.lengths().1)?;
    let bias = bias(epilogue, problem.conv.out_channels)?;
    convolve(cuda, (&shapes, &tiles), (input, weights), (bias, epilogue.slope), result)
}

pub(super) fn input_gradient(
    cuda: &Cuda,
    problem: &Problem,
    gradient: Part<'_, Array>,
    weights: Part<'_, Array>,
    epilogue: Epilogue<'_, Array>,
    result: &mut Array,
) -> Result<()> {
    let Some(shapes) = Shapes::of(problem, &[gradient.start, weights.start])? else {
        return columns::input_gradient(cuda, problem, gradient, weights, epilogue, result);
    };
    let tiles = shapes.transposed(cuda.precision);
    expect("weights", weights.len == problem.conv.weight_count())?;
    expect("gradient", gradient.len == problem.maps * problem.lengths().1)?;
    expect("result", result.len() == problem.maps * problem.lengths().0)?;
    let bias = bias(epilogue, problem.conv.in_channels)?;
    convolve(cuda, (&shapes, &tiles), (gradient, weights), (bias, epilogue.slope), result)
}

/// Either of the two, for as many maps, weights and results as the shapes say.
fn convolve(
    cuda: &Cuda,
    (shapes, tiles): (&Shapes, &Convolution),
    (maps, weights): (Part<'_, Array>, Part<'_, Array>),
    (bias, slope): (Option<CudaView<'_, f32>>, f32),
    result: &mut Array,
) -> Result<()> {
    count(maps.len.max(result.len()))?;
    let (kernel, stream) = (kernel(cuda, &tiles.kernel)?, cuda.device.cuda_stream());
    let (maps, weights) = (view(maps), view(weights));
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&maps).arg(&weights).arg(shapes);
    optional(&mut builder, bias.as_ref());
    builder.arg(&slope).arg(&tiles.tiles).arg(result);
    // SAFETY: the arguments are those of the kernel, which reads within maps and weights and a bias for each channel, and writes all
    // pixels; there are as many as the shapes say, by the callers' checks.
    unsafe { builder.launch(blocks(tiles.blocks)) }.w()?;
    Ok(())
}

pub(super) fn weight_gradient(
    cuda: &Cuda,
    problem: &Problem,
    input: Part<'_, Array>,
    gradient: Part<'_, Array>,
    mut result: PartMut<'_, Array>,
) -> Result<()> {
    let Some(shapes) = Shapes::of(problem, &[input.start, gradient.start])? else {
        return columns::weight_gradient(cuda, problem, input, gradient, result);
    };
    let WeightGradient { kernel: name, blocks: grid, shares, chunks } =
        shapes.weight_gradient(cuda.precision);
    let [from, to] = [problem.lengths().0, problem.lengths().1].map(|of_map| problem.maps * of_map);
    count(from.max(to))?;
    expect("gradient of weights", input.len == from && gradient.len == to)?;
    expect("gradient of weights", result.len == problem.conv.weight_count())?;
    let values = count(result.len)?;
    let mut parts = cuda.allocate(result.len * shares as usize)?;
    let (kernel_of_parts, stream) = (kernel(cuda, &name)?, cuda.device.cuda_stream());
    let (input, gradient) = (view(input), view(gradient));
    let mut builder = stream.launch_builder(&kernel_of_parts);
    builder.arg(&input).arg(&gradient).arg(&shapes).arg(&shares).arg(&chunks).arg(&mut parts);
    // SAFETY: the arguments are those of the kernel, which reads within maps of these shapes, and writes as many sums as there are
    // weights for each share.
    unsafe { builder.launch(blocks(grid)) }.w()?;

    let (kernel, mut result) = (kernel(cuda, "add_shares")?, view_mut(&mut result));
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&parts).arg(&values).arg(&shares).arg(&mut result);
    // SAFETY: the arguments are those of the kernel, which reads what the one above has written, and writes a sum for each weight.
    unsafe { builder.launch(blocks(values.div_ceil(BLOCK))) }.w()?;
    Ok(())
}

fn kernel(cuda: &Cuda, name: &str) -> Result<CudaFunction> {
    Module::Convolutions.kernel(&cuda.device, name)
}

fn blocks(count: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (count, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 }
}
