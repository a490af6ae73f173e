//! Whether a folder holds the set that a manifest describes.

use super::layout::{names, survey};
use super::manifest::Manifest;
use anyhow::{Result, bail, ensure};
use std::path::{Path, PathBuf};

/// What is there of a set.
pub struct Found {
    /// The folders of its data sets that are there.
    pub folders: Vec<String>,
    /// What is there and what is not, a line each.
    pub notes: Vec<String>,
}

/// Looks at the images of a set below `root`, of which a part will do if `may_be_part`.
///
/// # Errors
/// If there are none, or in another layout than the manifest's, or without masks, or fewer than there should be.
pub fn check(manifest: &Manifest, root: &Path, may_be_part: bool) -> Result<Found> {
    let mut found = Found { folders: Vec::new(), notes: Vec::new() };
    for folder in manifest.folders() {
        let path = below(root, folder);
        if may_be_part && !folder.is_empty() && !path.is_dir() {
            found.notes.push(format!("{}: not there", path.display()));
            continue;
        }
        let (count, is_part) = check_one(manifest, folder, root)?;
        ensure!(
            may_be_part || !is_part,
            "{}: expected the whole set, got {count}; --root DIR takes a part",
            path.display()
        );
        found.notes.push(format!("{}: {count}", path.display()));
        found.folders.push(folder.to_owned());
    }
    ensure!(
        !found.folders.is_empty(),
        "{}: expected folders {}, got {}",
        root.display(),
        manifest.categories.join(", "),
        names(root)?
    );
    Ok(found)
}

/// Looks at the images of one data set: how many there are, and whether these are less or more than the whole.
///
/// # Errors
/// If there are none, or in another layout than the manifest's, or without masks.
pub fn check_one(manifest: &Manifest, folder: &str, root: &Path) -> Result<(String, bool)> {
    let path = below(root, folder);
    let survey = survey(&path)?;
    let data = manifest.config.get("data").and_then(toml::Value::as_table);
    let layout = data.and_then(|data| data.get("layout")).and_then(toml::Value::as_str);
    if let Some(layout) = layout.filter(|layout| *layout != survey.layout) {
        bail!("{}: expected the layout {layout}, got {}", path.display(), survey.layout);
    }
    if let Some(mask) = survey.missing_masks.first() {
        bail!("{}: expected this mask of a test image, got none", mask.display());
    }
    let count = survey.count;
    Ok(match manifest.count(folder).filter(|whole| *whole != count) {
        None => (format!("{} training and {} test images", count.train, count.test), false),
        Some(whole) => {
            let train = format!("{} of {} training images", count.train, whole.train);
            (format!("{train} and {} of {} test images", count.test, whole.test), true)
        }
    })
}

/// `root` itself if there is no name, without the slash that joining an empty one leaves.
pub fn below(root: &Path, folder: impl AsRef<Path>) -> PathBuf {
    root.join(folder).components().collect()
}
