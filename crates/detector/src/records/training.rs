//! Records of a training.

use super::Settings;
use serde::{Deserialize, Deserializer, Serialize};

/// How a model was trained: `training.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// The version of the program.
    pub version: String,
    /// Patches seen.
    pub patches: u64,
    /// Duration of the training, summed over all its parts.
    pub seconds: f64,
    /// Threads of the last part.
    pub threads: usize,
    /// The device of the last part: `cpu`, or the name of a GPU.
    #[serde(default = "cpu")]
    pub device: String,
    /// `f32`, `tf32` or `bf16`: the setting `training.precision`.
    #[serde(default = "f32")]
    pub precision: String,
    /// The mean loss of the last epoch.
    pub loss: f64,
    /// Whether the reconstructions are of no use: constant at the end, or no better than a constant.
    pub collapsed: bool,
    /// How good images are reconstructed; absent if they could not be read at the end, and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconstruction: Option<ReconstructionRecord>,
    /// Number of images trained on.
    pub images: usize,
    /// SHA-256 over names and contents of the training images.
    pub data_sha256: String,
    /// The features that were matched, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<FeaturesRecord>,
    /// SHA-256 of the weights that the training ended with; empty in records of earlier versions.
    #[serde(default)]
    pub weights_sha256: String,
    /// The settings that decided about the weights.
    #[serde(default)]
    pub settings: Settings,
}

fn cpu() -> String {
    "cpu".to_owned()
}

fn f32() -> String {
    "f32".to_owned()
}

/// Reconstructions of good images, held out from the training if there are such, compared with the best constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReconstructionRecord {
    /// The mean loss over their pixels: 1 − SSIM for the method `ssim`, the squared difference for all others.
    pub loss: f64,
    /// The same of the constant intensity that has the least.
    pub constant_loss: f64,
    /// Their number.
    pub images: usize,
}

impl ReconstructionRecord {
    /// Whether the network has learnt something: a constant shows no defect.
    pub fn is_better_than_constant(&self) -> bool {
        self.loss < self.constant_loss
    }
}

/// The features that a training matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeaturesRecord {
    /// `alexnet` or `squeezenet`: the setting `features.extractor`.
    pub extractor: String,
    /// SHA-256 of the file of its weights.
    pub sha256: String,
}

/// An epoch: a line of `log.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// Patches seen since the start of the training.
    pub patches: u64,
    /// Mean loss of the epoch.
    pub loss: f64,
    /// Contrast of the last reconstructions relative to their patches; below 0.01 the training has collapsed. `null` in JSON, and NaN
    /// here, if it is not finite, or if the training was ended by `--patches` where an earlier part of it had been interrupted.
    #[serde(deserialize_with = "number_or_nan")]
    pub contrast: f64,
    /// Seconds since the start of the training, summed over all its parts.
    pub seconds: f64,
    /// Speed of this part of the training.
    pub patches_per_second: f64,
    /// Mean loss of a patch from the middle of each of at most eight held-out images, at the end of the epoch; absent if none was
    /// held out, and from files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_loss: Option<f64>,
}

/// JSON has no other numbers than finite ones, and `null` stands for them.
fn number_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl LogEntry {
    /// Below this contrast the reconstructions are constant.
    const COLLAPSED_CONTRAST: f64 = 0.01;

    /// Whether the reconstructions were constant grey at the end of the epoch.
    pub fn collapsed(&self) -> bool {
        self.contrast < Self::COLLAPSED_CONTRAST
    }
}

/// A training that is over: the last line of `train`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// The folder of the model.
    pub model: String,
    /// Patches seen.
    pub patches: u64,
    /// Duration of the training, summed over all its parts.
    pub seconds: f64,
    /// The mean loss of the last epoch.
    pub loss: f64,
    /// Whether the reconstructions are of no use: see [`TrainingRecord::collapsed`].
    pub collapsed: bool,
    /// The calibrated threshold.
    pub threshold: f32,
}
