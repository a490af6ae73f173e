//! The folder layouts of public data sets.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::shown;
use crate::{Error, Result};

use super::list::{images_in, stem, subfolders};

/// How a data set's folders are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// MVTec AD, one category: `train/good/*`, `test/<defect>/<id>.*` with `test/good` among them,
    /// and `ground_truth/<defect>/<id>_mask.png`.
    MvtecAd,
    /// The woven textures: as [`Layout::MvtecAd`], but masks have their image's name,
    /// `ground_truth/<defect>/<id>.png`.
    WovenTextures,
    /// NanoTWICE: `Normal/*`, `Anomalous/images/<id>.*` and `Anomalous/gt/<id>_gt.png`.
    #[serde(rename = "nanotwice")]
    NanoTwice,
    /// A folder of good images, to train on.
    Flat,
}

impl Layout {
    /// Tells the layout from the folders below `root`.
    ///
    /// # Errors
    /// If `root` cannot be read or has none of the layouts; the error says what was looked for.
    pub fn detect(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            let got = if root.exists() { "a file" } else { "nothing" };
            return Err(Error::file(root, format!("expected the folder of a data set, got {got}")));
        }
        if root.join("train/good").is_dir() {
            return if has_unsuffixed_masks(root)? {
                Ok(Self::WovenTextures)
            } else {
                Ok(Self::MvtecAd)
            };
        }
        if root.join("Normal").is_dir() && root.join("Anomalous").is_dir() {
            return Ok(Self::NanoTwice);
        }
        // Other folders beside the images say that this is a data set, but an incomplete one.
        let known = ["train", "test", "ground_truth", "Normal", "Anomalous"];
        if !known.iter().any(|name| root.join(name).exists()) && !images_in(root)?.is_empty() {
            return Ok(Self::Flat);
        }
        Err(Error::file(root, nothing_found(root)?))
    }
}

/// Whether the masks are named as their images.
fn has_unsuffixed_masks(root: &Path) -> Result<bool> {
    let ground_truth = root.join("ground_truth");
    if !ground_truth.is_dir() {
        return Ok(false);
    }
    for folder in subfolders(&ground_truth)? {
        if let Some(mask) = images_in(&folder)?.first() {
            return Ok(!stem(mask).ends_with("_mask"));
        }
    }
    Ok(false)
}

fn nothing_found(root: &Path) -> Result<String> {
    if fs::read_dir(root)?.next().is_none() {
        return Ok("expected a data set, got an empty folder".to_owned());
    }
    let category = subfolders(root)?.into_iter().find(|folder| folder.join("train/good").is_dir());
    let hint = category.map(|folder| format!("; {} has one: name that folder", shown(&folder)));
    Ok(format!(
        "expected a folder `train/good` (MVTec AD, woven textures), folders \
         `Normal` and `Anomalous` (NanoTWICE) or images (PNG, TIFF, BMP, JPEG), got none of them{}",
        hint.unwrap_or_default()
    ))
}
