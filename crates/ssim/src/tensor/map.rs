use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::{
    batch::Batch,
    gradient::{Objective, gradients},
};
use crate::{
    Params, Sample,
    render::{Targets, render},
};

/// (N, C, H, W)² → (N, C, H', W').
pub(super) struct SsimMap {
    pub(super) params: Params,
}

impl SsimMap {
    fn run<T: Sample + WithDType>(
        &self,
        x: (&CpuStorage, &Layout),
        y: (&CpuStorage, &Layout),
    ) -> Result<(CpuStorage, Shape)> {
        let batch = Batch::<T>::new(&self.params, x, y, self.name())?;
        let mut values = vec![T::zero(); batch.windows()];
        let maps = values.par_chunks_mut(batch.plan.map_len());
        batch.pairs().zip(maps).try_for_each(|(pair, map)| {
            render(&batch.plan, &pair?, Targets::ssim(map));
            Ok::<_, candle_core::Error>(())
        })?;
        let (images, channels, ..) = x.1.shape().dims4()?;
        let shape = (images, channels, batch.plan.map_height, batch.plan.map_width);
        Ok((T::to_cpu_storage_owned(values), shape.into()))
    }
}

impl CustomOp2 for SsimMap {
    fn name(&self) -> &'static str {
        "ssim-map"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        y: &CpuStorage,
        ly: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        match x {
            CpuStorage::F64(_) => self.run::<f64>((x, lx), (y, ly)),
            _ => self.run::<f32>((x, lx), (y, ly)),
        }
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        gradients(&self.params, Objective::Map, x, y, grad)
    }
}
