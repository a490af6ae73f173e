//! What a training run minimises.

use crate::elbo::Elbo;
use crate::{Error, FeatureMatching, Latent, Posterior, Result};
use candle_core::Tensor;

/// The loss of a method. A new method is a new variant here, and its residual map in the crate `inspect`.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::{Latent, Objective};
/// use ssim::{Border, Constants, Params, Window};
///
/// // Every pixel is off by 1/2.
/// let patches = Tensor::zeros((1, 1, 4, 4), DType::F32, &Device::Cpu)?;
/// let reconstructions = (&patches + 0.5)?;
/// let loss = Objective::L2.loss(&reconstructions, &patches, None)?;
/// assert_eq!(loss.to_scalar::<f32>()?, 0.25);
///
/// // Without variance, SSIM is the luminance: 0.01 / (0.5² + 0.01).
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::paper());
/// let objective = Objective::Ssim(params);
/// let loss = objective.loss(&reconstructions, &patches, None)?.to_scalar::<f32>()?;
/// assert!((loss - (1.0 - 0.01 / 0.26)).abs() < 1e-6);
/// assert_eq!(objective.latent(), Latent::Vector);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Objective {
    /// The squared difference per pixel (ℓ2-AE).
    L2,
    /// 1 − SSIM per pixel of the map (SSIM-AE).
    Ssim(ssim::Params),
    /// The evidence lower bound (VAE), negated.
    Elbo(Elbo),
    /// The squared difference of pixels and of features (feature-matching autoencoder).
    FeatureMatching(FeatureMatching),
}

impl Objective {
    /// The loss, a scalar, of reconstructions of patches, both `(N, 1, H, W)`; with [`Objective::Elbo`], of reconstructions
    /// from samples of `posterior`, which other objectives do not look at.
    ///
    /// The paper sums over pixels; this is the mean over pixels and patches, so that losses of different patch sizes and
    /// windows can be compared. Adam's steps are the same for both but for the weight decay.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] for tensors of different shapes, or smaller than the SSIM window;
    /// [`crate::Error::Setting`] without the posterior that [`Objective::Elbo`] needs.
    pub fn loss(
        &self,
        reconstructions: &Tensor,
        patches: &Tensor,
        posterior: Option<&Posterior>,
    ) -> Result<Tensor> {
        Ok(match self {
            Self::L2 => (reconstructions - patches)?.sqr()?.mean_all()?,
            Self::Ssim(params) => ssim::tensor::ssim_loss(reconstructions, patches, params)?,
            Self::Elbo(elbo) => elbo.loss(reconstructions, patches, posterior)?,
            Self::FeatureMatching(matching) => matching.loss(reconstructions, patches)?,
        })
    }

    /// The latent layer that the network must have.
    pub fn latent(&self) -> Latent {
        match self {
            Self::L2 | Self::Ssim(_) | Self::FeatureMatching(_) => Latent::Vector,
            Self::Elbo(_) => Latent::Normal,
        }
    }

    /// Checks the settings for patches of the given side.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a setting outside its range.
    pub fn validate(&self, patch_size: usize) -> Result<()> {
        match self {
            Self::L2 => Ok(()),
            Self::Ssim(params) => check_params(params, patch_size),
            Self::Elbo(elbo) => elbo.validate(),
            Self::FeatureMatching(matching) => matching.validate(),
        }
    }
}

/// Checks the parameters of the structural similarity of patches of the given side.
///
/// # Errors
/// [`Error::Setting`] if they cannot be used.
fn check_params(params: &ssim::Params, patch_size: usize) -> Result<()> {
    params.map_size(patch_size, patch_size).map(|_| ()).map_err(|error| {
        let expected = format!("usable with patches of {patch_size}x{patch_size} pixels");
        Error::setting("ssim", expected, error)
    })
}
