//! A chain on the tensors of a CUDA device.

use super::device::{Array, Cuda};
use crate::gpu::array::ArrayView;
use crate::gpu::chain::GpuChain;
use crate::layers::{Layers, Mode};
use candle_core::backend::BackendStorage;
use candle_core::op::BackpropOp;
use candle_core::{CudaStorage, Layout, Result, Shape, Storage, Tensor, bail};

/// The output of a chain for an input and parameters, its shape, and the outputs of all layers but the last for training.
pub fn forward(
    layers: &Layers,
    [(input, layout), (parameters, parameters_layout)]: [(&CudaStorage, &Layout); 2],
    mode: Mode,
) -> Result<(CudaStorage, Shape, Vec<Array>)> {
    let backend = Cuda { device: input.device().clone(), precision: layers.precision };
    let shapes = layers.shapes(layout.shape(), parameters_layout.shape().elem_count())?;
    let maps = layout.dims()[0];
    let parameters = whole(parameters, parameters_layout)?;
    let chain = GpuChain { backend: &backend, layers, parameters, shapes: &shapes, maps };
    let mut outputs = chain.forward(whole(input, layout)?, mode)?;
    let Some(output) = outputs.pop() else {
        bail!("expected a chain with layers and an input with maps")
    };
    let shape = shapes[shapes.len() - 1].batch(maps).into();
    Ok((CudaStorage::wrap_cuda_slice(output, backend.device), shape, outputs))
}

/// The gradients with respect to input and parameters, each if needed. `kept` are the outputs of all layers but the last; `tensors` are
/// the input, the parameters, the output and its gradient.
pub fn backward(
    layers: &Layers,
    kept: &[Array],
    tensors: [&Tensor; 4],
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let [input, parameters, ..] = tensors;
    let shapes = layers.shapes(input.shape(), parameters.elem_count())?;
    let guards = tensors.map(Tensor::storage_and_layout);
    let part = |i: usize| match &*guards[i].0 {
        Storage::Cuda(storage) => whole(storage, guards[i].1),
        _ => bail!("expected tensors on a CUDA device"),
    };
    let device = input.device().as_cuda_device()?.clone();
    let backend = Cuda { device, precision: layers.precision };
    let mut activations = vec![part(0)?];
    activations.extend(kept.iter().map(|array| ArrayView::new(array, 0..array.len())));
    activations.push(part(2)?);
    let (parameters_on_device, maps) = (part(1)?, input.dims()[0]);
    let chain = GpuChain {
        backend: &backend,
        layers,
        parameters: parameters_on_device,
        shapes: &shapes,
        maps,
    };
    let (of_input, of_parameters) = chain.backward(&activations, part(3)?)?;
    let tensor = |array, shape: &Shape| {
        let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(array, backend.device.clone()));
        Tensor::from_storage(storage, shape.clone(), BackpropOp::none(), false)
    };
    Ok((
        of_input.map(|array| tensor(array, input.shape())),
        of_parameters.map(|array| tensor(array, parameters.shape())),
    ))
}

/// A contiguous tensor as a part of the array that holds it.
fn whole<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<ArrayView<'a, Array>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(ArrayView::new(storage.as_cuda_slice::<f32>()?, start..end)),
        None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
    }
}
