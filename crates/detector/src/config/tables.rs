//! The tables of the configuration that all methods have in common.

use crate::data::{Arrangement, MaskNames, RegionConfig};
use crate::error::{Context, bail};
use crate::files::shown;
use crate::{Dataset, Layout, Levels, Margins, Result, Split, list_images, read_image_with};
use inspect::{Averaging, Blend, Image, ThresholdRule};
use models::Architecture;
use regex::Regex;
use serde::{Deserialize, Serialize};
use ssim::{Constants, Exponents, Window};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The size of the network; the method decides about its latent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Side length of the square patches in pixels: 128, 64 or 32.
    pub patch_size: usize,
    /// Dimension of the latent space; the paper's are 100 for textures and 500 for nanofibres (section 4.2).
    pub latent_dim: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        let Architecture { patch_size, latent_dim, .. } = Architecture::default();
        Self { patch_size, latent_dim }
    }
}

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
            held_out: 0.1,
            groups: None,
        }
    }
}

impl DataConfig {
    /// How the values of image files become intensities.
    ///
    /// # Errors
    /// If the settings are out of range.
    pub fn levels(&self) -> Result<Levels> {
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

    /// Reads an image with the levels of the settings.
    ///
    /// # Errors
    /// If they are out of range, or see [`read_image_with`].
    pub fn read(&self, path: &Path) -> Result<Image> {
        read_image_with(path, self.levels()?)
    }

    /// Finds the images.
    ///
    /// # Errors
    /// If no images are named, see [`Dataset::arranged`] and [`good_images`], or if `only` leaves none.
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
        Ok(dataset)
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
            let (name, place) = (name(path), path.strip_prefix(&dataset.root).unwrap_or(path));
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
        if self.size.is_some_and(|size| size.contains(&0)) {
            bail!("data.size must be at least 1x1 pixels");
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
pub(crate) fn good_images(inputs: &[PathBuf], arrangement: &Arrangement) -> Result<Vec<PathBuf>> {
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

/// How an image and its reconstruction are compared, apart from the loss: it can be changed without training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResidualConfig {
    /// The measure.
    pub measure: Measure,
    /// The window of SSIM; that of the loss if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The constants of SSIM, a residual map for each pair; those of the loss if there are none.
    pub constants: Vec<Constants>,
    /// The exponents of SSIM; those of the loss if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponents: Option<Exponents>,
}

/// A measure of the difference between an image and its reconstruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// That of the method: 1 − SSIM, the squared difference, or the score of a VAE's samples.
    #[default]
    Method,
    /// The squared difference.
    L2,
    /// 1 − SSIM.
    Ssim,
}

impl ResidualConfig {
    /// As in the loss.
    pub fn paper() -> Self {
        Self { measure: Measure::Method, window: None, constants: Vec::new(), exponents: None }
    }
}

impl Default for ResidualConfig {
    /// Contrast counts above 0.03² in one map, which suits strong textures, and above 0.3 in the other, which suits smooth ones.
    fn default() -> Self {
        let constants = vec![Constants::squared(), Constants::given(0.01, 0.3)];
        Self { constants, ..Self::paper() }
    }
}

/// How images are inspected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectionConfig {
    /// Distance between neighbouring patches in pixels; the paper's is 30 (section 4.2). Half a patch if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Patches reconstructed at once.
    pub batch_size: usize,
    /// The image beyond its border.
    pub border: BeyondBorder,
    /// The weights of a patch's pixels where patches overlap.
    pub blend: Blend,
    /// The planes that are averaged where patches overlap.
    pub averaging: Averaging,
    /// Standard deviations in pixels of the Gaussians that smooth the residual maps; none leaves them as they are.
    pub smoothing: Vec<f64>,
    /// The unit of the scores.
    pub scores: Scores,
    /// Diameter of the disk of the opening in pixels; the paper's is 4 (section 4.2), 0 leaves the map as it is.
    pub opening_diameter: usize,
}

/// The image beyond its border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeyondBorder {
    /// It ends there, as in the paper: patches lie inside.
    None,
    /// It is mirrored half a patch beyond, so that border pixels lie in the middle of patches, too.
    Mirror,
}

/// The unit of the scores of an anomaly map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scores {
    /// Of the residual map, as in the paper. There is one such map, under at most one Gaussian.
    Residual,
    /// The distance from what is normal for good images, see [`inspect::Reference`]: 0 is typical, and 1 the threshold.
    Relative,
}

impl InspectionConfig {
    /// As in section 4.2 of the paper.
    pub fn paper() -> Self {
        Self {
            stride: Some(30),
            border: BeyondBorder::None,
            blend: Blend::Flat,
            smoothing: Vec::new(),
            scores: Scores::Residual,
            opening_diameter: 4,
            ..Self::default()
        }
    }
}

impl Default for InspectionConfig {
    fn default() -> Self {
        Self {
            stride: None,
            batch_size: 96,
            border: BeyondBorder::Mirror,
            blend: Blend::Hann,
            averaging: Averaging::Reconstruction,
            smoothing: vec![4.0, 20.0],
            scores: Scores::Relative,
            opening_diameter: 0,
        }
    }
}

/// How the decision follows from good images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// The rule of the threshold.
    pub threshold: ThresholdRule,
    /// The pixels of the smallest region that counts as a defect. The rule `largest_region` has a least area of its own, one
    /// pixel more than it allows.
    pub min_area: usize,
    /// Good images that the threshold is derived from, at least: where fewer are held out, images that the network was trained on
    /// join them, as far as there are any. Rare scores of good images are better known from many images, even from those, than from few.
    pub min_images: usize,
}

impl CalibrationConfig {
    /// No pixel of the good images that are held out is flagged.
    pub fn paper() -> Self {
        Self { threshold: ThresholdRule::Max {}, min_area: 1, min_images: 1 }
    }
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        let threshold = ThresholdRule::FalseAlarms { images: 20.0 };
        Self { threshold, min_area: 1, min_images: 20 }
    }
}
