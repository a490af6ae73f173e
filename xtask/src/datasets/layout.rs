//! The images in a folder that is arranged in one of `bench-cli`'s layouts.

use super::manifest::Count;
use anyhow::{Context, Result};
use detector::{Dataset, Layout};
use std::fs;
use std::path::{Path, PathBuf};

/// Layout and numbers of images of a folder.
#[derive(Debug, PartialEq)]
pub struct Survey {
    pub layout: Layout,
    pub count: Count,
    /// Defective images without the mask that they should have.
    pub without_mask: Vec<PathBuf>,
}

/// Tells the layout from the folders below `root`, and counts images.
///
/// # Errors
/// If there is no training image in any of the layouts, or a folder cannot be read.
pub fn survey(root: &Path) -> Result<Survey> {
    let dataset = Dataset::open(root, None)?;
    let count = Count { train: dataset.train.len(), test: dataset.test.len() };
    let without_mask = dataset.unmasked().map(|sample| sample.image.clone()).collect();
    Ok(Survey { layout: dataset.layout, count, without_mask })
}

/// The folders of a folder, sorted.
///
/// # Errors
/// If it cannot be read.
pub fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

/// The names of the entries of a folder, for an error.
///
/// # Errors
/// If it cannot be read.
pub fn names(folder: &Path) -> Result<String> {
    let mut names: Vec<String> = entries(folder)?
        .iter()
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let count = names.len();
    names.truncate(5);
    Ok(match count {
        0 => "an empty folder".to_owned(),
        1..=5 => names.join(", "),
        _ => format!("{} and {} others", names.join(", "), count - 5),
    })
}

/// All but hidden entries of a folder, sorted.
///
/// # Errors
/// If it cannot be read; the error names it.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read folder {}", folder.display());
    let mut paths = fs::read_dir(folder)
        .with_context(cannot_read)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(cannot_read)?;
    let is_hidden =
        |path: &PathBuf| path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    Ok(paths)
}
