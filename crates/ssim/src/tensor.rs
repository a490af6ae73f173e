//! SSIM as differentiable operations on candle tensors of shape (N, C, H, W), each of whose N·C planes is
//! an image of its own.
//!
//! Tensors are `f32` or `f64`; what is not contiguous is copied first. Both images can be
//! differentiated, and a gradient is computed only for an argument that leads to a variable: a
//! constant target costs nothing. The loss of a single such argument keeps its gradient, which the
//! forward pass finds along with the loss (whose last bit may differ from that of constant images);
//! otherwise the graph keeps the two images and nothing else, and moments are recomputed in the
//! backward pass. There is no second derivative.
//!
//! Results do not depend on the number of threads. On a device without kernels the operations
//! return candle's error for it.

mod batch;
mod gradient;
mod loss;
mod map;

use candle_core::{DType, Error as CandleError, Result, Tensor};

use self::{loss::SsimLoss, map::SsimMap};
use crate::Params;

/// The mean of 1 − SSIM over batch, channels and map, as a scalar of the images' type.
///
/// # Errors
/// Shapes, types or devices that differ; a shape that is not (N, C, H, W); a type other than `f32` and
/// `f64`; a batch without images; and whatever [`loss`](crate::loss()) refuses.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use ssim::{Border, Constants, Params, Window};
///
/// # fn main() -> candle_core::Result<()> {
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let target = Tensor::rand(0_f32, 1.0, (2, 1, 8, 8), &Device::Cpu)?;
/// let reconstruction = Var::zeros((2, 1, 8, 8), target.dtype(), &Device::Cpu)?;
///
/// let loss = ssim::tensor::ssim_loss(&reconstruction, &target, &params)?;
/// let gradients = loss.backward()?;
/// assert_eq!(gradients.get(&reconstruction).map(Tensor::dims), Some(&[2, 1, 8, 8][..]));
/// assert!(gradients.get(&target).is_none());
/// # Ok(())
/// # }
/// ```
pub fn ssim_loss(x: &Tensor, y: &Tensor, params: &Params) -> Result<Tensor> {
    let (x, y) = prepared(x, y, "ssim-loss")?;
    x.apply_op2(&y, SsimLoss::new(params, &x, &y))
}

/// The SSIM map of every plane: (N, C, H, W) → (N, C, H', W'), the size of [`Params::map_size`].
///
/// # Errors
/// As [`ssim_loss`].
pub fn ssim_map(x: &Tensor, y: &Tensor, params: &Params) -> Result<Tensor> {
    let (x, y) = prepared(x, y, "ssim-map")?;
    x.apply_op2(&y, SsimMap { params: *params })
}

/// Checks what the operations require of their arguments, and makes them contiguous.
fn prepared(x: &Tensor, y: &Tensor, op: &'static str) -> Result<(Tensor, Tensor)> {
    x.dims4()?;
    if x.shape() != y.shape() {
        let (lhs, rhs) = (x.shape().clone(), y.shape().clone());
        return Err(CandleError::ShapeMismatchBinaryOp { lhs, rhs, op }.bt());
    }
    if x.dtype() != y.dtype() {
        return Err(CandleError::DTypeMismatchBinaryOp { lhs: x.dtype(), rhs: y.dtype(), op }.bt());
    }
    if !matches!(x.dtype(), DType::F32 | DType::F64) {
        return Err(CandleError::UnsupportedDTypeForOp(x.dtype(), op).bt());
    }
    Ok((x.contiguous()?, y.contiguous()?))
}
