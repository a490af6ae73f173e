//! The images of a data set.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use inspect::{Image, Mask};

use super::Layout;
use super::list::{images_in, some_images_in, stem, subfolders};
use crate::error::ensure;
use crate::files::shown;
use crate::images::{read_image, read_mask};
use crate::{Error, Result};

/// The type of a test image without defect.
const GOOD: &str = "good";

/// The files of a data set, each list sorted by its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The folder that was opened.
    pub root: PathBuf,
    /// How it is arranged.
    pub layout: Layout,
    /// Good images to train on: at least one.
    pub train: Vec<PathBuf>,
    /// Images to evaluate on: none if the data set has no such folder.
    pub test: Vec<TestSample>,
}

/// A test image and its ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSample {
    /// The image file.
    pub image: PathBuf,
    /// The mask file; a good image has none.
    pub mask: Option<PathBuf>,
    /// The type of the defect, `good` for none: the name of the folder that the image lies in.
    pub defect: String,
    /// The image's name without extension, unique within `defect`.
    pub id: String,
}

impl Dataset {
    /// Finds the images below `root`, in the given layout or in the one that its folders show.
    ///
    /// # Errors
    /// If the layout's folders are missing or hold no training image, or if a defective image has
    /// no mask.
    pub fn open(root: &Path, layout: Option<Layout>) -> Result<Self> {
        let layout = layout.map_or_else(|| Layout::detect(root), Ok)?;
        let (train, test) = match layout {
            Layout::MvtecAd => (train_good(root)?, test_folders(root, "_mask")?),
            Layout::WovenTextures => (train_good(root)?, test_folders(root, "")?),
            Layout::NanoTwice => {
                (some_images_in(&root.join("Normal"))?, anomalous(&root.join("Anomalous"))?)
            }
            Layout::Flat => (some_images_in(root)?, Vec::new()),
        };
        check_names(&test)?;
        Ok(Self { root: root.to_path_buf(), layout, train, test })
    }
}

/// Results of an image bear its name without extension.
fn check_names(test: &[TestSample]) -> Result<()> {
    let mut named = HashMap::new();
    for sample in test {
        if let Some(other) = named.insert((&sample.defect, &sample.id), &sample.image) {
            let expected = "expected names that differ in more than their extensions";
            let message = format!("{expected}, got {}, too", shown(other));
            return Err(Error::file(&sample.image, message));
        }
    }
    Ok(())
}

impl TestSample {
    /// Whether the image has no defect.
    pub fn is_good(&self) -> bool {
        self.mask.is_none()
    }

    /// Reads the image and its mask; a good image has an empty one.
    ///
    /// # Errors
    /// If a file cannot be read, or if their sizes differ.
    pub fn load(&self) -> Result<(Image, Mask)> {
        let image = read_image(&self.image)?;
        let (width, height) = (image.width(), image.height());
        let Some(path) = &self.mask else {
            return Ok((image, Mask::filled(width, height, false)));
        };
        let mask = read_mask(path)?;
        ensure!(
            (mask.width(), mask.height()) == (width, height),
            "mask {} has {}x{} pixels, its image {} has {width}x{height}",
            shown(path),
            mask.width(),
            mask.height(),
            shown(&self.image)
        );
        Ok((image, mask))
    }
}

fn train_good(root: &Path) -> Result<Vec<PathBuf>> {
    some_images_in(&root.join("train/good"))
}

/// The samples of all folders `test/<defect>`, with masks `ground_truth/<defect>/<id><suffix>.png`.
fn test_folders(root: &Path, suffix: &str) -> Result<Vec<TestSample>> {
    let test = root.join("test");
    let mut samples = Vec::new();
    // A data set may be one to train on only.
    let folders = if test.is_dir() { subfolders(&test)? } else { Vec::new() };
    for folder in folders {
        let defect = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let masks = (defect != GOOD).then(|| root.join("ground_truth").join(&defect));
        for image in images_in(&folder)? {
            samples.push(sample(image, &defect, masks.as_deref(), suffix)?);
        }
    }
    Ok(samples)
}

fn anomalous(folder: &Path) -> Result<Vec<TestSample>> {
    let masks = folder.join("gt");
    let images = images_in(&folder.join("images"))?;
    images.into_iter().map(|image| sample(image, "anomalous", Some(&masks), "_gt")).collect()
}

fn sample(image: PathBuf, defect: &str, masks: Option<&Path>, suffix: &str) -> Result<TestSample> {
    let id = stem(&image);
    let mask = masks.map(|folder| {
        // As it is, and not as it is shown: names need not be Unicode.
        let mut name = image.file_stem().unwrap_or_default().to_owned();
        name.push(format!("{suffix}.png"));
        folder.join(name)
    });
    if let Some(path) = mask.as_ref().filter(|path| !path.is_file()) {
        let message = format!("expected its mask {}, which does not exist", shown(path));
        return Err(Error::file(&image, message));
    }
    Ok(TestSample { image, mask, defect: defect.to_owned(), id })
}
