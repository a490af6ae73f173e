#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use super::cuda;
use super::{batch::Batch, gradient::gradients, objective::Objective};
use crate::{
    Components, Params, Sample,
    render::{Targets, render},
};

/// (N, C, H, W)² → (M, N, C, H', W'), the M wanted maps in the order of [`Components`]' constants.
pub(super) struct SsimMaps {
    pub(super) params: Params,
    pub(super) components: Components,
}

impl SsimMaps {
    fn run<T: Sample + WithDType>(
        &self,
        x: (&CpuStorage, &Layout),
        y: (&CpuStorage, &Layout),
    ) -> Result<(CpuStorage, Shape)> {
        let batch = Batch::<T>::new(&self.params, x, y, self.name())?;
        let mut values = vec![T::zero(); self.components.len() * batch.windows()];
        let mut maps = Targets::split(&mut values, self.components);
        let targets: Vec<_> =
            (0..batch.planes()).map(|_| maps.split_off(batch.plan.map_len())).collect();
        batch.pairs().zip(targets).try_for_each(|(pair, targets)| {
            render(&batch.plan, &pair?, targets);
            Ok::<_, candle_core::Error>(())
        })?;
        let (images, channels, ..) = x.1.shape().dims4()?;
        let (height, width) = (batch.plan.map_height, batch.plan.map_width);
        let shape = (self.components.len(), images, channels, height, width);
        Ok((T::to_cpu_storage_owned(values), shape.into()))
    }
}

impl CustomOp2 for SsimMaps {
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

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        lx: &Layout,
        y: &CudaStorage,
        ly: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        cuda::maps(&self.params, self.components, (x, lx), (y, ly))
    }

    /// For the map of SSIM alone; no other is ever part of a graph.
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
