//! Where the masks of images lie.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::list::{images_below, images_in};
use crate::Result;

/// Names that folders of masks have.
pub(super) const MASK_FOLDERS: [&str; 7] =
    ["ground_truth", "masks", "mask", "labels", "label", "gt", "mask_images"];

/// The suffixes that names of masks add to those of their images.
pub(super) const SUFFIXES: [&str; 5] = ["_label", "_mask", "_gt", "-mask", "-label"];

/// Where masks lie, if not where the layout has them: the setting `data.masks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskNames {
    /// The folder of the masks, from that of the data set; masks may lie in it or in a folder of it with the name of the images' one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The suffix that the name of a mask adds to that of its image, before the extension. Further masks of an image may have a number behind
    /// that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

impl MaskNames {
    /// The suffix of the settings, or those that are known.
    pub(super) fn suffixes(&self) -> Vec<&str> {
        self.suffix.as_deref().map_or(SUFFIXES.into(), |suffix| vec![suffix])
    }
}

/// The masks of some folders by the names of their images.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks {
    by_name: HashMap<Vec<u8>, Vec<PathBuf>>,
}

impl Masks {
    /// Those of folders, which need not exist; where several have masks of an image, those of the first.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn in_folders(folders: &[PathBuf], suffix: &str) -> Result<Self> {
        let mut masks = Self::default();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            let mut found = Self::default();
            images_in(folder)?.into_iter().for_each(|mask| found.add(mask, suffix));
            for (name, of_image) in found.by_name {
                masks.by_name.entry(name).or_insert(of_image);
            }
        }
        Ok(masks)
    }

    /// Adds a file, if its name has the suffix.
    pub fn add(&mut self, mask: PathBuf, suffix: &str) {
        if let Some(name) = image_of(mask.file_stem().unwrap_or_default(), suffix) {
            self.by_name.entry(name).or_default().push(mask);
        }
    }

    /// Those of an image.
    pub fn of(&self, image: &Path) -> Vec<PathBuf> {
        let name = image.file_stem().unwrap_or_default().as_encoded_bytes();
        self.by_name.get(name).cloned().unwrap_or_default()
    }
}

/// The name of the image that a mask of this name is of, in any encoding.
pub(super) fn image_of(mask: &OsStr, suffix: &str) -> Option<Vec<u8>> {
    let name = mask.as_encoded_bytes();
    let ends = |name: &[u8]| {
        let at = name.len().checked_sub(suffix.len())?;
        name[at..].eq_ignore_ascii_case(suffix.as_bytes()).then(|| name[..at].to_vec())
    };
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    match suffix.is_empty() {
        true => Some(name.to_vec()),
        false => ends(name).or_else(|| ends(&name[..name.len() - digits])),
    }
}

/// The suffix of the masks beside the images in `root` and its folders, if at least half of the images have one.
///
/// # Errors
/// If a folder cannot be read.
pub(super) fn suffix_beside(root: &Path, names: &MaskNames) -> Result<Option<String>> {
    let images = images_below(root)?;
    let has_suffix = |suffix: &&str| {
        let (masks, images) = told_apart(images.clone(), &[*suffix]);
        let masked = images.iter().filter(|image| masks.contains_key(&place(image))).count();
        masked > 0 && 2 * masked >= images.len()
    };
    Ok(names.suffixes().into_iter().find(has_suffix).map(str::to_owned))
}

/// The folder of a file, and its name without extension in any encoding.
pub(super) type Place = (PathBuf, Vec<u8>);

/// Masks by the [places](place) of their images, and the images: a file is a mask if its name is that of another one with a suffix.
pub(super) fn told_apart(
    files: Vec<PathBuf>,
    suffixes: &[&str],
) -> (HashMap<Place, Vec<PathBuf>>, Vec<PathBuf>) {
    let all: HashSet<_> = files.iter().map(|file| place(file)).collect();
    let (mut masks, mut images) = (HashMap::<_, Vec<PathBuf>>::new(), Vec::new());
    for file in files {
        let (folder, _) = place(&file);
        let name = file.file_stem().unwrap_or_default();
        let named = suffixes.iter().filter(|suffix| !suffix.is_empty());
        let mut named = named.filter_map(|suffix| Some((folder.clone(), image_of(name, suffix)?)));
        match named.find(|image| all.contains(image)) {
            Some(image) => masks.entry(image).or_default().push(file),
            None => images.push(file),
        }
    }
    (masks, images)
}

/// The place of a file.
pub(super) fn place(file: &Path) -> Place {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    (folder, file.file_stem().unwrap_or_default().as_encoded_bytes().to_vec())
}
