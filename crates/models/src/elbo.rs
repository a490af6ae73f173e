//! The loss of variational autoencoders.

use crate::{Error, Posterior, Result};
use candle_core::Tensor;

/// The evidence lower bound of a patch x of P pixels, negated, without its constant, and divided by P:
///
/// `(Σ (x − x̂)² / (2 · variance) + kl_weight · KL(Q(z|x) ‖ N(0, I))) / P`
///
/// with x̂ decoded from one sample of Q(z|x) (Kingma and Welling, 2014). The first term is −log of a Gaussian likelihood of
/// each pixel, summed over pixels; its constant, `½ log(2π · variance)` per pixel, has no gradient. Within the bound nothing
/// is scaled: the division by P scales all of it, and makes the loss comparable with that of [`crate::Objective::L2`].
///
/// The paper's section 4 names neither the variance nor a scale. The default variance, ½, makes the first term the sum of
/// squared differences.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::{Elbo, Objective, Posterior};
///
/// // Every pixel is off by 1/2. A posterior of mean 1 and variance 1 diverges by 1/2 from the prior, shared by 4 pixels.
/// let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
/// let patches = zeros(&[1, 1, 2, 2])?;
/// let reconstructions = (&patches + 0.5)?;
/// let posterior = Posterior::new((zeros(&[1, 1])? + 1.0)?, &zeros(&[1, 1])?)?;
/// let loss = Objective::Elbo(Elbo::default()).loss(&reconstructions, &patches, Some(&posterior))?;
/// assert_eq!(loss.to_scalar::<f32>()?, 0.25 + 0.5 / 4.0);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elbo {
    /// Weight of the divergence; 1 gives the bound.
    pub kl_weight: f64,
    /// Variance of a pixel's likelihood, for intensities in [0, 1].
    pub variance: f64,
}

impl Default for Elbo {
    /// The sum of squares plus the divergence.
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

    /// The mean over patches; see [`Elbo`].
    pub(crate) fn loss(
        &self,
        reconstructions: &Tensor,
        patches: &Tensor,
        posterior: Option<&Posterior>,
    ) -> Result<Tensor> {
        let missing = || Error::setting("posterior", "that of a variational network", "none");
        let posterior = posterior.ok_or_else(missing)?;
        let (count, pixels) = patches.flatten_from(1)?.dims2()?;
        let squares = (reconstructions - patches)?.sqr()?.mean_all()?;
        let divergence = (posterior.kl_divergence()?.sum_all()? / (count * pixels) as f64)?;
        Ok(((squares * (0.5 / self.variance))? + (divergence * self.kl_weight)?)?)
    }
}
