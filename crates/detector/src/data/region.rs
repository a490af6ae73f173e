//! The region of interest: the part of an image that is inspected.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use inspect::{Image, Mask};
use serde::{Deserialize, Serialize};

use super::background::{Background, Side};
use super::list::with_stem;
use super::margins::{Margins, crop};
use crate::error::{bail, ensure};
use crate::files::{sha256_of_file, shown};
use crate::images::read_mask;
use crate::{Error, Result};

/// The part of every image that is inspected, within the [margins](super::Margins): the setting `data.region`.
///
/// ```
/// use detector::{Config, RegionConfig};
///
/// let config = Config::from_toml("data.region = { polygons = [[[0, 0], [60, 0], [0, 40]]] }")?;
/// assert!(matches!(config.data.region, Some(RegionConfig::Polygons(_))));
/// # Ok::<(), detector::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"auto\" or one of the tables { mask = \"FILE\" }, { masks = \"FOLDER\", suffix = \"_roi\" }, \
                 { polygons = [[[x, y], …]] } and { background = \"brighter\", level = 0.5 }"
)]
pub enum RegionConfig {
    /// `"auto"`: training looks for a background in the good images, and replaces this by what it has found.
    Auto(Auto),
    /// `{ background = "brighter", level = 0.5 }`: all but a background.
    Background(Background),
    /// `{ mask = "FILE" }`: the same part of all images.
    Mask(RegionMask),
    /// `{ masks = "FOLDER", suffix = "_roi" }`: a part of each image.
    Masks(RegionMasks),
    /// `{ polygons = [[[x, y], …]] }`: the same part of all images.
    Polygons(Polygons),
}

/// The word `"auto"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auto {
    /// The only one.
    #[serde(rename = "auto")]
    Auto,
}

/// A mask for all images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionMask {
    /// An image file of the images' size, above 127 of 255 inside. A model keeps a copy in its folder.
    pub mask: PathBuf,
    /// The SHA-256 that the file must have; a training notes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A mask for each image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionMasks {
    /// The folder of the masks, which must have one for each image that is inspected: in folders as those that the image lies in, such as
    /// `train/good` or `good`, or in the folder itself.
    pub masks: PathBuf,
    /// The name of a mask is that of its image with this behind, with the extension of any image.
    #[serde(default)]
    pub suffix: String,
}

/// Polygons with corners in pixels of the whole image. A pixel is inside if its upper left corner is inside of an odd number of them:
/// a polygon within another is a hole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polygons {
    /// The corners `[x, y]` of each, at least three.
    pub polygons: Vec<Vec<[f64; 2]>>,
}

impl RegionConfig {
    /// Checks the settings, but no file.
    ///
    /// # Errors
    /// If a polygon has fewer than three corners or one that is not finite, or a level is not in [0, 1].
    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            Self::Polygons(Polygons { polygons }) => {
                ensure!(!polygons.is_empty(), "data.region: expected at least one polygon");
                for corners in polygons {
                    let are_finite = corners.iter().flatten().all(|place| place.is_finite());
                    ensure!(
                        corners.len() >= 3 && are_finite,
                        "data.region: expected polygons of at least three corners [x, y], got {corners:?}"
                    );
                }
                Ok(())
            }
            Self::Background(background) => background.validate(),
            Self::Auto(_) | Self::Mask(_) | Self::Masks(_) => Ok(()),
        }
    }

    /// The path that it names, if any.
    pub fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Mask(RegionMask { mask: path, .. })
            | Self::Masks(RegionMasks { masks: path, .. }) => Some(path),
            Self::Auto(_) | Self::Background(_) | Self::Polygons(_) => None,
        }
    }
}

impl RegionMasks {
    /// The mask of an image: the one that lies below the folder of masks as the image lies below others, in as many folders as there are.
    fn of(&self, image: &Path) -> Option<PathBuf> {
        let image = std::path::absolute(image).ok()?;
        let folders = image.parent()?.components();
        let folders: Vec<_> = folders.filter(|part| matches!(part, Component::Normal(_))).collect();
        let mut places = (0..=folders.len())
            .map(|first| self.masks.join(folders[first..].iter().collect::<PathBuf>()));
        places.find_map(|folder| with_stem(&folder, image.file_stem()?, &self.suffix))
    }

    /// Refuses images that have their mask in common: one of them has none of its own.
    ///
    /// # Errors
    /// If two have; it names both and the mask.
    pub(crate) fn check<'a>(&self, images: impl Iterator<Item = &'a PathBuf>) -> Result<()> {
        let mut claimed = HashMap::new();
        for image in images {
            let Some(mask) = self.of(image) else { continue };
            if let Some(other) = claimed.insert(mask.clone(), image)
                && other != image
            {
                let expected = format!(
                    "expected a region of interest of its own, got {}, which is that of {}, too: masks may lie in folders as those of the images",
                    shown(&mask),
                    shown(other)
                );
                return Err(Error::file(image, expected));
            }
        }
        Ok(())
    }
}

/// A region of interest that can be applied to images.
#[derive(Clone, Debug)]
pub(crate) enum RegionFinder {
    Background(Background),
    Mask(PathBuf, Mask),
    Masks(RegionMasks),
    Polygons(Polygons),
}

impl RegionFinder {
    /// Reads what it takes.
    ///
    /// # Errors
    /// If the mask cannot be read or is another than it was, or the background has not been looked for.
    pub fn of(config: &RegionConfig) -> Result<Self> {
        Ok(match config {
            RegionConfig::Auto(_) => bail!(
                "data.region = \"auto\" is for `train` and `calibrate`, which look for it in good images"
            ),
            RegionConfig::Background(background) => Self::Background(*background),
            RegionConfig::Mask(RegionMask { mask, sha256: expected }) => {
                let inside = read_mask(mask)?;
                if let Some(expected) = expected {
                    let got = sha256_of_file(mask)?;
                    if *expected != got {
                        let message = format!(
                            "expected the region of interest of SHA-256 {expected}, got {got}"
                        );
                        return Err(Error::file(mask, message));
                    }
                }
                Self::Mask(mask.clone(), inside)
            }
            RegionConfig::Masks(masks) => Self::Masks(masks.clone()),
            RegionConfig::Polygons(polygons) => Self::Polygons(polygons.clone()),
        })
    }

    /// The pixels of an image within its margins that are inspected, as a mask of that size. The name of the image's file tells which
    /// mask is its own.
    ///
    /// # Errors
    /// If the margins leave nothing, or a mask of its own is missing or cannot be read, or has another size than the image.
    pub fn region(&self, image: &Image, margins: Margins, name: Option<&Path>) -> Result<Mask> {
        let (path, mask) = match self {
            // A black frame that the margins leave out must not be taken for the background.
            Self::Background(background) => return background.part(&crop(image, margins)?),
            Self::Polygons(polygons) => return crop(&polygons.fill(image.size()), margins),
            Self::Mask(path, mask) => (path.clone(), mask.clone()),
            Self::Masks(own @ RegionMasks { masks, suffix }) => {
                let Some(name) = name else {
                    bail!("data.region: masks of single images need the names of their images");
                };
                let Some(path) = own.of(name) else {
                    let expected = format!(
                        "expected its region of interest {}{suffix}.* in {}, got nothing",
                        shown(name.file_stem().unwrap_or_default().as_ref()),
                        shown(masks)
                    );
                    return Err(Error::file(name, expected));
                };
                let mask = read_mask(&path)?;
                (path, mask)
            }
        };
        let ((width, height), (expected_width, expected_height)) = (mask.size(), image.size());
        if mask.size() != image.size() {
            let expected = format!(
                "expected a region of interest of {expected_width}x{expected_height} pixels, as the image has, got {width}x{height}"
            );
            return Err(Error::file(&path, expected));
        }
        crop(&mask, margins)
    }
}

impl Polygons {
    /// The pixels inside, by the even–odd rule.
    fn fill(&self, (width, height): (usize, usize)) -> Mask {
        let mut inside = Mask::filled(width, height, false);
        for y in 0..height {
            let mut crossings: Vec<f64> =
                self.polygons.iter().flat_map(|corners| crossings(corners, y as f64)).collect();
            crossings.sort_unstable_by(f64::total_cmp);
            let column = |x: f64| x.ceil().clamp(0.0, width as f64) as usize;
            for pair in crossings.chunks_exact(2) {
                inside.data_mut()[y * width..][column(pair[0])..column(pair[1])].fill(true);
            }
        }
        inside
    }
}

/// Where the edges of a polygon cross a row.
fn crossings(corners: &[[f64; 2]], y: f64) -> impl Iterator<Item = f64> {
    let ends = corners.iter().skip(1).chain(corners.first());
    corners
        .iter()
        .zip(ends)
        .filter(move |(a, b)| (a[1] <= y) != (b[1] <= y))
        .map(move |(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
}

impl RegionConfig {
    /// As part of a sentence.
    pub fn describe(&self) -> String {
        match self {
            Self::Auto(_) => "looked for in good images".to_owned(),
            Self::Background(Background { background, level, .. }) => {
                let side = match background {
                    Side::Brighter => "brighter",
                    Side::Darker => "darker",
                };
                format!("all but the background, which is {side} than {level}")
            }
            Self::Mask(RegionMask { mask, .. }) => format!("that of {}", shown(mask)),
            Self::Masks(RegionMasks { masks, .. }) => {
                format!("that of each image in {}", shown(masks))
            }
            Self::Polygons(Polygons { polygons }) => match polygons.len() {
                1 => "a polygon".to_owned(),
                count => format!("{count} polygons"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn rows(polygons: &[&[[f64; 2]]]) -> Vec<String> {
        let polygons =
            Polygons { polygons: polygons.iter().map(|corners| corners.to_vec()).collect() };
        let mask = polygons.fill((7, 5));
        let row = |y| mask.row(y).iter().map(|&inside| if inside { '#' } else { '.' }).collect();
        (0..5).map(row).collect()
    }

    #[test]
    fn polygons_are_filled_as_boxes_are() {
        let rectangle: &[[f64; 2]] = &[[1.0, 1.0], [5.0, 1.0], [5.0, 4.0], [1.0, 4.0]];
        assert_eq!(rows(&[rectangle]), [".......", ".####..", ".####..", ".####..", "......."]);
        let hole: &[[f64; 2]] = &[[2.0, 2.0], [2.0, 3.0], [4.0, 3.0], [4.0, 2.0]];
        assert_eq!(rows(&[rectangle, hole])[2], ".#..#..");
        let triangle: &[[f64; 2]] = &[[0.0, 0.0], [9.0, 0.0], [0.0, 5.0]];
        assert_eq!(rows(&[triangle]), ["#######", "#######", "######.", "####...", "##....."]);
        let beyond: &[[f64; 2]] = &[[-9.0, -9.0], [99.0, -9.0], [99.0, 99.0], [-9.0, 99.0]];
        assert!(rows(&[beyond]).iter().all(|row| row == "#######"));
    }
}
