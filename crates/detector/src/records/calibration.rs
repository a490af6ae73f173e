//! Records of a calibration.

use super::{DrawnDefects, Settings};
use crate::files::shown_text;
use inspect::{Decision, Reference, ThresholdRule};
use serde::{Deserialize, Serialize};

/// The decision threshold and where it comes from: `calibration.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// A pixel is defective if its score is at least this.
    pub threshold: f32,
    /// The standard error of the threshold, by leaving out one image after the other; absent for other rules than `false_alarms`
    /// and for a single image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// The pixels of the smallest region that counts as a defect; 1 in files of earlier versions.
    #[serde(default = "one")]
    pub min_area: usize,
    /// The rule that gave the threshold.
    pub rule: ThresholdRule,
    /// The thresholds of this rule and then of others on the same images; absent from files of earlier versions.
    #[serde(default)]
    pub rules: Vec<RuleThreshold>,
    /// The largest score of the good images.
    pub good_max: f32,
    /// The score of each good image; absent from files of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<GoodScore>,
    /// Number of good images.
    pub images: usize,
    /// Good images besides these that have no region of interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Whether the training has seen the good images.
    pub source: CalibrationSource,
    /// The inputs that gave the good images, if they are not those of the training: folders, files, lists and patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub good: Vec<String>,
    /// SHA-256 over names and contents of the good images.
    pub data_sha256: String,
    /// SHA-256 of the weights that gave the scores.
    pub weights_sha256: String,
    /// The settings that gave the scores.
    pub scoring: Settings,
    /// How many defects the decision finds that were drawn into some of the good images; absent from files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<DrawnDefects>,
    /// The scores of good images that all others are relative to, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// The largest standard error of a threshold, as a share of it, that needs no warning.
const MOST_ERROR: f64 = 0.25;

fn one() -> usize {
    1
}

impl Calibration {
    /// The threshold and the least area of a defect.
    pub fn decision(&self) -> Decision {
        Decision { threshold: self.threshold, min_area: self.min_area }
    }

    /// The score that one of 20 good images reaches, by the rule `false_alarms:20`, or else the largest score of good images; above 0.
    /// The colours of anomaly maps are scaled by it and not by the threshold, which may be badly chosen.
    pub fn good_unit(&self) -> f32 {
        let is_default =
            |of: &&RuleThreshold| of.rule == ThresholdRule::FalseAlarms { images: 20.0 };
        let by_rule = self.rules.iter().find(is_default).map(|of| of.threshold);
        let candidates = [by_rule, Some(self.good_max), Some(self.threshold.abs())];
        candidates.into_iter().flatten().find(|&unit| unit > 0.0 && unit.is_finite()).unwrap_or(1.0)
    }

    /// A sentence that says so if single good images decide about the threshold of false alarms: there is one, or the standard error
    /// is above a quarter of the threshold.
    pub fn uncertainty(&self) -> Option<String> {
        if self.images == 1 && matches!(self.rule, ThresholdRule::FalseAlarms { .. }) {
            return Some(
                "the threshold is of a single good image, and may suit no other".to_owned(),
            );
        }
        let error = self.standard_error? / f64::from(self.threshold).abs();
        let highest = self.scores.iter().max_by(|a, b| a.score.total_cmp(&b.score))?;
        (error > MOST_ERROR).then(|| {
            format!(
                "the good images differ so much that single ones decide about the threshold, whose standard error is {:.0} % of it; {} scores \
                 highest, {:.2}: if it is good, give more images like it, and if it is not, take it out",
                100.0 * error,
                shown_text(&highest.image),
                highest.score
            )
        })
    }

    /// A sentence that says so if the model hardly tells good from bad; see [`DrawnDefects::doubt`].
    pub fn doubt(&self) -> Option<String> {
        self.drawn.as_ref().and_then(DrawnDefects::doubt)
    }
}

/// The score of a good image in a calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoodScore {
    /// The name of the file.
    pub image: String,
    /// The score of the image, by the calibration's least area.
    pub score: f32,
    /// The column, in the image, of the pixel that scores highest in the region that has this score.
    pub x: usize,
    /// The row of that pixel.
    pub y: usize,
    /// The width of the image in pixels.
    pub width: usize,
    /// The height of the image in pixels.
    pub height: usize,
}

impl RuleThreshold {
    /// The threshold and the least area of a defect by this rule, with no less than this area.
    pub fn decision(&self, min_area: usize) -> Decision {
        Decision { threshold: self.threshold, min_area: self.rule.min_area().max(min_area) }
    }
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
    /// Some were kept from it, and it was trained on the others.
    HeldOutAndTrainedOn,
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
            Self::HeldOutAndTrainedOn => "held out from training or trained on",
            Self::TrainedOn => "trained on",
            Self::Given => "given for the calibration",
            Self::Unknown => "not known to be held out from training",
        }
    }
}
