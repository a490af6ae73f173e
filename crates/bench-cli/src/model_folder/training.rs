//! What a training leaves beside weights.

use crate::config::Settings;
use models::{DeviceChoice, Extractor, FeatureMatching, Objective, Precision};
use serde::{Deserialize, Serialize};

/// How a model came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The version of this program.
    pub version: String,
    /// Patches seen.
    pub patches: u64,
    /// Duration of the training, summed over all its parts.
    pub seconds: f64,
    /// Threads that the last part ran on.
    pub threads: usize,
    /// The device that the last part ran on, as [`models::device_name`] calls it.
    #[serde(default = "cpu")]
    pub device: String,
    /// What the layers were multiplied in.
    #[serde(default)]
    pub precision: Precision,
    /// The mean loss of the last epoch.
    pub loss: f64,
    /// Whether the reconstructions were constant at the end.
    pub collapsed: bool,
    /// Number of images trained on.
    pub images: usize,
    /// SHA-256 over names and contents of the training images.
    pub data_sha256: String,
    /// The features that were matched, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeaturesRecord>,
    /// SHA-256 of the weights that it ended with; empty in records of before there was such a field.
    #[serde(default)]
    pub weights_sha256: String,
    /// The settings that decided about the weights.
    #[serde(default)]
    pub settings: Settings,
}

/// What trained the models of which it is not said.
fn cpu() -> String {
    DeviceChoice::Cpu.to_string()
}

/// Which features were matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeaturesRecord {
    pub extractor: Extractor,
    /// SHA-256 of the file of its weights.
    pub sha256: String,
}

impl FeaturesRecord {
    pub fn of(objective: &Objective) -> Option<Self> {
        let Objective::FeatureMatching(FeatureMatching { features, .. }) = objective else {
            return None;
        };
        let (extractor, sha256) = (features.extractor(), features.sha256().to_owned());
        Some(Self { extractor, sha256 })
    }
}

/// One line of the training log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    pub epoch: u64,
    pub patches: u64,
    pub loss: f64,
    pub contrast: f64,
    /// Since the start of the training, summed over all its parts.
    pub seconds: f64,
    pub patches_per_second: f64,
}
