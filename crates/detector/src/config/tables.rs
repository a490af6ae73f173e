//! The tables of the configuration that all methods have in common.

use crate::error::bail;
use crate::{Dataset, Layout, Margins, Result, Split};
use inspect::{Averaging, ThresholdRule};
use models::Architecture;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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

/// The images, and the part of them that is inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The folder of the data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// Its layout; told from its folders if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Pixels left out at each side of every image, before scaling.
    pub margins: Margins,
    /// Width and height that images are scaled to; the paper scales the textures to 256×256 (section 4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// The fraction of good images that are kept from training for the calibration, rounded down.
    pub held_out: f64,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { root: None, layout: None, margins: Margins::default(), size: None, held_out: 0.1 }
    }
}

impl DataConfig {
    /// Finds the images.
    ///
    /// # Errors
    /// If no folder is named, or see [`Dataset::open`].
    pub fn open(&self) -> Result<Dataset> {
        match &self.root {
            Some(root) => Dataset::open(root, self.layout),
            None => bail!("which images? --data DIR names the folder of the data set"),
        }
    }

    /// The good images of the data set, split into those to train on and those held out.
    ///
    /// # Errors
    /// See [`DataConfig::open`].
    pub fn split(&self) -> Result<Split> {
        Ok(Split::of(self.open()?.train, self.held_out))
    }
}

/// How images are inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectionConfig {
    /// Distance between neighbouring patches in pixels; the paper's is 30 (section 4.2).
    pub stride: usize,
    /// Patches reconstructed at once.
    pub batch_size: usize,
    /// The planes that are averaged where patches overlap.
    pub averaging: Averaging,
    /// Diameter of the disk of the opening in pixels; the paper's is 4 (section 4.2), 0 leaves the map as it is.
    pub opening_diameter: usize,
}

impl Default for InspectionConfig {
    fn default() -> Self {
        let averaging = Averaging::Reconstruction;
        Self { stride: 30, batch_size: 96, averaging, opening_diameter: 4 }
    }
}

/// How the threshold follows from good images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// The rule.
    pub threshold: ThresholdRule,
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self { threshold: ThresholdRule::Max {} }
    }
}
