//! A chain of layers as one candle operation, so that autograd and everything above stay candle's.
//!
//! candle adds every gradient to zeros that it first makes, on one thread. Within a chain no such sums are needed: only the
//! gradients of its input and of all its parameters, one flat vector, meet candle's.

use super::buffer::Buffer;
#[cfg(feature = "cuda")]
use super::gpu::cuda;
use super::{Chain, Mode, contiguous, with_values};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, cuda_backend::cudarc::driver::CudaSlice};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// Applies a chain to maps `(N, H, W, C)` on a device that the operation has a form for.
pub(super) fn apply(
    chain: &Chain,
    input: &Tensor,
    parameters: &Tensor,
    mode: Mode,
) -> Result<Tensor> {
    let op = ChainOp { chain: chain.clone(), mode, activations: Mutex::default() };
    match mode {
        Mode::Training => input.apply_op2(parameters, op),
        Mode::Inference => input.apply_op2_no_bwd(parameters, &op),
    }
}

/// A chain at work on one input.
struct ChainOp {
    chain: Chain,
    mode: Mode,
    activations: Mutex<Activations>,
}

/// The outputs of all layers but the last, where they were computed.
#[derive(Default)]
enum Activations {
    #[default]
    None,
    Cpu(Vec<Buffer>),
    #[cfg(feature = "cuda")]
    Cuda(Vec<CudaSlice<f32>>),
}

impl ChainOp {
    fn keep(&self, activations: Activations) {
        *self.activations.lock().unwrap_or_else(PoisonError::into_inner) = activations;
    }

    /// The gradients for an output on the CPU.
    fn backward_on_cpu(
        &self,
        kept: &[Buffer],
        [input, parameters, output, gradient]: [&Tensor; 4],
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let stages = self.chain.stages(input.shape(), parameters.elem_count())?;
        let (input_gradient, parameter_gradient) = with_values(
            [input, parameters, output, gradient],
            |[input, parameters, output, gradient]| {
                let kept = kept.iter().map(Deref::deref);
                let activations: Vec<&[f32]> =
                    [input].into_iter().chain(kept).chain([output]).collect();
                let gradient = self.chain.buffers.copy(gradient);
                self.chain.backward(&activations, &stages, parameters, gradient)
            },
        )?;
        let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device());
        let input_gradient =
            input_gradient.map(|values| tensor(values.to_vec(), input)).transpose()?;
        let parameter_gradient = parameter_gradient.map(|values| tensor(values, parameters));
        Ok((input_gradient, parameter_gradient.transpose()?))
    }
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
        let input = contiguous(input, input_layout)?;
        let parameters = contiguous(parameters, parameters_layout)?;
        let stages = self.chain.stages(input_layout.shape(), parameters.len())?;
        let (count, last) = (input_layout.dims()[0], stages[stages.len() - 1]);
        let mut output = vec![0.0; count * last.len()];
        let kept = self.chain.forward(input, &stages, parameters, self.mode, &mut output);
        self.keep(Activations::Cpu(kept));
        Ok((CpuStorage::F32(output), last.shape(count)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        parameters: &CudaStorage,
        parameters_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let stages =
            self.chain.stages(input_layout.shape(), parameters_layout.shape().elem_count())?;
        let (count, last) = (input_layout.dims()[0], stages[stages.len() - 1]);
        let tensors = [(input, input_layout), (parameters, parameters_layout)];
        let (output, kept) = cuda::forward(&self.chain, tensors, &stages, self.mode)?;
        self.keep(Activations::Cuda(kept));
        Ok((output, last.shape(count)))
    }

    fn bwd(
        &self,
        input: &Tensor,
        parameters: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let tensors = [input, parameters, output, &gradient];
        let kept = self.activations.lock().unwrap_or_else(PoisonError::into_inner);
        let (input_gradient, parameter_gradient) = match &*kept {
            Activations::None => self.backward_on_cpu(&[], tensors)?,
            Activations::Cpu(kept) => self.backward_on_cpu(kept, tensors)?,
            #[cfg(feature = "cuda")]
            Activations::Cuda(kept) => cuda::backward(&self.chain, kept, tensors)?,
        };
        match &self.chain.slot {
            Some(slot) => {
                slot.put(parameter_gradient);
                Ok((input_gradient, None))
            }
            None => Ok((input_gradient, parameter_gradient)),
        }
    }
}
