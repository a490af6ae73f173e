//! The losses of the paper's methods, as functions on tensors.
//!
//! The paper sums over pixels; these losses are means over pixels and patches, so that losses of different patch sizes and windows can
//! be compared. Adam's steps are the same for both but for the weight decay. [`Objective`](crate::Objective) is a choice between them.

mod elbo;
mod feature_matching;

pub use elbo::{Elbo, elbo};
pub use feature_matching::{FeatureMatching, feature_matching};

use crate::Result;
use candle_core::Tensor;

/// The mean squared difference per pixel of reconstructions and patches of equal shape (the paper's section 3).
///
/// ```
/// use candle_core::{Device, Tensor};
/// use models::loss;
///
/// let patches = Tensor::new(&[[[[0_f32, 1.0], [0.5, 0.5]]]], &Device::Cpu)?;
/// let reconstructions = Tensor::new(&[[[[0_f32, 0.0], [0.5, 0.5]]]], &Device::Cpu)?;
/// assert_eq!(loss::l2(&reconstructions, &patches)?.to_scalar::<f32>()?, 0.25);
/// # Ok::<(), models::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Tensor`] for tensors of different shapes.
pub fn l2(reconstructions: &Tensor, patches: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::loss::mse(reconstructions, patches)?)
}

/// The mean of 1 − SSIM over the map, of reconstructions and patches `(N, 1, H, W)` (the paper's section 3; Wang et al., 2004).
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::loss;
/// use ssim::{Border, Constants, Params, Window};
///
/// // Without variance, SSIM is the luminance: 0.01 / (0.5² + 0.01).
/// let patches = Tensor::zeros((1, 1, 4, 4), DType::F32, &Device::Cpu)?;
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::paper());
/// let loss = loss::ssim(&(&patches + 0.5)?, &patches, &params)?.to_scalar::<f32>()?;
/// assert!((loss - (1.0 - 0.01 / 0.26)).abs() < 1e-6);
/// # Ok::<(), models::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Tensor`] for tensors of different shapes, or smaller than the window.
pub fn ssim(reconstructions: &Tensor, patches: &Tensor, params: &ssim::Params) -> Result<Tensor> {
    Ok(ssim::tensor::ssim_loss(reconstructions, patches, params)?)
}
