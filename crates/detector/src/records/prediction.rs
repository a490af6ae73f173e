//! The record of an inspected image.

use inspect::Region;
use serde::{Deserialize, Serialize};

/// An inspected image: a line of `predictions.jsonl`. Fields that records of earlier versions lack have their defaults then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PredictionRecord {
    /// The path of the image.
    pub image: String,
    /// The beginning of the names of its results.
    pub id: String,
    /// The largest threshold at which the image is defective.
    pub score: f32,
    /// A pixel is defective if its score is at least this.
    pub threshold: f32,
    /// Whether a pixel is defective.
    pub defective: bool,
    /// Seconds to read, inspect and write.
    pub seconds: f64,
    /// The bytes of the file; absent in records of earlier versions.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// When the file was last changed, in seconds since 1970; absent where the file system does not know.
    pub modified: Option<f64>,
    /// When content, rights or names of the file last changed, in seconds since 1970; absent where the system does not know.
    #[serde(default)]
    pub changed: Option<f64>,
    /// SHA-256 of the file, in lower-case hexadecimal; absent in records of earlier versions.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Width and height of the image.
    #[serde(default)]
    pub size: [usize; 2],
    /// The beginning of a hash of all that decides about the result beside the file: the model, its calibration, the decision, and
    /// which files are kept.
    #[serde(default)]
    pub settings: Option<String>,
    /// The files that are kept of the image, from the folder of the results.
    #[serde(default)]
    pub files: Vec<String>,
    /// The number of the image in the list that shards were cut from, from 0; absent if there are no shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// The run lengths of each region, by columns, beginning with that of the pixels before the first of the region; empty unless
    /// `coco.json` is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_lengths: Vec<Vec<usize>>,
    /// The 8-connected regions of defective pixels.
    pub regions: Vec<Region>,
}

impl PredictionRecord {
    /// `good`, or the number of defects.
    pub fn verdict(&self) -> String {
        match self.regions.len() {
            0 => "good".to_owned(),
            1 => "1 defect".to_owned(),
            count => format!("{count} defects"),
        }
    }
}
