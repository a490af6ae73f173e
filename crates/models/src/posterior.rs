//! The latent layer of a variational autoencoder.

use crate::Result;
use candle_core::Tensor;

/// Log-variances are cut off at ± this, so that e to it stays finite: standard deviations lie between 5·10⁻⁵ and 2·10⁴.
pub(crate) const MAX_LOG_VARIANCE: f64 = 20.0;

/// Normal distributions Q(z|x) of latent vectors with independent components, one for each patch.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use models::Posterior;
///
/// // A patch whose code is that of the prior, and one of mean 3 and standard deviation 2.
/// let tensor = |values: [f32; 2]| Tensor::new(&values, &Device::Cpu)?.reshape((2, 1));
/// let posterior = Posterior::new(tensor([0.0, 3.0])?, &tensor([0.0, 4_f32.ln()])?)?;
/// let values = |tensor: Tensor| tensor.flatten_all()?.to_vec1::<f32>();
/// assert_eq!(values(posterior.sample(&tensor([1.5, 1.5])?)?)?, [1.5, 6.0]);
///
/// let divergence = values(posterior.kl_divergence()?)?;
/// assert_eq!(divergence[0], 0.0);
/// assert!((divergence[1] - 0.5 * (9.0 + 4.0 - 4_f32.ln() - 1.0)).abs() < 1e-6);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Posterior {
    mean: Tensor,
    log_variance: Tensor,
}

impl Posterior {
    /// The distributions of given means and logarithms of variances, both `(N, latent_dim)`. Logarithms beyond ± 20 are cut
    /// off there, and then have no gradient.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] for tensors of different shapes.
    pub fn new(mean: Tensor, log_variance: &Tensor) -> Result<Self> {
        let (expected, got) = (mean.dims2()?, log_variance.dims2()?);
        if expected != got {
            let message = format!("expected log-variances of shape {expected:?}, got {got:?}");
            return Err(candle_core::Error::Msg(message).bt().into());
        }
        let log_variance = log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE)?;
        Ok(Self { mean, log_variance })
    }

    /// The means `(N, latent_dim)`.
    pub fn mean(&self) -> &Tensor {
        &self.mean
    }

    /// The logarithms of the variances `(N, latent_dim)`.
    pub fn log_variance(&self) -> &Tensor {
        &self.log_variance
    }

    /// Latent vectors `mean + e^(log_variance / 2) · noise` for standard normal `noise` `(N, latent_dim)`, through which
    /// gradients reach mean and variance (Kingma and Welling 2014, section 2.4).
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] for noise of another shape.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        let deviation = (&self.log_variance * 0.5)?.exp()?;
        Ok((&self.mean + (deviation * noise)?)?)
    }

    /// The Kullback-Leibler divergence from the prior N(0, I) of each distribution, `(N)`:
    /// `½ Σ (mean² + variance − log variance − 1)` over components (Kingma and Welling 2014, appendix B). At least 0, but
    /// for rounding, and 0 for the prior.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] if the device fails.
    pub fn kl_divergence(&self) -> Result<Tensor> {
        let excess = ((self.log_variance.exp()? - &self.log_variance)? - 1.0)?;
        Ok(((self.mean.sqr()? + excess)?.sum(1)? * 0.5)?)
    }
}
