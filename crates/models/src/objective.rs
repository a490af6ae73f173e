//! What a training run minimises.

use crate::Result;
use candle_core::Tensor;

/// The loss of a method. A new method is a new variant here, and its residual map in the crate `inspect`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Objective {
    /// The squared difference per pixel (ℓ2-AE).
    L2,
    /// 1 − SSIM per pixel of the map (SSIM-AE).
    Ssim(ssim::Params),
}

impl Objective {
    /// The loss, a scalar, of reconstructions of patches, both `(N, 1, H, W)`.
    ///
    /// The paper sums over pixels; this is the mean over pixels and patches, so that losses of different patch sizes and
    /// windows can be compared. Adam's steps are the same for both but for the weight decay.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] for tensors of different shapes, or smaller than the SSIM window.
    pub fn loss(&self, reconstructions: &Tensor, patches: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::L2 => (reconstructions - patches)?.sqr()?.mean_all()?,
            Self::Ssim(params) => ssim::tensor::ssim_loss(reconstructions, patches, params)?,
        })
    }
}
