//! The loss of variational autoencoders.

use crate::posterior::Posterior;
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// The settings of [`elbo`].
///
/// ```
/// use models::Elbo;
///
/// let settings: Elbo = serde_json::from_str(r#"{ "kl_weight": 0.5 }"#)?;
/// assert_eq!(settings, Elbo { kl_weight: 0.5, ..Elbo::default() });
/// let error = Elbo { variance: 0.0, ..settings }.validate().unwrap_err();
/// assert_eq!(error.to_string(), "variance must be positive, got 0");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elbo {
    /// Weight of the divergence; 1 gives the bound.
    pub kl_weight: f64,
    /// Variance of a pixel's likelihood, for intensities in [0, 1].
    pub variance: f64,
}

impl Default for Elbo {
    /// The sum of squares plus the divergence: the paper names neither a variance nor a weight (section 4.2).
    fn default() -> Self {
        Self { kl_weight: 1.0, variance: 0.5 }
    }
}

impl Elbo {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range.
    pub fn validate(&self) -> Result<()> {
        if !(self.kl_weight >= 0.0 && self.kl_weight.is_finite()) {
            return Err(Error::setting("kl_weight", "at least 0", self.kl_weight));
        }
        if !(self.variance > 0.0 && self.variance.is_finite()) {
            return Err(Error::setting("variance", "positive", self.variance));
        }
        Ok(())
    }
}

/// The evidence lower bound of a patch x of P pixels, negated, without its constant, and divided by P; the mean over patches
/// `(N, 1, H, W)`:
///
/// `(Σ (x − x̂)² / (2 · variance) + kl_weight · KL(Q(z|x) ‖ N(0, I))) / P`
///
/// with x̂ decoded from one sample of `posterior`, Q(z|x) (Kingma and Welling, 2014). The first term is −log of a Gaussian likelihood of
/// each pixel, summed over pixels; its constant, `½ log(2π · variance)` per pixel, has no gradient. The division by P scales the whole
/// bound, and makes the loss comparable with [`l2`](crate::loss::l2()).
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::{Elbo, Posterior, loss};
///
/// // Every pixel is off by 1/2. A posterior of mean 1 and variance 1 diverges by 1/2 from the prior, shared by 4 pixels.
/// let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
/// let patches = zeros(&[1, 1, 2, 2])?;
/// let reconstructions = (&patches + 0.5)?;
/// let posterior = Posterior::new((zeros(&[1, 1])? + 1.0)?, &zeros(&[1, 1])?)?;
/// let loss = loss::elbo(&reconstructions, &patches, &posterior, Elbo::default())?;
/// assert_eq!(loss.to_scalar::<f32>()?, 0.25 + 0.5 / 4.0);
/// # Ok::<(), models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Tensor`] for tensors of different shapes.
pub fn elbo(
    reconstructions: &Tensor,
    patches: &Tensor,
    posterior: &Posterior,
    settings: Elbo,
) -> Result<Tensor> {
    let Elbo { kl_weight, variance } = settings;
    let (count, pixels) = patches.flatten_from(1)?.dims2()?;
    let squares = candle_nn::loss::mse(reconstructions, patches)?;
    let divergence = (posterior.kl_divergence()?.sum_all()? / (count * pixels) as f64)?;
    Ok(((squares * (0.5 / variance))? + (divergence * kl_weight)?)?)
}
