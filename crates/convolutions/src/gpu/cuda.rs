//! Chains on CUDA devices.

mod backend;
mod blas;
#[cfg(feature = "cudnn")]
mod cudnn;
mod gathered;
mod sums;

use super::part::Part;
use super::{Result, chain};
use crate::Chain;
use crate::Precision;
use crate::chain::{Mode, Stage};
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Layout, Shape, Storage, Tensor, bail};

/// A device, and what it multiplies in.
struct Cuda {
    device: CudaDevice,
    precision: Precision,
}

/// The output of a chain for an input and parameters, and those of all layers but the last, if training will need them.
pub(crate) fn forward(
    chain: &Chain,
    [(input, input_layout), (parameters, parameters_layout)]: [(&CudaStorage, &Layout); 2],
    stages: &[Stage],
    mode: Mode,
) -> Result<(CudaStorage, Vec<CudaSlice<f32>>)> {
    let backend = Cuda { device: input.device().clone(), precision: chain.precision };
    let maps = input_layout.dims()[0];
    let input = (whole(input, input_layout)?, maps);
    let parameters = whole(parameters, parameters_layout)?;
    let mut outputs = chain::forward(&backend, chain, input, stages, parameters, mode)?;
    match outputs.pop() {
        Some(output) => Ok((CudaStorage::wrap_cuda_slice(output, backend.device), outputs)),
        None => bail!("expected a chain with layers and an input with maps"),
    }
}

/// The gradients with respect to input and parameters, each if needed. `kept` is what [`forward`] has left; tensors are the input,
/// the parameters, the output and its gradient.
pub(crate) fn backward(
    chain: &Chain,
    kept: &[CudaSlice<f32>],
    tensors: [&Tensor; 4],
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let [input, parameters, ..] = tensors;
    let stages = chain.stages(input.shape(), parameters.elem_count())?;
    let guards = tensors.map(Tensor::storage_and_layout);
    let part = |i: usize| match &*guards[i].0 {
        Storage::Cuda(storage) => whole(storage, guards[i].1),
        _ => bail!("expected tensors on a CUDA device"),
    };
    let device = input.device().as_cuda_device()?.clone();
    let backend = Cuda { device, precision: chain.precision };
    let mut activations = vec![part(0)?];
    activations.extend(kept.iter().map(|array| Part::new(array, 0..array.len())));
    activations.push(part(2)?);
    let activations = (activations.as_slice(), input.dims()[0]);
    let (input_gradient, parameter_gradient) =
        chain::backward(&backend, chain, activations, &stages, part(1)?, part(3)?)?;
    let tensor = |array, shape: &Shape| {
        let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(array, backend.device.clone()));
        Tensor::from_storage(storage, shape.clone(), BackpropOp::none(), false)
    };
    Ok((
        input_gradient.map(|array| tensor(array, input.shape())),
        parameter_gradient.map(|array| tensor(array, parameters.shape())),
    ))
}

/// A contiguous tensor as a part of what holds it.
fn whole<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<Part<'a, CudaSlice<f32>>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(Part::new(storage.as_cuda_slice::<f32>()?, start..end)),
        None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
    }
}
