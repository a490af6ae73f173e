use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::{
    batch::Batch,
    gradient::{Objective, gradients},
};
use crate::{Params, Sample, loss::total_loss};

/// (N, C, H, W)² → scalar.
pub(super) struct SsimLoss {
    pub(super) params: Params,
}

impl SsimLoss {
    fn run<T: Sample + WithDType>(
        &self,
        x: (&CpuStorage, &Layout),
        y: (&CpuStorage, &Layout),
    ) -> Result<CpuStorage> {
        let batch = Batch::<T>::new(&self.params, x, y, self.name())?;
        let totals = batch.pairs().map(|pair| Ok(total_loss(&batch.plan, &pair?)));
        // Collected first, so that the order of additions does not depend on the threads.
        let total: f64 = totals.collect::<Result<Vec<f64>>>()?.iter().sum();
        Ok(T::to_cpu_storage_owned(vec![T::saturating_from(total / batch.windows() as f64)]))
    }
}

impl CustomOp2 for SsimLoss {
    fn name(&self) -> &'static str {
        "ssim-loss"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        y: &CpuStorage,
        ly: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let storage = match x {
            CpuStorage::F64(_) => self.run::<f64>((x, lx), (y, ly))?,
            _ => self.run::<f32>((x, lx), (y, ly))?,
        };
        Ok((storage, Shape::from(())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        gradients(&self.params, Objective::Loss, x, y, grad)
    }
}
