//! A chain of layers as one operation of candle's, on the CPU and with CUDA.
//!
//! candle adds every gradient to zeros that it first makes, on one thread. Within a chain no such sums are needed: only the
//! gradients of its input and of all its parameters, one flat vector, meet candle's.

use crate::cpu::{Buffer, Buffers, CpuChain};
#[cfg(feature = "cuda")]
use crate::gpu::cuda;
use crate::layers::{Layers, Mode};
use crate::storage::{contiguous, with_values};
use candle_core::op::BackpropOp;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Storage, Tensor, bail};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, cuda_backend::cudarc::driver::CudaSlice};
use std::ops::Deref;
use std::sync::OnceLock;

/// The outputs of all layers but the last, where they were computed.
pub(crate) enum Kept {
    Cpu(Vec<Buffer>),
    #[cfg(feature = "cuda")]
    Cuda(Vec<CudaSlice<f32>>),
}

/// The gradients of the input and of the parameters, each if needed.
pub(crate) type InputAndParameters = (Option<Tensor>, Option<Tensor>);

/// An operation that candle differentiates.
pub(crate) struct ChainOp {
    pub layers: Layers,
    pub buffers: Buffers,
    pub mode: Mode,
    /// Set by the forward pass.
    pub kept: OnceLock<Kept>,
}

/// The forward pass outside of candle's graph. In training, the output is a leaf of a new graph.
pub(crate) fn forward(
    layers: &Layers,
    buffers: &Buffers,
    [input, parameters]: [&Tensor; 2],
    mode: Mode,
) -> Result<(Tensor, Kept)> {
    let (input, input_layout) = input.storage_and_layout();
    let (parameters, parameters_layout) = parameters.storage_and_layout();
    let (storage, shape, kept) = match (&*input, &*parameters) {
        (Storage::Cpu(input), Storage::Cpu(parameters)) => {
            let inputs = [(input, input_layout), (parameters, parameters_layout)];
            let (storage, shape, kept) = forward_on_cpu(layers, buffers, inputs, mode)?;
            (Storage::Cpu(storage), shape, Kept::Cpu(kept))
        }
        #[cfg(feature = "cuda")]
        (Storage::Cuda(input), Storage::Cuda(parameters)) => {
            let inputs = [(input, input_layout), (parameters, parameters_layout)];
            let (storage, shape, kept) = cuda::forward(layers, inputs, mode)?;
            (Storage::Cuda(storage), shape, Kept::Cuda(kept))
        }
        _ => bail!("expected maps and parameters on one device that convolutions have kernels for"),
    };
    let is_leaf = mode == Mode::Training;
    Ok((Tensor::from_storage(storage, shape, BackpropOp::none(), is_leaf), kept))
}

/// The gradients for that of the output. `tensors` are the input, the parameters, the output and its gradient.
pub(crate) fn backward(
    layers: &Layers,
    buffers: &Buffers,
    kept: &Kept,
    tensors: [&Tensor; 4],
) -> Result<InputAndParameters> {
    match kept {
        Kept::Cpu(kept) => backward_on_cpu(layers, buffers, kept, tensors),
        #[cfg(feature = "cuda")]
        Kept::Cuda(kept) => cuda::backward(layers, kept, tensors),
    }
}

fn forward_on_cpu(
    layers: &Layers,
    buffers: &Buffers,
    [(input, layout), (parameters, parameters_layout)]: [(&CpuStorage, &Layout); 2],
    mode: Mode,
) -> Result<(CpuStorage, Shape, Vec<Buffer>)> {
    let (input, parameters) =
        (contiguous(input, layout)?, contiguous(parameters, parameters_layout)?);
    let shapes = layers.shapes(layout.shape(), parameters.len())?;
    let (maps, last) = (layout.dims()[0], shapes[shapes.len() - 1]);
    let mut output = vec![0.0; maps * last.len()];
    let chain = CpuChain { layers, shapes: &shapes, parameters, buffers };
    let kept = chain.forward(input, mode, &mut output);
    Ok((CpuStorage::F32(output), last.batch(maps).into(), kept))
}

fn backward_on_cpu(
    layers: &Layers,
    buffers: &Buffers,
    kept: &[Buffer],
    tensors: [&Tensor; 4],
) -> Result<InputAndParameters> {
    let [input, parameters, ..] = tensors;
    let shapes = layers.shapes(input.shape(), parameters.elem_count())?;
    let (of_input, of_parameters) =
        with_values(tensors, |[input, parameters, output, gradient]| {
            let kept = kept.iter().map(Deref::deref);
            let activations: Vec<&[f32]> =
                [input].into_iter().chain(kept).chain([output]).collect();
            let chain = CpuChain { layers, shapes: &shapes, parameters, buffers };
            chain.backward(&activations, buffers.copy(gradient))
        })?;
    let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device());
    let of_input = of_input.map(|values| tensor(values.to_vec(), input)).transpose()?;
    let of_parameters = of_parameters.map(|values| tensor(values, parameters)).transpose()?;
    Ok((of_input, of_parameters))
}

impl CustomOp2 for ChainOp {
    fn name(&self) -> &'static str {
        "convolutions"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let inputs = [(input, input_layout), (parameters, parameters_layout)];
        let (output, shape, kept) = forward_on_cpu(&self.layers, &self.buffers, inputs, self.mode)?;
        // An operation runs once.
        let _ = self.kept.set(Kept::Cpu(kept));
        Ok((output, shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        parameters: &CudaStorage,
        parameters_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let inputs = [(input, input_layout), (parameters, parameters_layout)];
        let (output, shape, kept) = cuda::forward(&self.layers, inputs, self.mode)?;
        // An operation runs once.
        let _ = self.kept.set(Kept::Cuda(kept));
        Ok((output, shape))
    }

    fn bwd(
        &self,
        input: &Tensor,
        parameters: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<InputAndParameters> {
        let Some(kept) = self.kept.get() else {
            bail!("the gradient of a chain needs its forward pass")
        };
        let tensors = [input, parameters, output, &gradient.contiguous()?];
        backward(&self.layers, &self.buffers, kept, tensors)
    }
}
