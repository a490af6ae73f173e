//! The table `[data]` of the configuration.

use crate::data::{Arrangement, MaskNames, RegionConfig};
use crate::error::{Context, bail};
use crate::files::shown;
use crate::{
    Channel, Conversion, Dataset, Layout, Levels, Margins, Result, Split, list_images,
    read_image_with,
};
use inspect::Image;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
/// The images, and the part of them that is inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The folder of the data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// Good images instead of a data set: folders, image files, lists of files and patterns, see [`list_images`](crate::list_images).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<PathBuf>,
    /// A regular expression for the names of files: others are left out, for example `"_00\\."` for fabric 00 of AITEX.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Its layout; told from its folders if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Names of folders of good images, in any case.
    pub good: Vec<String>,
    /// Where masks lie, if not where the layout has them.
    pub masks: MaskNames,
    /// The part of every image that is inspected; all if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionConfig>,
    /// The share of a training patch that lies in the region, at least.
    pub region_share: f64,
    /// Pixels left out at each side of every image, before scaling.
    pub margins: Margins,
    /// Width and height that images are scaled to; the paper scales the textures to 256×256 (section 4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// The bits that the camera uses of the samples of a file, such as 12 of 16: the largest value that they hold is white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// The values of a file that are black and white; what lies outside is clipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// The channel of colour images; luma if left out.
    #[serde(skip_serializing_if = "Channel::is_luma")]
    pub channel: Channel,
    /// The fraction of good images that are kept from training for the calibration, rounded down; of groups, if there are any.
    pub held_out: f64,
    /// A regular expression for the name of a file, or, where that does not match, for its path in the data set: images that match
    /// alike, in the first parenthesis if there is one, belong to one item, lot or roll, and are held out together or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            root: None,
            images: Vec::new(),
            only: None,
            layout: None,
            good: Arrangement::default().good,
            masks: MaskNames::default(),
            region: None,
            region_share: 0.9,
            margins: Margins::default(),
            size: None,
            bits: None,
            range: None,
            channel: Channel::Luma,
            held_out: 0.1,
            groups: None,
        }
    }
}

impl DataConfig {
    /// How the samples of image files become intensities.
    ///
    /// # Errors
    /// If the settings are out of range.
    pub fn conversion(&self) -> Result<Conversion> {
        Ok(Conversion { levels: self.levels()?, channel: self.channel })
    }

    fn levels(&self) -> Result<Levels> {
        match (self.bits, self.range) {
            (None, None) => Ok(Levels::OfFile),
            (Some(bits @ 1..=16), None) => Ok(Levels::Bits(bits)),
            (Some(bits), None) => bail!("data.bits must be between 1 and 16, got {bits}"),
            (None, Some([low, high])) if low < high && (high - low).is_finite() => {
                Ok(Levels::Range([low, high]))
            }
            (None, Some([low, high])) => {
                bail!("data.range must be two numbers, the smaller one first, got [{low}, {high}]")
            }
            (Some(_), Some(_)) => bail!("data.bits and data.range exclude each other"),
        }
    }

    /// Reads an image with the levels and the channel of the settings.
    ///
    /// # Errors
    /// If they are out of range, or see [`read_image_with`].
    pub fn read(&self, path: &Path) -> Result<Image> {
        read_image_with(path, self.conversion()?)
    }

    /// Finds the images.
    ///
    /// # Errors
    /// If no images are named, one cannot be found (see [`Dataset::arranged`]), `only` leaves none, or two have one mask of the region of
    /// interest.
    pub fn open(&self) -> Result<Dataset> {
        let mut dataset = match (&self.root, &self.images[..]) {
            (Some(_), [_, ..]) => bail!("data.root and data.images exclude each other"),
            (Some(root), []) => Dataset::arranged(root, &self.arrangement())?,
            (None, []) => {
                bail!("which images? --data names the folder of a data set, or good images")
            }
            (None, inputs @ [first, ..]) => Dataset {
                root: first.clone(),
                layout: Layout::Flat,
                train: good_images(inputs, &self.arrangement())?,
                test: Vec::new(),
                left_out: Vec::new(),
            },
        };
        if let Some(only) = pattern("only", &self.only)? {
            let is_chosen = |path: &Path| only.is_match(&name(path));
            dataset.train.retain(|image| is_chosen(image));
            dataset.test.retain(|sample| is_chosen(&sample.image));
            dataset.left_out.retain(|left_out| is_chosen(&left_out.image));
            if dataset.train.is_empty() {
                bail!(
                    "{}: no name of a good image matches data.only \"{only}\"",
                    shown(&dataset.root)
                );
            }
        }
        if let Some(RegionConfig::Masks(masks)) = &self.region {
            let test = dataset.test.iter().map(|sample| &sample.image);
            masks.check(dataset.train.iter().chain(test))?;
        }
        Ok(dataset)
    }

    /// The same settings for the data set in another folder, whose layout its folders tell.
    #[must_use]
    pub fn with_root(self, root: &Path) -> Self {
        Self { root: Some(root.to_owned()), images: Vec::new(), layout: None, ..self }
    }

    /// The same settings for good images elsewhere, see [`images`](Self::images).
    #[must_use]
    pub fn with_images(self, images: &[PathBuf]) -> Self {
        Self { root: None, images: images.to_vec(), layout: None, ..self }
    }

    fn arrangement(&self) -> Arrangement {
        Arrangement { layout: self.layout, good: self.good.clone(), masks: self.masks.clone() }
    }

    /// Splits good images of a data set into those to train on and those held out.
    pub(super) fn split(&self, dataset: &Dataset, images: Vec<PathBuf>) -> Result<Split> {
        let Some(pattern) = self.pattern()? else {
            let item = |path: &Path| dataset.item(path);
            return Ok(match images.iter().all(|image| item(image).is_some()) {
                true => {
                    Split::by_group(images, self.held_out, |image| item(image).unwrap_or_default())
                }
                false => Split::of(images, self.held_out),
            });
        };
        let group = |path: &Path| {
            let name = name(path);
            let place = path.strip_prefix(&dataset.root).ok();
            // An image that is named itself lies in no data set.
            let place = place.filter(|place| !place.as_os_str().is_empty()).unwrap_or(path);
            let place = place.to_string_lossy();
            let captures = pattern.captures(&name).or_else(|| pattern.captures(&place));
            let group = captures.as_ref().and_then(|found| found.get(1).or_else(|| found.get(0)));
            // An image without a group is one of its own.
            group.map_or_else(|| place.to_string(), |group| group.as_str().to_owned())
        };
        Ok(Split::by_group(images, self.held_out, group))
    }

    /// The pattern of groups, if there are any.
    ///
    /// # Errors
    /// If it is no regular expression.
    pub(super) fn pattern(&self) -> Result<Option<Regex>> {
        pattern("groups", &self.groups)
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// If one is out of range.
    pub(super) fn validate(&self) -> Result<()> {
        self.pattern()?;
        self.levels()?;
        pattern("only", &self.only)?;
        self.region.as_ref().map_or(Ok(()), RegionConfig::validate)?;
        if !(0.0..=1.0).contains(&self.region_share) {
            bail!("data.region_share must be in [0, 1], got {}", self.region_share);
        }
        if !(0.0..1.0).contains(&self.held_out) {
            bail!("data.held_out must be in [0, 1), got {}", self.held_out);
        }
        Ok(())
    }

    /// Makes the paths absolute, so that a model can be used from other folders.
    ///
    /// # Errors
    /// If the system does not tell the present folder.
    pub fn make_absolute(&mut self) -> Result<()> {
        let region = self.region.as_mut().and_then(RegionConfig::path_mut);
        for path in self.root.iter_mut().chain(&mut self.images).chain(region) {
            *path = std::path::absolute(&*path)?;
        }
        Ok(())
    }
}

/// The good images of several inputs: those to train on of a folder, see [`Dataset::arranged`], or those that a file, a list or a
/// pattern names. An image that is named twice counts once.
///
/// # Errors
/// If an input names no image.
fn good_images(inputs: &[PathBuf], arrangement: &Arrangement) -> Result<Vec<PathBuf>> {
    let mut images = Vec::new();
    let mut known = HashSet::new();
    for input in inputs {
        let found = match input.is_dir() {
            true => Dataset::arranged(input, arrangement)?.train,
            false => list_images(input)?,
        };
        images.extend(found.into_iter().filter(|image| known.insert(image.clone())));
    }
    Ok(images)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn pattern(key: &str, pattern: &Option<String>) -> Result<Option<Regex>> {
    let compile = |pattern: &String| {
        Regex::new(pattern).ok().with_context(|| {
            format!("data.{key}: expected a regular expression such as \"^kos[0-9]+\", got \"{pattern}\"")
        })
    };
    pattern.as_ref().map(compile).transpose()
}
