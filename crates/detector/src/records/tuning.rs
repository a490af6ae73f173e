//! Records of a tuning.

use super::DrawnFound;
use crate::Method;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The settings that suit a texture, from good images alone: `tune.json`. `C` is a choice that needs no training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningRecord<C = serde_json::Value> {
    /// The version of the program.
    pub version: String,
    /// The folder of the data set.
    pub data: String,
    /// Good images that settings were compared on.
    pub good_images: usize,
    /// Defects that were drawn into them.
    pub drawn_defects: usize,
    /// Thresholds are those of one false alarm in this number of good images.
    pub false_alarms: f64,
    /// The time for training and comparing, in minutes; absent if models were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
    /// The time that it took so far, in seconds, with that for labels.
    pub seconds: f64,
    /// Which candidates are trained for how long.
    pub rungs: Vec<Rung>,
    /// The candidates, the best first.
    pub candidates: Vec<TunedCandidate<C>>,
    /// Whether the tuning came to its end.
    pub is_complete: bool,
    /// How well the drawn defects rank settings as labels do, if there were labels to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// A step of successive halving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// The number of candidates that are trained on.
    pub candidates: usize,
    /// The patches that each has seen at the end of the step.
    pub patches: u64,
}

/// A model and the choices that were compared on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TunedCandidate<C = serde_json::Value> {
    /// Its name, and that of its model's folder.
    pub name: String,
    /// The method.
    pub method: Method,
    /// Width and height that images are scaled to, if they are.
    pub size: Option<[usize; 2]>,
    /// The dimension of the latent space.
    pub latent_dim: usize,
    /// Side length of the patches in pixels.
    pub patch_size: usize,
    /// Patches seen.
    pub patches: u64,
    /// The mean loss of the last epoch; losses of different methods do not compare.
    pub loss: f64,
    /// Whether the reconstructions are of no use: see [`TrainingRecord::collapsed`](super::TrainingRecord::collapsed).
    pub collapsed: bool,
    /// Whether some hundreds of choices were compared, rather than some 20.
    pub is_thorough: bool,
    /// The figures of the best choice after shorter trainings, and after this one, of some 20.
    pub history: Vec<PastFigures>,
    /// The choices, the best first.
    pub choices: Vec<MeasuredChoice<C>>,
}

/// The figures of the best choice at the end of a step of the schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastFigures {
    /// Patches seen.
    pub patches: u64,
    /// The figures.
    #[serde(flatten)]
    pub figures: ChoiceFigures,
}

/// A choice and its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredChoice<C = serde_json::Value> {
    /// The tables and keys of the configuration.
    pub choice: C,
    /// The figures.
    #[serde(flatten)]
    pub figures: ChoiceFigures,
}

/// The defects that a choice finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceFigures {
    /// The share of the drawn defects that is found, as the mean over their kinds.
    pub found: f64,
    /// The area under the ROC curve of the largest scores of good images and of images with one of the defects.
    pub au_roc: f64,
    /// The area under the ROC curve of the scores of a defect's pixels and of those of good images: the mean over the defects.
    pub pixel_au_roc: f64,
    /// Each kind that was drawn.
    pub kinds: Vec<DrawnFound>,
    /// The area under the ROC curve of the largest scores of test images, by their labels. Nothing is chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_au_roc: Option<f64>,
}

impl ChoiceFigures {
    /// Puts first what separates the pixels of defects better from good ones, and of equals what finds more defects. Of what is found at
    /// a threshold, few defects decide.
    pub fn best_first(&self, other: &Self) -> Ordering {
        other.pixel_au_roc.total_cmp(&self.pixel_au_roc).then(other.found.total_cmp(&self.found))
    }
}

/// How figures by drawn defects agree with the area under the ROC curve of images by labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Spearman's rank correlation over the best choices of the candidates; absent for fewer than three of them.
    pub over_candidates: Option<f64>,
    /// The same over all choices of all candidates.
    pub over_choices: Option<f64>,
    /// The area by labels of what was chosen.
    pub chosen: f64,
    /// The largest area by labels of all choices: chosen with the labels in view.
    pub best: f64,
    /// The area by labels of the default choice on the first candidate, if that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<f64>,
}
