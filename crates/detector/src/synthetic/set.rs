//! Writing a synthetic data set.

use std::fs;
use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use super::render::{render_defective, render_good};
use super::vocabulary::{GENERATOR_VERSION, Rendering, Size, SyntheticKind};
use crate::files::write_atomic;
use crate::images::{write_grey_png, write_grey_tiff, write_mask_png};
use crate::progress::{Progress, tell};
use crate::{Error, Result};

/// The file that says that a folder's images are synthetic, and how they were made.
const NOTE: &str = "SYNTHETIC.md";

/// A synthetic data set to be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The subject of the images.
    pub kind: SyntheticKind,
    /// Names the set: another seed gives other images.
    pub seed: u64,
    /// Number of good images.
    pub good: usize,
    /// The size of good images.
    pub good_size: Size,
    /// Number of defective images.
    pub defective: usize,
    /// The size of defective images.
    pub defective_size: Size,
}

impl Spec {
    /// A set with the sizes and counts of the one it stands for: 100 + 50 images of 512x512 pixels
    /// for fabric, 5 of 1024x700 and 40 of 1024x696 for fibres.
    pub fn full(kind: SyntheticKind, seed: u64) -> Self {
        let (good, good_size, defective, defective_size) = match kind {
            SyntheticKind::Plain | SyntheticKind::Twill => {
                let size = Size { width: 512, height: 512 };
                (100, size, 50, size)
            }
            SyntheticKind::Fibres => {
                (5, Size { width: 1024, height: 700 }, 40, Size { width: 1024, height: 696 })
            }
        };
        Self { kind, seed, good, good_size, defective, defective_size }
    }
}

/// Images that are made between two looks at whether the caller cancels.
const AT_ONCE: usize = 16;

/// Writes a synthetic data set into `folder`: fabric in the layout of the woven textures, fibres in
/// NanoTWICE's.
///
/// A note in the folder says that the images are synthetic. The same set may be written again over
/// itself.
///
/// # Errors
/// If the folder holds anything else, or cannot be written; or if the caller cancels.
pub fn generate(spec: &Spec, folder: &Path, progress: &mut Progress<'_>) -> Result<()> {
    let note = folder.join(NOTE);
    let text = spec.note();
    let is_free =
        !folder.is_dir() || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if !is_free && fs::read_to_string(&note).map_or(true, |found| found != text) {
        let expected = "expected an empty folder for the synthetic data set, or one that holds the same set already";
        return Err(Error::file(folder, expected));
    }
    write_atomic(&note, |file| Ok(file.write_all(text.as_bytes())?))?;
    let all = spec.good + spec.defective;
    for first in (0..all).step_by(AT_ONCE) {
        tell(progress, first)?;
        (first..all.min(first + AT_ONCE)).into_par_iter().try_for_each(|number| {
            match number.checked_sub(spec.good) {
                None => spec.write_good(folder, number),
                Some(index) => spec.write_defective(folder, index),
            }
        })?;
    }
    tell(progress, all)
}

/// Whether the images in `folder` are known to be synthetic.
pub fn is_synthetic(folder: &Path) -> bool {
    folder.join(NOTE).is_file()
}

impl Spec {
    fn write_good(&self, folder: &Path, index: usize) -> Result<()> {
        let image = render_good(self.kind, self.seed, index, self.good_size);
        match self.kind {
            SyntheticKind::Plain | SyntheticKind::Twill => {
                write_grey_png(&folder.join(format!("train/good/{index:03}.png")), &image)
            }
            SyntheticKind::Fibres => {
                write_grey_tiff(&folder.join(format!("Normal/{index:03}.tif")), &image)
            }
        }
    }

    fn write_defective(&self, folder: &Path, index: usize) -> Result<()> {
        let Rendering { image, mask, .. } =
            render_defective(self.kind, self.seed, index, self.defective_size);
        match self.kind {
            SyntheticKind::Plain | SyntheticKind::Twill => {
                write_grey_png(&folder.join(format!("test/defective/{index:03}.png")), &image)?;
                write_mask_png(
                    &folder.join(format!("ground_truth/defective/{index:03}.png")),
                    &mask,
                )
            }
            SyntheticKind::Fibres => {
                write_grey_tiff(&folder.join(format!("Anomalous/images/{index:03}.tif")), &image)?;
                write_mask_png(&folder.join(format!("Anomalous/gt/{index:03}_gt.png")), &mask)
            }
        }
    }

    fn note(&self) -> String {
        let Self { kind, seed, good, good_size, defective, defective_size } = self;
        format!(
            "# Synthetic data set\n\n\
             All images in this folder are computed, none is photographed. \
             Scores reached on them say nothing about scores on real images.\n\n\
             - generator: version {GENERATOR_VERSION}, {kind:?}, seed {seed}\n\
             - good images: {good} of {}x{} pixels\n\
             - defective images: {defective} of {}x{} pixels\n",
            good_size.width, good_size.height, defective_size.width, defective_size.height
        )
    }
}
