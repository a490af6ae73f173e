//! The loss of feature-matching autoencoders.

use super::Features;
use crate::{Error, Result};
use candle_core::Tensor;

/// The squared difference of pixels and of features F: `(‖x − x̂‖² + weight · ‖F(x) − F(x̂)‖²) / P` for a patch x of P pixels.
///
/// Both norms are sums, as in the paper, and the division by P scales both: the weight, λ, means what it does there,
/// and the loss is that of [`crate::Objective::L2`] for a weight of 0.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::{Extractor, FeatureMatching, Features, Objective};
///
/// // An extractor that sees nothing leaves the squared difference of pixels.
/// let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
/// let tensors = Extractor::Alexnet.tensors().into_iter();
/// let tensors = tensors.map(|(name, shape)| Ok((name, zeros(&shape)?))).collect::<models::Result<_>>()?;
/// let features = Features::new(Extractor::Alexnet, &tensors, "none".to_owned(), &Device::Cpu)?;
/// let objective = Objective::FeatureMatching(FeatureMatching { features, weight: 1.0 });
/// let patches = zeros(&[1, 1, 32, 32])?;
/// let loss = objective.loss(&(&patches + 0.5)?, &patches, None)?;
/// assert_eq!(loss.to_scalar::<f32>()?, 0.25);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMatching {
    /// What is compared beside pixels.
    pub features: Features,
    /// λ; the paper's is 1 (section 4.2).
    pub weight: f64,
}

impl FeatureMatching {
    pub(crate) fn validate(&self) -> Result<()> {
        match self.weight >= 0.0 && self.weight.is_finite() {
            true => Ok(()),
            false => Err(Error::setting("weight", "at least 0", self.weight)),
        }
    }

    /// The mean over patches; see [`FeatureMatching`].
    pub(crate) fn loss(&self, reconstructions: &Tensor, patches: &Tensor) -> Result<Tensor> {
        let squares = (reconstructions - patches)?.sqr()?.mean_all()?;
        // Those of the originals are data.
        let wanted = self.features.extract_detached(patches)?;
        let got = self.features.extract(reconstructions)?;
        let distance = ((got - wanted)?.sqr()?.sum_all()? / patches.elem_count() as f64)?;
        Ok((squares + (distance * self.weight)?)?)
    }
}
