//! Records of an evaluation against ground truth.

use crate::{Method, RuleName};
use inspect::ThresholdRule;
use serde::{Deserialize, Serialize};

/// A model's evaluation: `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// The folder of the data set.
    pub data: String,
    /// Whether the images are computed rather than photographed.
    pub synthetic: bool,
    /// The model's method.
    pub method: Method,
    /// Patches that the model was trained on.
    pub patches: u64,
    /// Duration of its training.
    pub training_seconds: f64,
    /// Duration of the inspection of all images.
    pub seconds: f64,
    /// The numbers.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// A method on synthetic images: a line of `demo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemoRecord {
    /// The paper's name of the method.
    pub method: String,
    /// True: the images are computed.
    pub synthetic: bool,
    /// Duration of the training.
    pub training_seconds: f64,
    /// The numbers.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// The numbers of an evaluation. All pixels of the test set are pooled, as in the paper (section 4.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The figures of pixels; absent if no defective image has a mask.
    #[serde(flatten)]
    pub pixel: Option<PixelMetrics>,
    /// Area under the ROC curve of the images' largest scores; absent unless there are good and defective images.
    pub image_au_roc: Option<f64>,
    /// The good images of `image_au_roc`.
    pub image_au_roc_good: Option<GoodImages>,
    /// The threshold calibrated on good images.
    pub threshold: f32,
    /// The pixels of the smallest region that counts as a defect.
    #[serde(default)]
    pub min_area: usize,
    /// The decisions at this threshold.
    pub at_threshold: AtThreshold,
    /// The decisions at the thresholds of several rules, the calibrated one first; all are derived from good images only.
    pub rules: Vec<RuleResult>,
    /// Test images by type of defect, good ones included.
    pub defect_types: Vec<DefectType>,
    /// Number of test images.
    pub images: usize,
    /// Number of test images with a defect.
    pub defective_images: usize,
    /// Number of test images that count nowhere: without a region of interest, or with all their defects outside of it.
    #[serde(default)]
    pub images_left_out: usize,
    /// Number of defective test images without a mask, which count in the figures of images alone.
    #[serde(default)]
    pub images_without_mask: usize,
    /// Number of pixels in the regions of interest of all images but those without a mask.
    pub pixels: u64,
    /// Number of defective pixels.
    pub defective_pixels: u64,
}

/// The figures of pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelMetrics {
    /// Area under the ROC curve of the anomaly maps.
    pub pixel_au_roc: f64,
    /// Area under the ROC curve of the first residual map of each image.
    pub pixel_au_roc_raw: f64,
    /// Average precision of the anomaly maps.
    pub pixel_average_precision: f64,
    /// The largest F1 of all thresholds.
    pub pixel_f1_max: f64,
    /// The threshold of `pixel_f1_max`, chosen with the test labels in view.
    pub pixel_f1_max_threshold: f32,
    /// Area under the per-region-overlap curve up to a false-positive rate of 0.3, divided by 0.3.
    pub au_pro: f64,
    /// The decisions at the threshold of the largest F1.
    pub oracle: Oracle,
}

impl Metrics {
    /// Number of test images without a defect.
    pub fn good_images(&self) -> usize {
        self.images - self.defective_images
    }

    /// A figure of pixels, if there are any.
    pub fn of_pixels(&self, figure: impl Fn(&PixelMetrics) -> f64) -> Option<f64> {
        self.pixel.as_ref().map(figure)
    }

    /// All thresholds with their names: those of the rules, the calibrated one first, and last the oracle's if there is one.
    pub fn thresholds(&self) -> impl Iterator<Item = (String, f32, &AtThreshold)> {
        let calibrated = |index| if index == 0 { " (calibrated)" } else { "" };
        let rules = self.rules.iter().enumerate().map(move |(index, of_rule)| {
            let name = format!("{}{}", RuleName(of_rule.rule), calibrated(index));
            (name, of_rule.threshold, &of_rule.result)
        });
        let oracle = self.pixel.iter().map(|pixel| {
            let Oracle { threshold, result } = &pixel.oracle;
            ("test labels in view".to_owned(), *threshold, result)
        });
        rules.chain(oracle)
    }
}

/// Good images that defective ones are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoodImages {
    /// Those of the test set.
    Test,
    /// Those held out from training, which thresholds are calibrated on, too; many test sets have no good image.
    HeldOut,
}

/// Counts and ratios of the decisions at a threshold; a ratio of nothing to nothing is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AtThreshold {
    /// Defective among flagged pixels.
    pub precision: Option<f64>,
    /// Flagged among defective pixels.
    pub recall: Option<f64>,
    /// Flagged among good pixels.
    pub false_positive_rate: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// Intersection of flagged and defective pixels over their union.
    pub iou: Option<f64>,
    /// Defects (8-connected regions of the ground truth) with at least one flagged pixel.
    pub regions_found: usize,
    /// Defects.
    pub regions: usize,
    /// Flagged 8-connected regions without a defective pixel.
    pub false_alarms: usize,
    /// False alarms divided by the number of images, good or defective, without those that lack ground truth.
    pub false_alarms_per_image: f64,
    /// Images with at least one flagged pixel.
    pub images_flagged: usize,
    /// Defective images with a flagged pixel that is defective; of those without a mask, all with a flagged pixel.
    #[serde(default)]
    pub defective_images_hit: usize,
    /// Good images with at least one flagged pixel.
    #[serde(default)]
    pub good_images_flagged: usize,
}

/// The decisions at the threshold of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleResult {
    /// The rule.
    pub rule: ThresholdRule,
    /// Its threshold.
    pub threshold: f32,
    /// The decisions.
    #[serde(flatten)]
    pub result: AtThreshold,
}

/// The decisions at the threshold of the largest F1. It is chosen with the test labels in view: no rule can know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oracle {
    /// The threshold.
    pub threshold: f32,
    /// The decisions.
    #[serde(flatten)]
    pub result: AtThreshold,
}

/// The decisions on the test images of a type of defect, at the calibrated threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefectType {
    /// The name of the images' folder, `good` for none.
    pub defect: String,
    /// Number of images.
    pub images: usize,
    /// Number of defective pixels.
    pub defective_pixels: u64,
    /// The decisions.
    #[serde(flatten)]
    pub result: AtThreshold,
}

/// A test image: a row of `images.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRow {
    /// Its name without extension.
    #[serde(with = "cells")]
    pub image: String,
    /// The name of its folder, `good` for no defect.
    #[serde(with = "cells")]
    pub defect: String,
    /// The largest threshold at which the image is defective.
    pub score: f32,
    /// Pixels of the regions that count as defects.
    pub flagged_pixels: usize,
    /// Defective pixels; absent if it is defective and has no mask.
    pub defective_pixels: Option<usize>,
}

/// Texts as cells that no spreadsheet takes for formulas.
mod cells {
    use crate::files::{cell, text_of_cell};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&cell(text))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text_of_cell(&text).to_owned())
    }
}
