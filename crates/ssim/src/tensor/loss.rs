use std::sync::OnceLock;

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, WithDType};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use super::cuda;
use super::{batch::Batch, gradient::gradients, objective::Objective};
use crate::{
    Input, Params, Sample,
    gradient::{Cotangent, pull_back},
    loss::total_loss,
};

/// (N, C, H, W)² → scalar.
///
/// Where a single image is to be differentiated, the forward pass finds its gradient, too: that costs less than to begin
/// again with the moments in the backward pass.
pub(super) struct SsimLoss {
    params: Params,
    differentiated: Option<Input>,
    /// The gradient of the loss itself, once the forward pass has run.
    gradient: OnceLock<Tensor>,
}

impl SsimLoss {
    /// The loss of two images.
    pub(super) fn new(params: &Params, x: &Tensor, y: &Tensor) -> Self {
        let differentiated = match (x.track_op(), y.track_op()) {
            (true, false) => Some(Input::First),
            (false, true) => Some(Input::Second),
            _ => None,
        };
        Self { params: *params, differentiated, gradient: OnceLock::new() }
    }

    fn run<T: Sample + WithDType>(
        &self,
        x: (&CpuStorage, &Layout),
        y: (&CpuStorage, &Layout),
    ) -> Result<CpuStorage> {
        let batch = Batch::<T>::new(&self.params, x, y, self.name())?;
        let totals = match self.differentiated {
            Some(wrt) => self.totals_with_gradient(&batch, wrt, x.1.shape())?,
            None => batch
                .pairs()
                .map(|pair| Ok(total_loss(&batch.plan, &pair?)))
                .collect::<Result<_>>()?,
        };
        // Collected first, so that the order of additions does not depend on the threads.
        let total: f64 = totals.iter().sum();
        Ok(T::to_cpu_storage_owned(vec![T::saturating_from(total / batch.windows() as f64)]))
    }

    /// The sum of the loss over each plane. The gradient of their mean is kept.
    fn totals_with_gradient<T: Sample + WithDType>(
        &self,
        batch: &Batch<'_, T>,
        wrt: Input,
        shape: &Shape,
    ) -> Result<Vec<f64>> {
        let mut gradient = vec![T::zero(); shape.elem_count()];
        let factor = -1.0 / batch.windows() as f64;
        let planes = gradient.par_chunks_mut(batch.plane_len());
        let total = |(pair, gradient): (Result<_>, &mut [T])| {
            Ok(pull_back(&batch.plan, pair?, wrt, Cotangent::Constant(factor), gradient))
        };
        let totals = batch.pairs().zip(planes).map(total).collect::<Result<_>>()?;
        // Another run of the same operation has the same images.
        let _ = self.gradient.set(Tensor::from_vec(gradient, shape, &Device::Cpu)?);
        Ok(totals)
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

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        lx: &Layout,
        y: &CudaStorage,
        ly: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (loss, gradient) = cuda::loss(&self.params, self.differentiated, (x, lx), (y, ly))?;
        if let Some(gradient) = gradient {
            // Another run of the same operation has the same images.
            let _ = self.gradient.set(gradient);
        }
        Ok((loss, Shape::from(())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Some((wrt, gradient)) = self.differentiated.zip(self.gradient.get()) else {
            return gradients(&self.params, Objective::Loss, x, y, grad);
        };
        let gradient = times(gradient, grad)?;
        Ok(match wrt {
            Input::First => (Some(gradient), None),
            Input::Second => (None, Some(gradient)),
        })
    }
}

/// The product with a scalar.
fn times(gradient: &Tensor, scalar: &Tensor) -> Result<Tensor> {
    // To read the scalar would be to wait for the device.
    if !scalar.device().is_cpu() {
        return gradient.broadcast_mul(scalar);
    }
    match scalar.to_dtype(DType::F64)?.to_scalar::<f64>()? {
        1.0 => Ok(gradient.clone()),
        factor => gradient.affine(factor, 0.0),
    }
}
