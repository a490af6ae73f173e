//! The tables of the configuration that all methods have in common, but for `[data]`.

use super::SsimMap;
use inspect::{Averaging, Blend, ThresholdRule};
use models::Architecture;
use serde::{Deserialize, Serialize};
use ssim::{Constants, Exponents, Window};

/// The size of the network; the method decides about its latent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Side length of the square patches in pixels: 128, 64 or 32.
    pub patch_size: usize,
    /// Dimension of the latent space; the paper's are 100 for textures and 500 for nanofibres (section 4.2).
    pub latent_dim: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        let Architecture { patch_size, latent_dim, .. } = Architecture::default();
        Self { patch_size, latent_dim }
    }
}

/// How an image and its reconstruction are compared, apart from the loss: it can be changed without training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResidualConfig {
    /// The measure.
    pub measure: Measure,
    /// The window of SSIM where a map has none of its own; that of the loss if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The constants of SSIM, a residual map for each pair; those of the loss if there are none.
    pub constants: Vec<SsimMap>,
    /// The exponents of SSIM; those of the loss if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponents: Option<Exponents>,
}

/// A measure of the difference between an image and its reconstruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// That of the method: 1 − SSIM, the squared difference, or the score of a VAE's samples.
    #[default]
    Method,
    /// The squared difference.
    L2,
    /// 1 − SSIM.
    Ssim,
}

impl ResidualConfig {
    /// As in the loss.
    pub fn paper() -> Self {
        Self { measure: Measure::Method, window: None, constants: Vec::new(), exponents: None }
    }
}

impl Default for ResidualConfig {
    /// Contrast counts above 0.03² in one map, which suits strong textures, and above 0.3 and within 3×3 pixels in the other, which
    /// suits smooth ones.
    fn default() -> Self {
        let fine = Some(Window::Uniform { size: 3 });
        let smooth = SsimMap { constants: Constants::given(0.01, 0.3), window: fine };
        let constants = vec![Constants::squared().into(), smooth];
        Self { constants, ..Self::paper() }
    }
}

/// How images are inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectionConfig {
    /// Distance between neighbouring patches in pixels; the paper's is 30 (section 4.2). Half a patch if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Patches reconstructed at once.
    pub batch_size: usize,
    /// The image beyond its border.
    pub border: BeyondBorder,
    /// The weights of a patch's pixels where patches overlap.
    pub blend: Blend,
    /// The planes that are averaged where patches overlap.
    pub averaging: Averaging,
    /// Standard deviations in pixels of the Gaussians that smooth the residual maps; none leaves them as they are.
    pub smoothing: Vec<f64>,
    /// The unit of the scores.
    pub scores: Scores,
    /// Diameter of the disk of the opening in pixels; the paper's is 4 (section 4.2), 0 leaves the map as it is.
    pub opening_diameter: usize,
}

/// The image beyond its border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeyondBorder {
    /// It ends there, as in the paper: patches lie inside.
    None,
    /// It is mirrored half a patch beyond, so that border pixels lie in the middle of patches, too.
    Mirror,
}

/// The unit of the scores of an anomaly map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scores {
    /// Of the residual map, as in the paper. There is one such map, under at most one Gaussian.
    Residual,
    /// The distance from what is normal for good images, see [`inspect::Reference`]: 0 is typical, and 1 the threshold.
    Relative,
}

impl InspectionConfig {
    /// As in section 4.2 of the paper.
    pub fn paper() -> Self {
        Self {
            stride: Some(30),
            border: BeyondBorder::None,
            blend: Blend::Flat,
            smoothing: Vec::new(),
            scores: Scores::Residual,
            opening_diameter: 4,
            ..Self::default()
        }
    }
}

impl Default for InspectionConfig {
    fn default() -> Self {
        Self {
            stride: None,
            batch_size: 96,
            border: BeyondBorder::Mirror,
            blend: Blend::Hann,
            averaging: Averaging::Reconstruction,
            smoothing: vec![2.0, 8.0, 20.0],
            scores: Scores::Relative,
            opening_diameter: 0,
        }
    }
}

/// How the decision follows from good images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// The rule of the threshold.
    pub threshold: ThresholdRule,
    /// The pixels of the smallest region that counts as a defect. The rule `largest_region` has a least area of its own, one
    /// pixel more than it allows.
    pub min_area: usize,
    /// Good images that the threshold is derived from, at least: where fewer are held out, images that the network was trained on
    /// join them, as far as there are any. Rare scores of good images are better known from many images, even from those, than from few.
    pub min_images: usize,
}

impl CalibrationConfig {
    /// No pixel of the good images that are held out is flagged.
    pub fn paper() -> Self {
        Self { threshold: ThresholdRule::Max {}, min_area: 1, min_images: 1 }
    }
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        let threshold = ThresholdRule::FalseAlarms { images: 20.0 };
        Self { threshold, min_area: 1, min_images: 20 }
    }
}
