//! The tables of the configuration that belong to single methods.

use crate::Result;
use crate::error::{Context, bail};
use crate::extractor_weights::{ExtractorWeights, read_extractor_weights};
use crate::files::shown;
use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use inspect::{SampleScore, Sampled};
use models::{Elbo, Extractor, FeatureMatching, Features};
use serde::{Deserialize, Serialize};
use ssim::{Border, Constants, Exponents, Params, Window};
use std::path::PathBuf;

/// The structural similarity, in the loss and in the residual map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SsimConfig {
    /// `uniform:SIZE` or `gaussian:SIZE:SIGMA`; the paper's is K = 11 (section 4.2).
    pub window: Window,
    /// `paper` (0.01 and 0.03, as the paper's text has them), `squared` (0.01² and 0.03², as Wang et al. (2004) and nearly
    /// all software) or `C1,C2`, for images in [0, 1].
    pub constants: Constants,
    /// Of luminance, contrast and structure; the paper's are 1 (section 4.2).
    pub exponents: Exponents,
}

impl Default for SsimConfig {
    fn default() -> Self {
        Self {
            window: Window::Uniform { size: 11 },
            constants: Constants::squared(),
            exponents: Exponents::ONE,
        }
    }
}

impl SsimConfig {
    /// The structural similarity with a treatment of the image's edge.
    pub fn params(self, border: Border) -> Params {
        let Self { window, constants, exponents } = self;
        Params { window, border, constants, exponents }
    }
}

/// The variational autoencoder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaeConfig {
    /// Weight of the divergence from the prior in the loss; 1 gives the evidence lower bound.
    pub kl_weight: f64,
    /// Variance of a pixel's likelihood in the loss; ½ makes it the sum of squares.
    pub variance: f64,
    /// Latent samples that each patch is reconstructed from; the paper's are 6 (section 4.2).
    pub samples: usize,
    /// How the samples of a pixel are scored.
    pub score: VaeScore,
    /// The smallest variance of a pixel's reconstructions that the score `probability` reckons with.
    pub variance_floor: f64,
}

/// The score of the samples of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaeScore {
    /// The reconstruction probability (section 4.2).
    #[default]
    Probability,
    /// The mean squared difference.
    Mse,
}

impl Default for VaeConfig {
    fn default() -> Self {
        let Elbo { kl_weight, variance } = Elbo::default();
        let score = VaeScore::default();
        Self { kl_weight, variance, samples: 6, score, variance_floor: 1e-4 }
    }
}

impl VaeConfig {
    /// The loss.
    pub fn elbo(self) -> Elbo {
        Elbo { kl_weight: self.kl_weight, variance: self.variance }
    }

    /// The residual map.
    pub fn residual(self) -> Sampled {
        let Self { samples, variance_floor, .. } = self;
        let score = match self.score {
            VaeScore::Probability => SampleScore::Probability { variance_floor },
            VaeScore::Mse => SampleScore::Mse,
        };
        Sampled { samples, score }
    }
}

/// Feature matching.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturesConfig {
    /// Which layers of which network; the paper's is AlexNet (section 4.2).
    pub extractor: Extractor,
    /// The file of its weights, for training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Weight of the features' squared difference; the paper's is 1 (section 4.2).
    pub lambda: f64,
}

impl Default for FeaturesConfig {
    fn default() -> Self {
        Self { extractor: Extractor::default(), weights: None, lambda: 1.0 }
    }
}

impl FeaturesConfig {
    /// # Errors
    /// If λ is out of range.
    pub fn validate(&self) -> Result<()> {
        if !(self.lambda >= 0.0 && self.lambda.is_finite()) {
            bail!("features.lambda must be at least 0, got {}", self.lambda);
        }
        Ok(())
    }

    /// The loss, with the weights of the file.
    ///
    /// # Errors
    /// If no file is named, or it does not hold the extractor's weights.
    pub fn matching(&self, device: &Device) -> Result<FeatureMatching> {
        let extractor = self.extractor;
        let path = self.weights.as_ref().with_context(|| {
            format!(
                "the method feature-matching needs the weights of {extractor}: --features-weights FILE; \
                 `cargo xtask weights {extractor}` downloads them"
            )
        })?;
        let ExtractorWeights { tensors, sha256 } = read_extractor_weights(path, extractor)?;
        let vb = VarBuilder::from_tensors(tensors, DType::F32, device);
        let features = Features::new(extractor, sha256, vb).with_context(|| {
            format!("{}: expected weights of {extractor} by torchvision's names", shown(path))
        })?;
        Ok(FeatureMatching { features, weight: self.lambda })
    }
}
