//! The loss that a training run minimises.

use crate::architecture::Latent;
use crate::loss::{self, Elbo, FeatureMatching};
use crate::posterior::Posterior;
use crate::{Error, Result};
use candle_core::Tensor;

/// A choice between the losses of [`loss`](crate::loss), with its settings. A new method is a variant here, and its residual map in the
/// crate `inspect`.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::{Elbo, Latent, Objective};
///
/// // Every pixel is off by 1/2.
/// let patches = Tensor::zeros((1, 1, 4, 4), DType::F32, &Device::Cpu)?;
/// let reconstructions = (&patches + 0.5)?;
/// let loss = Objective::L2.loss(&reconstructions, &patches, None)?;
/// assert_eq!(loss.to_scalar::<f32>()?, 0.25);
/// assert_eq!(Objective::Elbo(Elbo::default()).latent(), Latent::Normal);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Objective {
    /// The squared difference per pixel (ℓ2-AE), [`loss::l2()`](crate::loss::l2()).
    L2,
    /// 1 − SSIM per pixel of the map (SSIM-AE), [`loss::ssim()`](crate::loss::ssim()).
    Ssim(ssim::Params),
    /// The evidence lower bound (VAE), negated, [`loss::elbo()`](crate::loss::elbo()).
    Elbo(Elbo),
    /// The squared difference of pixels and of features (FM-AE), [`loss::feature_matching()`](crate::loss::feature_matching()).
    FeatureMatching(FeatureMatching),
}

impl Objective {
    /// The loss, a scalar, of reconstructions of patches, both `(N, 1, H, W)`. [`Objective::Elbo`] takes reconstructions of samples from
    /// `posterior`; the other objectives ignore it.
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
        match self {
            Self::L2 => loss::l2(reconstructions, patches),
            Self::Ssim(params) => loss::ssim(reconstructions, patches, params),
            Self::Elbo(settings) => {
                let missing =
                    || Error::setting("posterior", "that of a variational network", "none");
                let posterior = posterior.ok_or_else(missing)?;
                loss::elbo(reconstructions, patches, posterior, *settings)
            }
            Self::FeatureMatching(settings) => {
                loss::feature_matching(reconstructions, patches, settings)
            }
        }
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
