//! The operations on CUDA devices, in single precision.
//!
//! # Bytes
//!
//! A block computes a tile of 32 columns and `57 - K` rows, for windows of K×K pixels, or fewer rows so that tiles are equally high.
//! It reads each pixel that it needs once, into shared memory, where windows are summed along rows and then down columns. Neighbouring tiles
//! read the pixels between them twice: with K = 11 and the highest tiles a pixel is read (42 · 56) / (32 · 46) = 1.6 times, with K = 31
//! 4.2 times, mostly from the second level of cache.
//!
//! | bytes per pixel of a pair in `f32` | at least | as designed | if no halo were in the cache, K = 11 |
//! |---|---|---|---|
//! | m maps | 8 + 4m | 8 + 4m | 12.8 + 4m |
//! | loss | 8 | 8 | 12.8 |
//! | loss and gradient of one image | 12 | 44 | 61 |
//!
//! The gradient takes two kernels: `ssim_linearise` reads two planes and writes three coefficients for each window, `ssim_pull_back`
//! reads all five and writes the gradient. One kernel for both would need the windows around a tile, and the pixels around those:
//! with K = 11 it would compute each window 1.6 times and read each pixel 2.6 times, and with K = 31 the pixels and windows of a
//! tile would not fit into 48 KB. Besides, a training batch with its coefficients mostly stays in the second level of cache. To
//! multiply the gradient by what arrives from behind costs 8 bytes more.
//!
//! By count, not by measurement, shared memory is what bounds the kernels: a window of K = 11 takes some 85 reads of 4 bytes there,
//! which is 2.7 clocks of a multiprocessor at 128 bytes per clock. On 132 of them at 1.7 GHz that is 12 ps for each window, where
//! device memory of 3.3 TB/s has moved the 12 bytes of an SSIM map after 4 ps.

mod batch;
mod launch;

use candle_core::{CudaStorage, Result, Shape, Storage, Tensor, op::BackpropOp};

use self::batch::{Batch, Stored, contiguous};
use super::objective::Objective;
use crate::{Components, Input, Params};

/// The wanted maps of every plane, (M, N, C, H', W').
pub(super) fn maps(
    params: &Params,
    components: Components,
    x: Stored<'_>,
    y: Stored<'_>,
) -> Result<(CudaStorage, Shape)> {
    let batch = Batch::new(params, x, y)?;
    let (images, channels, ..) = x.1.shape().dims4()?;
    let (height, width) = (batch.arguments.map_height, batch.arguments.map_width);
    let shape = (components.len(), images, channels, height, width);
    Ok((batch.wrap(batch.maps(components)?), shape.into()))
}

/// The mean of 1 − SSIM, and its gradient with respect to one of the images if there is one to be differentiated.
pub(super) fn loss(
    params: &Params,
    differentiated: Option<Input>,
    x: Stored<'_>,
    y: Stored<'_>,
) -> Result<(CudaStorage, Option<Tensor>)> {
    let batch = Batch::new(params, x, y)?;
    let Some(wrt) = differentiated else {
        return Ok((batch.wrap(batch.loss()?), None));
    };
    let batch = batch.with_respect_to(wrt);
    let (loss, gradient) = batch.loss_and_gradient()?;
    let gradient = Storage::Cuda(batch.wrap(gradient));
    let gradient = Tensor::from_storage(gradient, x.1.shape().clone(), BackpropOp::none(), false);
    Ok((batch.wrap(loss), Some(gradient)))
}

/// The gradient of the objective with respect to one of the images, (N, C, H, W), given the gradient that arrives at it.
pub(super) fn gradient(
    params: &Params,
    (of, wrt): (Objective, Input),
    x: Stored<'_>,
    y: Stored<'_>,
    grad: Stored<'_>,
) -> Result<(CudaStorage, Shape)> {
    let batch = Batch::new(params, x, y)?.with_respect_to(wrt);
    let gradient = batch.gradient(of, &contiguous(grad)?)?;
    Ok((batch.wrap(gradient), x.1.shape().clone()))
}
