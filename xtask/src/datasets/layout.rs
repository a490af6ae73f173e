//! The images in a folder that is arranged in one of `bench-cli`'s layouts.

use super::manifest::Count;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Layout and numbers of images of a folder.
#[derive(Debug, PartialEq)]
pub struct Survey {
    /// The name of the layout, as `data.layout` has it.
    pub layout: &'static str,
    pub count: Count,
    /// Masks that should be there and are not.
    pub missing_masks: Vec<PathBuf>,
}

/// Tells the layout from the folders below `root`, and counts images.
///
/// # Errors
/// If there is no training image in any of the layouts, or a folder cannot be read.
pub fn survey(root: &Path) -> Result<Survey> {
    let (layout, good) = if root.join("train/good").is_dir() {
        let layout = if masks_have_no_ending(root)? { "woven-textures" } else { "mvtec-ad" };
        (layout, root.join("train/good"))
    } else if root.join("Normal").is_dir() && root.join("Anomalous").is_dir() {
        ("nanotwice", root.join("Normal"))
    } else {
        ("flat", root.to_owned())
    };
    let train = images(&good)?.len();
    let tests = match layout {
        "flat" => Vec::new(),
        "nanotwice" => samples(&root.join("Anomalous/images"), &root.join("Anomalous/gt"), "_gt")?,
        layout => defects(root, if layout == "mvtec-ad" { "_mask" } else { "" })?,
    };
    let incomplete = ["train", "test", "ground_truth", "Normal", "Anomalous"];
    let is_flat = layout == "flat";
    if train == 0 || (is_flat && incomplete.iter().any(|name| root.join(name).exists())) {
        bail!(
            "{}: expected images in `train/good`, in `Normal` beside `Anomalous`, or nothing but images, got {}",
            root.display(),
            names(root)?
        );
    }
    let count = Count { train, test: tests.len() };
    let missing_masks = tests.into_iter().flatten().filter(|mask| !mask.is_file()).collect();
    Ok(Survey { layout, count, missing_masks })
}

/// Whether masks are named as their images.
fn masks_have_no_ending(root: &Path) -> Result<bool> {
    let ground_truth = root.join("ground_truth");
    if !ground_truth.is_dir() {
        return Ok(false);
    }
    for folder in subfolders(&ground_truth)? {
        if let Some(mask) = images(&folder)?.first() {
            return Ok(!stem(mask).ends_with("_mask"));
        }
    }
    Ok(false)
}

/// The masks of the test images in `test/<defect>`; good images have none.
fn defects(root: &Path, ending: &str) -> Result<Vec<Option<PathBuf>>> {
    let test = root.join("test");
    let mut all = Vec::new();
    for folder in if test.is_dir() { subfolders(&test)? } else { Vec::new() } {
        let defect = folder.file_name().unwrap_or_default();
        let of_folder = samples(&folder, &root.join("ground_truth").join(defect), ending)?;
        let is_good = defect == "good";
        all.extend(of_folder.into_iter().map(|mask| mask.filter(|_| !is_good)));
    }
    Ok(all)
}

/// The masks of the images of a folder.
fn samples(folder: &Path, masks: &Path, ending: &str) -> Result<Vec<Option<PathBuf>>> {
    let mask = |image: &PathBuf| Some(masks.join(format!("{}{ending}.png", stem(image))));
    Ok(images(folder)?.iter().map(mask).collect())
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The images of a folder that `bench-cli` would read, sorted.
fn images(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut images = entries(folder)?;
    images.retain(|path| {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        ["bmp", "jpeg", "jpg", "png", "tif", "tiff"].iter().any(|known| ending == *known)
            && path.is_file()
    });
    Ok(images)
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
