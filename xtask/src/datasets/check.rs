//! Comparison of the images of a folder with a manifest.

use super::layout::{names, survey};
use super::manifest::Manifest;
use anyhow::{Result, bail, ensure};
use std::path::{Path, PathBuf};

/// The part of a set that is there.
pub struct Found {
    /// The folders of its data sets that are there.
    pub folders: Vec<String>,
    /// A line for each data set, whether it is there or not.
    pub notes: Vec<String>,
}

/// Checks the images of a set below `root`. With `may_be_part`, a part of the set is enough.
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

/// Counts the images of one data set; returns the counts as text, and whether they differ from those of the manifest.
///
/// # Errors
/// If there are none, or in another layout than the manifest's, or without masks.
pub fn check_one(manifest: &Manifest, folder: &str, root: &Path) -> Result<(String, bool)> {
    let path = below(root, folder);
    let survey = survey(&path)?;
    let data = manifest.config.get("data").and_then(toml::Value::as_table);
    let layout = data.and_then(|data| data.get("layout")).and_then(toml::Value::as_str);
    if let Some(layout) = layout.filter(|layout| *layout != survey.layout.key()) {
        bail!("{}: expected the layout {layout}, got {}", path.display(), survey.layout.key());
    }
    if let Some(image) = survey.without_mask.first() {
        bail!("{}: expected a mask of this test image, got none", image.display());
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

/// Joins a folder to `root`; an empty one gives `root` without a trailing slash.
pub fn below(root: &Path, folder: impl AsRef<Path>) -> PathBuf {
    root.join(folder).components().collect()
}
