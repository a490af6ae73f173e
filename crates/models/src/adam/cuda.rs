//! A step of Adam in one launch. It writes two tensors, and candle's in-place operations one each: one runs within the other.

use super::AdamConfig;
use crate::cuda::training;
use crate::record::Record;
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{
    CpuStorage, CudaStorage, InplaceOp1, InplaceOp2, Layout, Result, Tensor, Var, bail,
};
use std::cell::RefCell;

/// Updates both moments `(2, …)` of a gradient and moves the variable, unless a step has failed.
pub(super) fn step(
    config: &AdamConfig,
    moments: &Tensor,
    variable: &Var,
    gradient: &Tensor,
    record: Option<&Record>,
) -> Result<()> {
    let Some(record) = record else { bail!("Adam on CUDA needs a record of the steps") };
    moments.inplace_op2(&gradient.contiguous()?, &OfMoments { config, variable, record })
}

struct OfMoments<'a> {
    config: &'a AdamConfig,
    variable: &'a Var,
    record: &'a Record,
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
        let &Self { config, variable, record } = self;
        let moments = RefCell::new(moments.as_cuda_slice_mut::<f32>()?);
        let gradient = crate::cuda::elements::<f32>(gradient, layout)?;
        variable.inplace_op1(&OfVariable { config, record, moments, gradient })
    }
}

struct OfVariable<'a> {
    config: &'a AdamConfig,
    record: &'a Record,
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
        self.record.on_cuda(|record| training::adam(&device, self.config, record, state))
    }
}
