//! A look at the images of a training before it begins, by their names and headers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use rayon::prelude::*;

use super::margins::Margins;
use super::masks::{SUFFIXES, told_apart};
use crate::files::shown;
use crate::images::{Header, image_header};

/// The share of images that makes their size that of all, of which others are news.
const USUAL: f64 = 0.9;

/// Images that a warning names.
const NAMED: usize = 3;

/// An image that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub image: PathBuf,
    /// Why, as part of a sentence.
    pub reason: String,
}

/// Remarks about good images before a training.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many images have a size, the most frequent size first. Images without a size that can be read are missing.
    pub sizes: Vec<((usize, usize), usize)>,
    /// Images that are not used.
    pub left_out: Vec<LeftOut>,
    /// Sentences about images that may not be what they should.
    pub warnings: Vec<String>,
}

/// The smallest image that is trained on, after its margins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smallest {
    /// The margins.
    pub margins: Margins,
    /// The least width and height.
    pub side: usize,
    /// The side of a patch.
    pub patch: usize,
}

impl Survey {
    /// Looks at images, and returns those that are used. Images that are scaled have no smallest size.
    pub fn of(images: Vec<PathBuf>, smallest: Option<Smallest>) -> (Vec<PathBuf>, Self) {
        let headers: Vec<_> = images.par_iter().map(|image| image_header(image)).collect();
        let sizes: Vec<_> = headers.iter().map(|header| header.map(|header| header.size)).collect();
        let mut survey = Self { warnings: masks_among(&images), ..Self::default() };
        survey.warnings.extend(oddities(&images, &headers));
        let mut counts = BTreeMap::new();
        sizes.iter().flatten().for_each(|size| *counts.entry(*size).or_insert(0) += 1);
        survey.sizes = counts.into_iter().collect();
        survey.sizes.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let reason = |size: &Option<(usize, usize)>| smallest?.refuses((*size)?);
        let mut used = Vec::with_capacity(images.len());
        let mut odd = Vec::new();
        for (image, size) in images.into_iter().zip(&sizes) {
            match reason(size) {
                Some(reason) => survey.left_out.push(LeftOut { image, reason }),
                None => {
                    if survey.is_odd(*size) {
                        odd.push(image.clone());
                    }
                    used.push(image);
                }
            }
        }
        if !odd.is_empty() {
            let (width, height) = survey.sizes[0].0;
            let images = names(&odd);
            survey.warnings.push(format!(
                "{images}: of another size than all others, which have {width}x{height} pixels"
            ));
        }
        (used, survey)
    }

    /// Whether an image is one of few that have not the size that nearly all have.
    fn is_odd(&self, size: Option<(usize, usize)>) -> bool {
        let all: usize = self.sizes.iter().map(|(_, count)| count).sum();
        let is_usual = |&&(_, count): &&_| count < all && count as f64 >= USUAL * all as f64;
        let usual = self.sizes.first().filter(is_usual);
        usual.is_some_and(|&(usual, _)| size.is_some_and(|size| size != usual))
    }

    /// The sizes in words, as `80 of 1024x768, 3 of 800x600 pixels and 17 of 12 other sizes`.
    pub fn describe_sizes(&self) -> String {
        let mut text = String::new();
        for (index, ((width, height), count)) in self.sizes.iter().take(NAMED).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(text, "{comma}{count} of {width}x{height}");
        }
        text.push_str(" pixels");
        if let Some(others) = self.sizes.get(NAMED..).filter(|others| !others.is_empty()) {
            let images: usize = others.iter().map(|(_, count)| count).sum();
            let _ = write!(text, " and {images} of {} other sizes", others.len());
        }
        text
    }
}

impl Smallest {
    fn refuses(&self, (width, height): (usize, usize)) -> Option<String> {
        let Self { margins, side, patch } = *self;
        let inner = |length: usize, before: usize, after: usize| {
            // Margins that leave nothing are an error of their own.
            length.checked_sub(before + after).filter(|&inner| inner > 0)
        };
        let width = inner(width, margins.left, margins.right)?;
        let height = inner(height, margins.top, margins.bottom)?;
        (width.min(height) < side).then(|| {
            format!(
                "{width}x{height} pixels to train on, expected at least {side}x{side}{}; a smaller model.patch_size than {patch} takes smaller images",
                if side < patch { ", half a patch" } else { "" }
            )
        })
    }
}

/// A warning of images that are named as masks of others.
fn masks_among(images: &[PathBuf]) -> Vec<String> {
    let (masks, _) = told_apart(images.to_vec(), &SUFFIXES);
    let mut masks: Vec<PathBuf> = masks.into_values().flatten().collect();
    masks.sort();
    match masks.is_empty() {
        true => Vec::new(),
        false => {
            vec![format!("{}: named as masks of other images, and used as images", names(&masks))]
        }
    }
}

/// Warnings of images of which a program that shows them may make something else.
fn oddities(images: &[PathBuf], headers: &[Option<Header>]) -> Vec<String> {
    let warning = |is_odd: fn(&Header) -> bool, remark: &str| {
        let found: Vec<PathBuf> = (images.iter().zip(headers))
            .filter(|(_, header)| header.as_ref().is_some_and(is_odd))
            .map(|(image, _)| image.clone())
            .collect();
        (!found.is_empty()).then(|| format!("{}: {remark}", names(&found)))
    };
    let warnings = [
        warning(
            |header| header.is_turned,
            "to be turned or mirrored before they are shown (orientation tag), and read as they are stored, as masks are",
        ),
        warning(
            |header| header.has_more,
            "a further channel, of which the file does not say that it is alpha, is left out",
        ),
    ];
    warnings.into_iter().flatten().collect()
}

/// The names of images for a warning.
pub(crate) fn names(images: &[PathBuf]) -> String {
    let named: Vec<String> = images.iter().take(NAMED).map(|image| shown(image)).collect();
    match images.len() - named.len() {
        0 => named.join(", "),
        others => format!("{} and {others} others", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::images::write_grey_png;

    #[test]
    fn images_with_a_further_channel_are_named() {
        use tiff::encoder::{TiffEncoder, colortype::RGBA8};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("infrared.tif");
        // Without ExtraSamples, which the encoder does not write.
        let mut encoder = TiffEncoder::new(std::fs::File::create(&path).unwrap()).unwrap();
        encoder.write_image::<RGBA8>(2, 1, &[0, 51, 102, 9, 204, 255, 0, 7]).unwrap();
        let (_, survey) = Survey::of(vec![path], None);
        assert_eq!(survey.warnings.len(), 1);
        assert!(survey.warnings[0].contains("a further channel"), "{:?}", survey.warnings);
    }

    #[test]
    fn images_that_are_to_be_turned_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let [plain, turned] = ["plain.png", "turned.png"].map(|name| folder.path().join(name));
        write_grey_png(&plain, &inspect::Image::filled(4, 4, 0.5)).unwrap();
        // An Exif block with orientation 6, whose checksum is that of zlib.crc32.
        let exif = b"eXIfII*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let mut bytes = std::fs::read(&plain).unwrap();
        bytes.splice(33..33, [&[0, 0, 0, 26][..], exif, &[0xB7, 0x48, 0x11, 0x29]].concat());
        std::fs::write(&turned, bytes).unwrap();
        let images = vec![plain, turned.clone()];
        let (used, survey) = Survey::of(images.clone(), None);
        assert_eq!((used, survey.warnings.len()), (images, 1));
        let expected = format!("{}: to be turned or mirrored", turned.display());
        assert!(survey.warnings[0].starts_with(&expected), "{:?}", survey.warnings);
    }

    /// In lower case, the name is a byte shorter.
    #[test]
    fn masks_are_told_by_their_names_in_any_script() {
        let warned = masks_among(&["WEI\u{1e9e}.png", "WEI\u{1e9e}_mask.png"].map(PathBuf::from));
        assert!(warned[0].starts_with("WEI\u{1e9e}_mask.png: named as masks"), "{warned:?}");
    }
}
