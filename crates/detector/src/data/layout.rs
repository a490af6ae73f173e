//! The folder layouts of public data sets, and of those that people have.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::list::{first_with_images, images_below, images_in, stem, subfolders};
use super::masks::{MASK_FOLDERS, MaskNames, image_of, suffix_beside};
use crate::files::shown;
use crate::{Error, Result};

/// How a data set's folders are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// MVTec AD, one category: `train/good/*`, `test/<defect>/<id>.*` with `test/good` among them,
    /// and `ground_truth/<defect>/<id>_mask.*`.
    MvtecAd,
    /// The woven textures: as [`Layout::MvtecAd`], but masks have their image's name,
    /// `ground_truth/<defect>/<id>.*`.
    WovenTextures,
    /// NanoTWICE: `Normal/*`, `Anomalous/images/<id>.*` and `Anomalous/gt/<id>_gt.*`.
    #[serde(rename = "nanotwice")]
    NanoTwice,
    /// AITEX: `NODefect_images/<fabric>/*`, `Defect_images/<id>.*`, whose names hold the type of the defect
    /// (`0001_002_00`), and `Mask_images/<id>_mask.*`.
    Aitex,
    /// Magnetic tiles: `MT_Free/Imgs/*.jpg`, `MT_<defect>/Imgs/<id>.jpg` and masks beside them, `<id>.png`.
    MagneticTiles,
    /// Folders of good images and others, each of a type of defect, such as `OK` and `NG`. Masks may lie in a folder of their own, or
    /// beside the images.
    Folders,
    /// Images in folders of any depth, each with its mask beside it, `<id>_label.*` or `<id>_mask.*`, which is empty if the image is
    /// good: KolektorSDD.
    MasksBeside,
    /// A folder of good images, to train on.
    Flat,
}

impl Layout {
    /// The name in a configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::MvtecAd => "mvtec-ad",
            Self::WovenTextures => "woven-textures",
            Self::NanoTwice => "nanotwice",
            Self::Aitex => "aitex",
            Self::MagneticTiles => "magnetic-tiles",
            Self::Folders => "folders",
            Self::MasksBeside => "masks-beside",
            Self::Flat => "flat",
        }
    }
}

/// How a data set is arranged, as far as its folders do not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// The layout.
    pub layout: Option<Layout>,
    /// Names of folders of good images, in any case.
    pub good: Vec<String>,
    /// Where masks lie.
    pub masks: MaskNames,
}

impl Default for Arrangement {
    fn default() -> Self {
        let good = ["good", "ok", "normal", "pass"].map(String::from).into();
        Self { layout: None, good, masks: MaskNames::default() }
    }
}

impl Arrangement {
    /// Whether a folder is named as one of good images.
    pub(super) fn is_good(&self, folder: &Path) -> bool {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        self.good.iter().any(|good| good.eq_ignore_ascii_case(&name))
    }

    /// The first folder of good images in `folder`, if it has one.
    pub(super) fn good_folder(&self, folder: &Path) -> Result<Option<PathBuf>> {
        let folders = if folder.is_dir() { subfolders(folder)? } else { Vec::new() };
        Ok(folders.into_iter().find(|folder| self.is_good(folder)))
    }

    /// Whether a folder in that of the data set holds masks.
    pub(super) fn is_of_masks(&self, folder: &Path) -> bool {
        let name = folder.file_name().unwrap_or_default();
        let is_named = |known: &&str| name.eq_ignore_ascii_case(known);
        MASK_FOLDERS.iter().any(is_named)
            || self.masks.folder.as_ref().is_some_and(|masks| masks.file_name() == Some(name))
    }

    /// Tells the layout from the folders below `root`.
    ///
    /// # Errors
    /// If `root` cannot be read or has none of the layouts; the error says what was looked for.
    pub(super) fn detect(&self, root: &Path) -> Result<Layout> {
        if !root.is_dir() {
            let got = if root.exists() { "a file" } else { "nothing" };
            return Err(Error::file(root, format!("expected the folder of a data set, got {got}")));
        }
        let has = |name: &str| root.join(name).is_dir();
        let train = root.join("train");
        if self.good_folder(&train)?.is_some() || (has("train") && !images_in(&train)?.is_empty()) {
            return if has_unsuffixed_masks(root)? {
                Ok(Layout::WovenTextures)
            } else {
                Ok(Layout::MvtecAd)
            };
        }
        if has("Normal") && has("Anomalous/images") {
            return Ok(Layout::NanoTwice);
        }
        if has("NODefect_images") {
            return Ok(Layout::Aitex);
        }
        if tiles(root)?.iter().any(|folder| folder.ends_with("MT_Free")) {
            return Ok(Layout::MagneticTiles);
        }
        for good in subfolders(root)?.iter().filter(|folder| self.is_good(folder)) {
            if !images_below(good)?.is_empty() {
                return Ok(Layout::Folders);
            }
        }
        // Other folders beside the images say that this is a data set, but an incomplete one.
        let known = ["train", "test", "ground_truth", "Normal", "Anomalous"];
        if !known.iter().any(|name| root.join(name).exists()) {
            if suffix_beside(root, &self.masks)?.is_some() {
                return Ok(Layout::MasksBeside);
            }
            if !images_in(root)?.is_empty() {
                return Ok(Layout::Flat);
            }
        }
        Err(Error::file(root, nothing_found(root)?))
    }
}

/// The folders of magnetic tiles.
pub(super) fn tiles(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = subfolders(root)?;
    folders.retain(|folder| stem(folder).starts_with("MT_") && folder.join("Imgs").is_dir());
    Ok(folders)
}

/// Whether there are masks, and all are named as their images.
fn has_unsuffixed_masks(root: &Path) -> Result<bool> {
    let ground_truth = root.join("ground_truth");
    if !ground_truth.is_dir() {
        return Ok(false);
    }
    let mut masks = Vec::new();
    for folder in subfolders(&ground_truth)? {
        masks.extend(images_in(&folder)?);
    }
    let is_suffixed =
        |mask: &PathBuf| image_of(mask.file_stem().unwrap_or_default(), "_mask").is_some();
    Ok(!masks.is_empty() && !masks.iter().any(is_suffixed))
}

fn nothing_found(root: &Path) -> Result<String> {
    if fs::read_dir(root)?.next().is_none() {
        return Ok("expected a data set, got an empty folder".to_owned());
    }
    let folders = subfolders(root)?;
    let category = folders.iter().find(|folder| folder.join("train/good").is_dir());
    let hint = category.map(|folder| format!("; {} has one: name that folder", shown(folder)));
    let hint = hint.or_else(|| {
        let further = shown(&first_with_images(root)?);
        Some(format!("; {further} has images: name the folder that has the good ones"))
    });
    Ok(format!(
        "expected a folder `train/good` (MVTec AD, woven textures), folders \
         `Normal` and `Anomalous/images` (NanoTWICE), `NODefect_images` (AITEX) or `MT_Free` (magnetic tiles), a folder \
         `good` or `OK` beside others, images with masks beside them (KolektorSDD) or images (PNG, TIFF, BMP, JPEG), got none of them{}",
        hint.unwrap_or_default()
    ))
}
