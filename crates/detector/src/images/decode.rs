//! Image files that may be damaged, hostile, or not what their names say.

use super::panics::caught;
use super::pixels::Pixels;
use super::{bmp, jpeg, png, tiff};
use crate::Result;
use crate::error::{bail, ensure};
use crate::images::refusal::within;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Tiff,
    Jpeg,
    Bmp,
}

/// The bytes that a format is told from.
pub const HEAD: usize = 16;

/// Decodes the bytes of a file of a format.
type Decoder = fn(&[u8]) -> Result<Pixels>;

const EXPECTED: &str = "expected a PNG, TIFF, BMP or JPEG image, got";

/// Decodes a PNG, TIFF, BMP or JPEG file, told from its content.
///
/// # Errors
/// If the bytes are not one complete image of these formats, or if it is too large, which is known
/// before memory is taken.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let (name, decoder): (_, Decoder) = match format(bytes)? {
        Format::Png => ("PNG", png::decode),
        Format::Tiff => ("TIFF", tiff::decode),
        Format::Jpeg => ("JPEG", jpeg::decode),
        Format::Bmp => ("BMP", bmp::decode),
    };
    within(caught(|| decoder(bytes)), || format!("expected a complete {name} image"))
}

/// The format of a file by its first bytes.
///
/// # Errors
/// If it is none that is read.
pub fn format(bytes: &[u8]) -> Result<Format> {
    ensure!(!bytes.is_empty(), "{EXPECTED} an empty file");
    let other = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => return Ok(Format::Png),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => return Ok(Format::Tiff),
        [0xFF, 0xD8, 0xFF, ..] => return Ok(Format::Jpeg),
        [b'B', b'M', ..] => return Ok(Format::Bmp),
        [b'G', b'I', b'F', b'8', ..] => "GIF",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "WebP",
        [0, 0, 0, 12, b'j', b'P', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => "JPEG 2000",
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', ..] => "JPEG XL",
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => "AVIF",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..]
        | [_, _, _, _, b'f', b't', b'y', b'p', b'm', b'i' | b's', b'f', b'1', ..] => "HEIF",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a video (MP4)",
        [b'P', b'1'..=b'7', b'\n' | b' ' | b'\r', ..] => "a netpbm image (PGM, PPM)",
        [b'v', b'/', b'1', 1, ..] => "OpenEXR",
        [b'%', b'P', b'D', b'F', ..] => "PDF",
        _ => bail!("{EXPECTED} something else"),
    };
    bail!("{EXPECTED} {other}; convert it, for example to PNG");
}
