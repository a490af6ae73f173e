//! The settings that the results of an image depend on.

use crate::args::{Keep, MapFormat, Output, PredictArgs, Subfolders};
use anyhow::Result;
use detector::files::sha256;
use detector::{Decision, ModelFolder};
use serde::Serialize;

/// Hexadecimal digits of a hash of settings. Two settings of one archive have the same with a probability of 2⁻⁶⁴.
const DIGITS: usize = 16;

#[derive(Serialize)]
struct Settings {
    model: String,
    threshold: f32,
    min_area: usize,
    write: Vec<Output>,
    keep: Keep,
    subfolders: Subfolders,
    map_format: MapFormat,
}

/// The beginning of a hash of all that decides about the results of an image beside its file.
///
/// # Errors
/// If a file of the model cannot be read.
pub fn settings_hash(
    folder: &ModelFolder,
    decision: Decision,
    args: &PredictArgs,
) -> Result<String> {
    let mut write = args.write.clone();
    // The page is of a run, not of an image.
    write.retain(|output| *output != Output::Report);
    write.sort_unstable();
    write.dedup();
    let settings = Settings {
        model: folder.fingerprint()?,
        threshold: decision.threshold,
        min_area: decision.min_area,
        write,
        keep: args.keep,
        subfolders: args.subfolders,
        map_format: args.map_format,
    };
    let mut hash = sha256(&serde_json::to_vec(&settings)?);
    hash.truncate(DIGITS);
    Ok(hash)
}
