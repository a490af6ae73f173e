//! Reading grey images and masks.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use image::DynamicImage;
use inspect::{Image, Mask, Plane};

use super::decode::decode;
use crate::error::{bail, ensure};
use crate::files::shown;
use crate::{Error, Result};

/// The longest file that is read, in bytes: more than any image that is read has.
const MAX_FILE: u64 = 2 << 30;

/// Pixels that are converted at once.
const STRETCH: u32 = 1 << 20;

/// Red, green and blue weights of luma (Rec. ITU-R BT.601, as OpenCV's and Pillow's grey).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Mask values above 127 of 255 are defective.
const MASK_THRESHOLD: f32 = 127.5 / 255.0;

/// Reads a PNG, TIFF, BMP or JPEG file as a grey image with intensities in [0, 1].
///
/// The format is told from the content, not from the file name. 8 bits are divided by 255, 16 bits
/// by 65535, colours become Rec. 601 luma, palettes are expanded, and alpha is ignored, as is an
/// orientation tag: pixels, masks and results are in the order of the file. Floats are taken as they
/// are.
///
/// # Errors
/// If the file cannot be read or is not one complete image of these formats (but an animation, or
/// several pages, or inks), if it has more than 32,768 pixels a side, 2²⁸ in all or 1 GiB, or if
/// float values are not in [0, 1].
pub fn read_image(path: &Path) -> Result<Image> {
    read_grey(path).map_err(cannot_read("image", path))
}

/// Reads a segmentation mask: pixels above 127 of 255 are defective.
///
/// Any file that [`read_image`] reads will do, in particular 1-bit, grey, palette and RGBA PNG.
///
/// # Errors
/// As [`read_image`]; and if the mask is not empty, yet no pixel is above 127, as when defects are
/// stored as 1.
pub fn read_mask(path: &Path) -> Result<Mask> {
    let mask = read_grey(path).and_then(|image| threshold(&image));
    mask.map_err(cannot_read("mask", path))
}

fn cannot_read(kind: &'static str, path: &Path) -> impl FnOnce(Error) -> Error {
    move |error| Error::Image { kind, path: shown(path), source: Box::new(error) }
}

fn threshold(image: &Image) -> Result<Mask> {
    let brightest = image.data().iter().copied().fold(0.0, f32::max);
    ensure!(
        brightest == 0.0 || brightest > MASK_THRESHOLD,
        "expected defects above 127 of 255, got values of at most {}",
        (brightest * 255.0).round()
    );
    let defective = image.data().iter().map(|&value| value > MASK_THRESHOLD).collect();
    Ok(Plane::new(image.width(), image.height(), defective)?)
}

fn read_grey(path: &Path) -> Result<Image> {
    decode_image(&read_file(path)?)
}

/// As [`read_image`], of the bytes of a file.
///
/// # Errors
/// As [`read_image`].
pub fn decode_image(bytes: &[u8]) -> Result<Image> {
    grey(&decode(bytes)?)
}

/// The bytes of a regular file: others, such as pipes, may never end.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    ensure!(!metadata.is_dir(), "expected an image file, got a folder");
    ensure!(metadata.is_file(), "expected an image file, got a device or a pipe");
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MAX_FILE, "the file has more than {} MiB", MAX_FILE >> 20);
    Ok(bytes)
}

/// Intensities in [0, 1], row by row.
///
/// Some rows are converted at a time: all at once take twelve bytes a pixel on the way.
fn grey(image: &DynamicImage) -> Result<Image> {
    let (width, height) = (image.width(), image.height());
    let rows = (STRETCH / width.max(1)).max(1);
    let mut data = Vec::with_capacity(width as usize * height as usize);
    for top in (0..height).step_by(rows as usize) {
        let stretch = image.crop_imm(0, top, width, rows.min(height - top));
        push_grey(&stretch, &mut data)?;
    }
    Ok(Plane::new(width as usize, height as usize, data)?)
}

fn push_grey(image: &DynamicImage, data: &mut Vec<f32>) -> Result<()> {
    let has_color = image.color().has_color();
    let channels =
        if has_color { image.to_rgb32f().into_raw() } else { image.to_luma32f().into_raw() };
    // Only floats can be outside.
    if let Some(value) = channels.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        bail!("expected intensities in [0, 1], got {value}");
    }
    match has_color {
        true => data.extend(channels.as_chunks().0.iter().map(luma)),
        false => data.extend(channels),
    }
    Ok(())
}

/// The weights sum to 1 only up to rounding: white must not exceed 1.
fn luma(rgb: &[f32; 3]) -> f32 {
    let sum: f32 = LUMA.iter().zip(rgb).map(|(weight, channel)| weight * channel).sum();
    sum.min(1.0)
}
