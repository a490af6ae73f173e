#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

use super::batch::{Batch, contiguous};
#[cfg(feature = "cuda")]
use super::cuda;
use super::objective::Objective;
use crate::{
    Input, Params, Sample,
    gradient::{Cotangent, pull_back},
};

/// The gradients of those images that lead to a variable.
pub(super) fn gradients(
    params: &Params,
    of: Objective,
    x: &Tensor,
    y: &Tensor,
    grad: &Tensor,
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let grad = grad.contiguous()?;
    let gradient = |image: &Tensor, wrt| {
        let op = SsimGradient { params: *params, of, wrt };
        image.track_op().then(|| x.apply_op3_no_bwd(y, &grad, &op)).transpose()
    };
    Ok((gradient(x, Input::First)?, gradient(y, Input::Second)?))
}

/// Images (N, C, H, W)² and the gradient of the objective → gradient of one image (N, C, H, W).
struct SsimGradient {
    params: Params,
    of: Objective,
    wrt: Input,
}

impl SsimGradient {
    fn run<T: Sample + WithDType>(
        &self,
        x: (&CpuStorage, &Layout),
        y: (&CpuStorage, &Layout),
        grad: &[T],
    ) -> Result<CpuStorage> {
        let batch = Batch::<T>::new(&self.params, x, y, self.name())?;
        let windows = batch.plan.map_len();
        let cotangent = |plane: usize| match self.of {
            Objective::Loss => {
                let upstream: f64 = grad[0].into();
                Cotangent::Constant(-upstream / batch.windows() as f64)
            }
            Objective::Map => Cotangent::Map(&grad[plane * windows..(plane + 1) * windows]),
        };
        let mut gradient = vec![T::zero(); x.1.shape().elem_count()];
        let planes = gradient.par_chunks_mut(batch.plane_len()).enumerate();
        batch.pairs().zip(planes).try_for_each(|(pair, (plane, gradient))| {
            pull_back(&batch.plan, pair?, self.wrt, cotangent(plane), gradient);
            Ok::<_, candle_core::Error>(())
        })?;
        Ok(T::to_cpu_storage_owned(gradient))
    }
}

impl CustomOp3 for SsimGradient {
    fn name(&self) -> &'static str {
        "ssim-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        y: &CpuStorage,
        ly: &Layout,
        grad: &CpuStorage,
        lg: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let storage = match x {
            CpuStorage::F64(_) => {
                self.run::<f64>((x, lx), (y, ly), contiguous(grad, lg, self.name())?)?
            }
            _ => self.run::<f32>((x, lx), (y, ly), contiguous(grad, lg, self.name())?)?,
        };
        Ok((storage, lx.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        lx: &Layout,
        y: &CudaStorage,
        ly: &Layout,
        grad: &CudaStorage,
        lg: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        cuda::gradient(&self.params, (self.of, self.wrt), (x, lx), (y, ly), (grad, lg))
    }
}
