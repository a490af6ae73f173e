//! Folders of results, which may lie among the folders of a data set.

use std::path::Path;

/// Files of results: a model, an evaluation, a prediction and a tuning have all of a list.
const MADE: [&[&str]; 4] = [
    &["config.toml", "log.jsonl"],
    &["metrics.json", "images.csv"],
    &["predictions.jsonl", "run.json"],
    &["tune.json"],
];

/// Whether a folder has results of this program, which are no images of a data set.
pub fn is_made(folder: &Path) -> bool {
    MADE.iter().any(|files| files.iter().all(|file| folder.join(file).is_file()))
}
