//! The images of a data set.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use inspect::Mask;
use rayon::prelude::*;

use super::layout::{Arrangement, Layout, tiles};
use super::list::{images_below, images_in, some, some_images_in, stem, subfolders};
use super::made::is_made;
use super::masks::{MASK_FOLDERS, Masks, place, suffix_beside, told_apart};
use super::survey::LeftOut;
use crate::error::ensure;
use crate::files::shown;
use crate::images::read_mask;
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
    /// Images of which the folders do not say what they are.
    pub left_out: Vec<LeftOut>,
}

/// A test image and its ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSample {
    /// The image file.
    pub image: PathBuf,
    /// The mask files, whose defects are all there: none of a good image, nor of a defective one without ground truth.
    pub masks: Vec<PathBuf>,
    /// The type of the defect, `good` for none: the name of the folder that the image lies in, in most layouts.
    pub defect: String,
    /// The image's name without extension, with those of its folders where they tell images apart; unique within `defect`.
    pub id: String,
}

impl Dataset {
    /// Finds the images below `root`, in the given layout or in the one that its folders show.
    ///
    /// # Errors
    /// If the layout's folders are missing or hold no training image.
    pub fn open(root: &Path, layout: Option<Layout>) -> Result<Self> {
        Self::arranged(root, &Arrangement { layout, ..Arrangement::default() })
    }

    /// The same of a data set with names of its own.
    ///
    /// # Errors
    /// As [`Dataset::open`].
    pub fn arranged(root: &Path, arrangement: &Arrangement) -> Result<Self> {
        let layout = arrangement.layout.map_or_else(|| arrangement.detect(root), Ok)?;
        let finder = Finder { root, arrangement };
        let (train, test, left_out) = match layout {
            Layout::MvtecAd => (finder.training()?, finder.tests("_mask")?, Vec::new()),
            Layout::WovenTextures => (finder.training()?, finder.tests("")?, Vec::new()),
            Layout::NanoTwice => {
                (some_images_in(&root.join("Normal"))?, finder.anomalous()?, Vec::new())
            }
            Layout::Aitex => {
                let good = root.join("NODefect_images");
                (some(&good, images_below(&good)?)?, finder.fabrics()?, Vec::new())
            }
            Layout::MagneticTiles => {
                let good = root.join("MT_Free/Imgs");
                (some(&good, photographs(&good)?)?, finder.tiles()?, Vec::new())
            }
            Layout::Folders => {
                let (train, test) = (finder.good()?, finder.others()?);
                let left_out = finder.unused(&train, &test)?;
                (train, test, left_out)
            }
            Layout::MasksBeside => finder.masks_beside()?,
            Layout::Flat => (some_images_in(root)?, Vec::new(), Vec::new()),
        };
        Ok(Self { root: root.to_path_buf(), layout, train, test, left_out })
    }

    /// Defective test images without a mask.
    pub fn unmasked(&self) -> impl Iterator<Item = &TestSample> {
        self.test.iter().filter(|sample| !sample.is_good() && sample.masks.is_empty())
    }

    /// Refuses a test set without defects, test images whose results could not be told apart, and those that have a mask in common.
    ///
    /// # Errors
    /// If it has none, or there are such images, of which it names two.
    pub fn check_test(&self) -> Result<()> {
        if self.test.iter().all(TestSample::is_good) {
            let expected = "expected test images with defects, in a folder of their own, found none; `bench-cli predict` inspects images that nobody has sorted";
            return Err(Error::file(&self.root, expected));
        }
        let (mut named, mut masked) = (HashMap::new(), HashMap::new());
        for sample in &self.test {
            // Results of an image bear its name without extension.
            if let Some(other) = named.insert((&sample.defect, &sample.id), &sample.image) {
                let expected = "expected names that differ in more than their extensions";
                let message = format!("{expected}, got {}, too", shown(other));
                return Err(Error::file(&sample.image, message));
            }
            for mask in &sample.masks {
                if let Some(other) = masked.insert(mask, &sample.image) {
                    let expected = format!(
                        "expected the mask of one image, got that of {} and {}: put masks into folders as those of the images",
                        shown(other),
                        shown(&sample.image)
                    );
                    return Err(Error::file(mask, expected));
                }
            }
        }
        Ok(())
    }

    /// The part of an image's name that tells its item, where the layout does: the folder of an image of KolektorSDD.
    pub fn item(&self, image: &Path) -> Option<String> {
        let folder = image.parent().filter(|_| self.layout == Layout::MasksBeside)?;
        (folder != self.root).then(|| folder.to_string_lossy().into_owned())
    }
}

impl TestSample {
    /// Whether the image has no defect.
    pub fn is_good(&self) -> bool {
        self.defect == GOOD
    }

    /// Reads the ground truth of an image of `size`: an empty mask if it is good, `None` if it is defective and has no mask.
    ///
    /// # Errors
    /// If a mask cannot be read, or has another size.
    pub fn mask(&self, (width, height): (usize, usize)) -> Result<Option<Mask>> {
        if self.masks.is_empty() && !self.is_good() {
            return Ok(None);
        }
        let mut all = Mask::filled(width, height, false);
        for path in &self.masks {
            let mask = read_mask(path)?;
            ensure!(
                mask.size() == (width, height),
                "mask {} has {}x{} pixels, its image {} has {width}x{height}",
                shown(path),
                mask.width(),
                mask.height(),
                shown(&self.image)
            );
            let pixels = all.data_mut().iter_mut().zip(mask.data());
            pixels.for_each(|(defective, other)| *defective |= other);
        }
        Ok(Some(all))
    }
}

/// Looks for the images of a layout.
struct Finder<'a> {
    root: &'a Path,
    arrangement: &'a Arrangement,
}

impl Finder<'_> {
    /// Those of `train/good`, or of `train` if it has no such folder.
    fn training(&self) -> Result<Vec<PathBuf>> {
        let train = self.root.join("train");
        match self.arrangement.good_folder(&train)? {
            Some(good) => some_images_in(&good),
            None if train.is_dir() && !images_in(&train)?.is_empty() => images_in(&train),
            None => some_images_in(&train.join("good")),
        }
    }

    /// The samples of all folders `test/<defect>`, with masks `ground_truth/<defect>/<id><suffix>.*`.
    fn tests(&self, suffix: &str) -> Result<Vec<TestSample>> {
        let test = self.root.join("test");
        // A data set may be one to train on only.
        let folders = if test.is_dir() { subfolders(&test)? } else { Vec::new() };
        self.defects(&folders, &["ground_truth"], suffix)
    }

    /// The samples of folders, each of a type of defect or of good images.
    fn defects(
        &self,
        folders: &[PathBuf],
        masks: &[&str],
        suffix: &str,
    ) -> Result<Vec<TestSample>> {
        let names = &self.arrangement.masks;
        let suffix = names.suffix.as_deref().unwrap_or(suffix);
        let mut samples = Vec::new();
        for folder in folders {
            let name = folder.file_name().unwrap_or_default();
            let is_good = self.arrangement.is_good(folder);
            let defect = if is_good { GOOD.into() } else { name.to_string_lossy() };
            let places: Vec<PathBuf> = match &names.folder {
                Some(masks) => vec![self.root.join(masks)],
                None => masks.iter().map(|masks| self.root.join(masks)).collect(),
            };
            let of_folder = places.iter().map(|masks| masks.join(name));
            let places: Vec<PathBuf> = of_folder.chain(places.iter().cloned()).collect();
            let masks = Masks::in_folders(&places, suffix)?;
            for image in images_in(folder)? {
                let masks = if is_good { Vec::new() } else { masks.of(&image) };
                samples.push(sample(image, &defect, masks));
            }
        }
        Ok(samples)
    }

    fn anomalous(&self) -> Result<Vec<TestSample>> {
        let masks = self.masks("Anomalous/gt", "_gt")?;
        let images = images_in(&self.root.join("Anomalous/images"))?;
        Ok(images
            .into_iter()
            .map(|image| {
                let of = masks.of(&image);
                sample(image, "anomalous", of)
            })
            .collect())
    }

    /// The masks of a folder, unless they lie elsewhere.
    fn masks(&self, folder: &str, suffix: &str) -> Result<Masks> {
        let names = &self.arrangement.masks;
        let folder = names.folder.as_deref().unwrap_or(Path::new(folder));
        Masks::in_folders(&[self.root.join(folder)], names.suffix.as_deref().unwrap_or(suffix))
    }

    /// The type of a defect is the second part of the name: `0001_002_00` is image 1 with a defect of type 2 in fabric 0.
    fn fabrics(&self) -> Result<Vec<TestSample>> {
        let folder = self.root.join("Defect_images");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let masks = self.masks("Mask_images", "_mask")?;
        let of = |image: PathBuf| {
            let (name, masks) = (stem(&image), masks.of(&image));
            sample(image, name.split('_').nth(1).unwrap_or("defective"), masks)
        };
        Ok(images_in(&folder)?.into_iter().map(of).collect())
    }

    fn tiles(&self) -> Result<Vec<TestSample>> {
        let mut samples = Vec::new();
        for folder in tiles(self.root)? {
            let defect = stem(&folder)["MT_".len()..].to_lowercase();
            if defect == "free" {
                continue;
            }
            let images = folder.join("Imgs");
            let mut masks = Masks::default();
            let drawn = images_in(&images)?.into_iter().filter(|image| is_png(image));
            drawn.for_each(|mask| masks.add(mask, ""));
            for image in photographs(&images)? {
                let masks = masks.of(&image);
                samples.push(sample(image, &defect, masks));
            }
        }
        Ok(samples)
    }

    /// Those of all folders of good images, and of the folders in these.
    fn good(&self) -> Result<Vec<PathBuf>> {
        let mut images = Vec::new();
        for folder in
            subfolders(self.root)?.iter().filter(|folder| self.arrangement.is_good(folder))
        {
            images.extend(images_below(folder)?);
        }
        some(&self.root.join(GOOD), images)
    }

    /// The images below the data set's folder that are neither trained on nor tested nor masks of those.
    fn unused(&self, train: &[PathBuf], test: &[TestSample]) -> Result<Vec<LeftOut>> {
        let of_test =
            test.iter().flat_map(|sample| std::iter::once(&sample.image).chain(&sample.masks));
        let used: HashSet<&PathBuf> = train.iter().chain(of_test).collect();
        let mut made = subfolders(self.root)?;
        made.retain(|folder| is_made(folder));
        let images = images_below(self.root)?.into_iter().filter(|image| !used.contains(image));
        let left_out = |image: PathBuf| {
            let place = image.strip_prefix(self.root).ok().and_then(Path::parent);
            let folders: Vec<_> = place.into_iter().flat_map(Path::iter).collect();
            let reason = match folders[..] {
                [] => "it lies beside the folders, which say what images are".to_owned(),
                _ if made.iter().any(|folder| image.starts_with(folder)) => {
                    "its folder has results of this program".to_owned()
                }
                [masks, ..] if self.arrangement.is_of_masks(Path::new(masks)) => {
                    format!(
                        "as a file of `{}` it is taken for a mask, but it is that of no test image",
                        shown(masks.as_ref())
                    )
                }
                _ => "test images lie in a folder of the data set, not in folders below".to_owned(),
            };
            LeftOut { image, reason }
        };
        Ok(images.map(left_out).collect())
    }

    /// The samples of the folders beside those of good images.
    fn others(&self) -> Result<Vec<TestSample>> {
        let mut folders = subfolders(self.root)?;
        folders.retain(|folder| {
            !self.arrangement.is_good(folder)
                && !self.arrangement.is_of_masks(folder)
                && !is_made(folder)
        });
        let mut samples = self.defects(&folders, &MASK_FOLDERS, "")?;
        // Masks may lie beside their images, or have a suffix in a folder of their own.
        for folder in &folders {
            let suffixes = self.arrangement.masks.suffixes();
            let (mut beside, _) = told_apart(images_in(folder)?, &suffixes);
            let are_masks: HashSet<PathBuf> = beside.values().flatten().cloned().collect();
            samples.retain(|sample| !are_masks.contains(&sample.image));
            for sample in samples.iter_mut().filter(|sample| sample.masks.is_empty()) {
                sample.masks = beside.remove(&place(&sample.image)).unwrap_or_default();
            }
        }
        Ok(samples)
    }

    /// Good images, defective ones, and those without a mask.
    fn masks_beside(&self) -> Result<(Vec<PathBuf>, Vec<TestSample>, Vec<LeftOut>)> {
        let names = &self.arrangement.masks;
        let Some(suffix) = suffix_beside(self.root, names)? else {
            let expected =
                "expected images with masks beside them, named as they are and `_label`, got none";
            return Err(Error::file(self.root, expected));
        };
        let (mut masks, images) = told_apart(images_below(self.root)?, &[suffix.as_str()]);
        let with_masks: Vec<(PathBuf, Vec<PathBuf>)> = images
            .into_iter()
            .map(|image| {
                let masks = masks.remove(&place(&image)).unwrap_or_default();
                (image, masks)
            })
            .collect();
        // A mask that cannot be read does not make an image one to train on; those who need it say why.
        let is_empty =
            |mask: &PathBuf| read_mask(mask).is_ok_and(|mask| !mask.data().contains(&true));
        let are_good: Vec<bool> =
            with_masks.par_iter().map(|(_, masks)| masks.iter().all(is_empty)).collect();
        let (mut good, mut defective, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for ((image, masks), is_good) in with_masks.into_iter().zip(are_good) {
            match (masks.is_empty(), is_good) {
                (true, _) => {
                    let reason = format!("no mask `*{suffix}` beside it says whether it is good");
                    left_out.push(LeftOut { image, reason });
                }
                (false, true) => good.push(image),
                (false, false) => {
                    let id = self.id(&image);
                    defective.push(TestSample { id, ..sample(image, "defective", masks) });
                }
            }
        }
        ensure!(
            !good.is_empty(),
            "{}: expected good images, with empty masks, got none",
            shown(self.root)
        );
        Ok((good, defective, left_out))
    }

    /// The name of an image with those of its folders.
    fn id(&self, image: &Path) -> String {
        let path = image.strip_prefix(self.root).unwrap_or(image).with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("_")
    }
}

fn sample(image: PathBuf, defect: &str, masks: Vec<PathBuf>) -> TestSample {
    let id = stem(&image);
    TestSample { image, masks, defect: defect.to_owned(), id }
}

/// The images of a folder of magnetic tiles, whose masks are the PNG files.
fn photographs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut images = images_in(folder)?;
    images.retain(|image| !is_png(image));
    Ok(images)
}

fn is_png(image: &Path) -> bool {
    image.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}
