//! The records of runs of `predict` over lists of images.

use serde::{Deserialize, Serialize};

/// A run over a list of images: `run.json` in the folder of its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The version of the program.
    pub version: String,
    /// The part of the list, as `--shard` names it; absent if it is all of it.
    pub shard: Option<String>,
    /// As in the records of images.
    pub settings: String,
    /// Whether the run has come to the end of its list. The numbers are 0 until then.
    pub finished: bool,
    /// The images of the whole list.
    pub listed: usize,
    /// The images of this part of it, inspected or not.
    pub images: usize,
}

/// An image that could not be inspected: a line of `failures.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRecord {
    /// The path of the image; absent if a list names none.
    pub image: Option<String>,
    /// Why it could not be inspected.
    pub error: String,
}

/// The joined results of shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeRecord {
    /// The shards that have results.
    pub shards: usize,
    /// Records of images.
    pub images: usize,
    /// Those of defective images among them.
    pub defective: usize,
    /// Shards and images that are missing, and images that have several records: a message for each.
    pub problems: Vec<String>,
}
