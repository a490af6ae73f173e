//! Reading grey images.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use inspect::Image;

use super::decode::{HEAD, decode, format};
use super::limits::MAX_FILE;
use super::pixels::{Conversion, Pixels};
use crate::error::ensure;
#[cfg(feature = "network")]
use crate::files::sha256;
use crate::files::shown;
use crate::{Error, Result};

/// Reads a PNG, TIFF, BMP or JPEG file as a grey image with intensities in [0, 1].
///
/// The format is told from the content, not from the file name. Integers are divided by the largest one that a sample of the file
/// can hold, 255 of 8 bits and 65,535 of 16, colours become Rec. 601 luma, palettes are expanded, and alpha that colours are not multiplied with is
/// ignored, as is an orientation tag: pixels, masks and results are in the order of the file. Floats are taken as they are. A file of 1 GiB of samples
/// takes up to 4 GiB of memory while it is read.
/// The crate's `IMAGES.md` lists which files are read, and what is said of the others.
///
/// # Errors
/// If the file cannot be read or is not one complete image of these formats (animations, several pages
/// and inks such as CMYK are refused), if it has more than 32,768 pixels a side, 2²⁸ in all or 1 GiB of samples, if
/// the file has more than 2 GiB, or if float values are not in [0, 1].
pub fn read_image(path: &Path) -> Result<Image> {
    read_image_with(path, Conversion::default())
}

/// As [`read_image`], with the values that are black and white, and the channel of colours.
///
/// # Errors
/// As [`read_image`], and if a value is above the white of [`Levels::Bits`](crate::Levels::Bits), the samples have fewer bits, or a
/// grey image is asked for its saturation.
pub fn read_image_with(path: &Path, conversion: impl Into<Conversion>) -> Result<Image> {
    let image = read_pixels(path).and_then(|pixels| pixels.grey(conversion.into()));
    image.map_err(cannot_read("image", path))
}

/// As [`read_image_with`], and the SHA-256 of the file, which is read once.
///
/// # Errors
/// As [`read_image_with`].
#[cfg(feature = "network")]
pub fn read_image_and_hash(path: &Path, conversion: Conversion) -> Result<(Image, String)> {
    let read = || {
        let bytes = read_start(path, MAX_FILE)?;
        Ok((decode(&bytes)?.grey(conversion)?, sha256(&bytes)))
    };
    read().map_err(cannot_read("image", path))
}

/// As [`read_image`], of the bytes of a file.
///
/// # Errors
/// As [`read_image`].
pub fn decode_image(bytes: &[u8]) -> Result<Image> {
    decode(bytes)?.grey(Conversion::default())
}

pub(super) fn cannot_read(kind: &'static str, path: &Path) -> impl FnOnce(Error) -> Error {
    move |error| Error::Image { kind, path: shown(path), source: Box::new(error) }
}

/// Decodes a file.
pub(super) fn read_pixels(path: &Path) -> Result<Pixels> {
    decode(&read_start(path, MAX_FILE)?)
}

/// The bytes of a regular file, `most` of them if there are more: others, such as pipes, may never end. Those of the system, such as
/// `/proc`, have no size.
pub(super) fn read_start(path: &Path, most: u64) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    ensure!(!metadata.is_dir(), "expected an image file, got a folder");
    ensure!(metadata.is_file(), "expected an image file, got a device or a pipe");
    ensure!(metadata.len() <= MAX_FILE, "the file has more than {} MiB", MAX_FILE >> 20);
    if metadata.len() == 0 {
        format(&[])?;
    }
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut bytes)?;
    format(&bytes)?;
    // It may grow meanwhile.
    file.take(most).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MAX_FILE, "the file has more than {} MiB", MAX_FILE >> 20);
    Ok(bytes)
}
