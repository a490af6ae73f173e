//! Records of a calibration.

use super::Settings;
use inspect::ThresholdRule;
use serde::{Deserialize, Serialize};

/// The decision threshold and where it comes from: `calibration.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// A pixel is defective if its score is at least this.
    pub threshold: f32,
    /// The rule that gave the threshold.
    pub rule: ThresholdRule,
    /// The thresholds of this rule and then of others on the same images; absent from files of earlier versions.
    #[serde(default)]
    pub rules: Vec<RuleThreshold>,
    /// The largest score of the good images.
    pub good_max: f32,
    /// Number of good images.
    pub images: usize,
    /// Whether the training has seen the good images.
    pub source: CalibrationSource,
    /// SHA-256 over names and contents of the good images.
    pub data_sha256: String,
    /// SHA-256 of the weights that gave the scores.
    pub weights_sha256: String,
    /// The settings that gave the scores.
    pub scoring: Settings,
}

/// A rule and its threshold on some good images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleThreshold {
    /// The rule.
    pub rule: ThresholdRule,
    /// Its threshold.
    pub threshold: f32,
}

/// Whether the training has seen the good images of a calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalibrationSource {
    /// They were kept from it.
    HeldOut,
    /// It was trained on them.
    TrainedOn,
    /// They were named for the calibration.
    Given,
    /// The images of the data set are not those of the training any more: it may have seen them, or not.
    Unknown,
}

impl CalibrationSource {
    /// As part of a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::HeldOut => "held out from training",
            Self::TrainedOn => "trained on",
            Self::Given => "given for the calibration",
            Self::Unknown => "not known to be held out from training",
        }
    }
}
