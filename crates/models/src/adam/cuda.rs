//! A step of Adam in one launch. The kernel writes two tensors, but candle's in-place operations write one each: one runs within the
//! other.

use super::config::AdamConfig;
use crate::cuda::{elements, training};
use crate::loss_log::LossLog;
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{
    CpuStorage, CudaStorage, InplaceOp1, InplaceOp2, Layout, Result, Tensor, Var, bail,
};
use std::cell::RefCell;

/// Updates both moments `(2, …)` of a gradient and moves the variable, unless a step has failed by the log. The log tells the size of the
/// step; without one it follows from the number of the step.
pub(super) fn update(
    config: &AdamConfig,
    step: u64,
    (moments, variable): (&Tensor, &Var),
    gradient: &Tensor,
    log: Option<&LossLog>,
) -> Result<()> {
    let log = match log {
        Some(log) => log.clone(),
        None => LossLog::of_one_step(config.step_size().at(step as f64), variable.device())?,
    };
    moments.inplace_op2(gradient, &OfMoments { config, variable, log: &log })
}

struct OfMoments<'a> {
    config: &'a AdamConfig,
    variable: &'a Var,
    log: &'a LossLog,
}

impl InplaceOp2 for OfMoments<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, _: &mut CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<()> {
        bail!("this form of Adam is for CUDA")
    }

    fn cuda_fwd(
        &self,
        moments: &mut CudaStorage,
        _: &Layout,
        gradient: &CudaStorage,
        layout: &Layout,
    ) -> Result<()> {
        let &Self { config, variable, log } = self;
        let moments = RefCell::new(moments.as_cuda_slice_mut::<f32>()?);
        let gradient = elements::<f32>(gradient, layout)?;
        variable.inplace_op1(&OfVariable { config, log, moments, gradient })
    }
}

struct OfVariable<'a> {
    config: &'a AdamConfig,
    log: &'a LossLog,
    moments: RefCell<&'a mut CudaSlice<f32>>,
    gradient: CudaView<'a, f32>,
}

impl InplaceOp1 for OfVariable<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, _: &mut CpuStorage, _: &Layout) -> Result<()> {
        bail!("this form of Adam is for CUDA")
    }

    fn cuda_fwd(&self, variable: &mut CudaStorage, _: &Layout) -> Result<()> {
        let device = variable.device().clone();
        let state = training::State {
            gradient: &self.gradient,
            moments: &mut self.moments.borrow_mut(),
            variable: variable.as_cuda_slice_mut::<f32>()?,
        };
        let &AdamConfig { beta1, beta2, weight_decay, epsilon, .. } = self.config;
        let [beta1, beta2, weight_decay, epsilon] =
            [beta1, beta2, weight_decay, epsilon].map(|value| value as f32);
        let decay = training::Decay { beta1, beta2, weight_decay, epsilon };
        self.log.on_cuda(|log| training::adam(&device, decay, log, state))
    }
}
