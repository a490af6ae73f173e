//! The loss of feature-matching autoencoders.

use crate::features::Features;
use crate::{Error, Result};
use candle_core::Tensor;

/// The settings of [`feature_matching`]: the extractor with its weights, and the weight of the features.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMatching {
    /// The feature extractor, F.
    pub features: Features,
    /// The weight of the features' squared difference, λ; the paper's is 1 (section 4.2).
    pub weight: f64,
}

impl FeatureMatching {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a weight below 0, infinite or NaN.
    pub fn validate(&self) -> Result<()> {
        match self.weight >= 0.0 && self.weight.is_finite() {
            true => Ok(()),
            false => Err(Error::setting("weight", "at least 0", self.weight)),
        }
    }
}

/// The squared difference of pixels and of features F, of a patch x of P pixels; the mean over patches `(N, 1, H, W)` (the
/// paper's section 3):
///
/// `(‖x − x̂‖² + weight · ‖F(x) − F(x̂)‖²) / P`
///
/// Both norms are sums, as in the paper, and the division by P scales both: the weight, λ, means what it does there, and the loss is
/// that of [`l2`](crate::loss::l2()) for a weight of 0. The features of the patches have no gradient.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::VarBuilder;
/// use models::{Extractor, FeatureMatching, Features, loss};
///
/// // An extractor whose weights are zero leaves the squared difference of pixels.
/// let zeros = VarBuilder::zeros(DType::F32, &Device::Cpu);
/// let features = Features::new(Extractor::Alexnet, "none", zeros)?;
/// let patches = Tensor::zeros((1, 1, 32, 32), DType::F32, &Device::Cpu)?;
/// let settings = FeatureMatching { features, weight: 1.0 };
/// let loss = loss::feature_matching(&(&patches + 0.5)?, &patches, &settings)?;
/// assert_eq!(loss.to_scalar::<f32>()?, 0.25);
/// # Ok::<(), models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Tensor`] for tensors of different shapes, or too small for the extractor.
pub fn feature_matching(
    reconstructions: &Tensor,
    patches: &Tensor,
    settings: &FeatureMatching,
) -> Result<Tensor> {
    let FeatureMatching { features, weight } = settings;
    let squares = candle_nn::loss::mse(reconstructions, patches)?;
    let wanted = features.extract_detached(patches)?;
    let got = features.extract(reconstructions)?;
    let distance = ((got - wanted)?.sqr()?.sum_all()? / patches.elem_count() as f64)?;
    Ok((squares + (distance * *weight)?)?)
}
