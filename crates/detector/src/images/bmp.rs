//! BMP.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{DynamicImage, ImageDecoder, Limits};

use super::bmp_runs::{self, Header};
use super::limits::{MAX_BYTES, Size, check_bytes, check_size};
use super::pixels::{Channels, Pixels, Samples};
use crate::Result;
use crate::error::{bail, ensure};
use crate::images::refusal::{CONVERT, refuse};

/// More pixels than a byte of run lengths can stand for: two bytes repeat one up to 255 times.
const MOST_PIXELS: u64 = 128;

/// Pixels that no run needs to name.
const LEFT_OUT: u64 = 1 << 20;

/// Decodes a file.
///
/// # Errors
/// If it is not one complete picture, or too large.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    match runs(bytes)? {
        Some(header) => bmp_runs::decode(bytes, &header),
        None => decode_plain(bytes),
    }
}

fn decode_plain(bytes: &[u8]) -> Result<Pixels> {
    let mut decoder = BmpDecoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    check_bytes(width, height, decoder.total_bytes())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    decoder.set_limits(limits)?;
    let (channels, values) = match DynamicImage::from_decoder(decoder)? {
        DynamicImage::ImageLuma8(image) => (Channels::Grey, image.into_raw()),
        DynamicImage::ImageRgb8(image) => (Channels::Rgb, image.into_raw()),
        DynamicImage::ImageRgba8(image) => (Channels::Rgba, image.into_raw()),
        other => bail!("expected 8 bits a sample, got {:?}", other.color()),
    };
    Ok(Pixels { width, height, channels, samples: Samples::Bytes(values) })
}

/// Width and height by the header.
///
/// # Errors
/// If they are too large.
pub fn size(bytes: &[u8]) -> Result<Size> {
    let number = |place, length| number(bytes, place, length);
    // The oldest header has shorter numbers.
    let (width, height) = match number(14, 4) {
        12 => (number(18, 2), number(20, 2)),
        _ => (number(18, 4), number(22, 4)),
    };
    // A negative height says that rows go from the top down.
    let rows = (height as u32).cast_signed().unsigned_abs() as usize;
    check_size(width, rows)?;
    Ok((width, rows))
}

/// A number of the header, 0 if the file ends before.
fn number(bytes: &[u8], place: usize, length: usize) -> usize {
    let bytes = bytes.get(place..place + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte))
}

/// The header of a file of run lengths; none of others. Whether the file can hold its picture is known before memory is taken.
fn runs(bytes: &[u8]) -> Result<Option<Header>> {
    let number = |place, length| number(bytes, place, length);
    let (width, rows) = size(bytes)?;
    let header_size = number(14, 4);
    let (bits, compression) = match header_size {
        12 => (number(24, 2), 0),
        _ => (number(28, 2), number(30, 4)),
    };
    let pixels = (width * rows) as u64;
    let can_hold = match compression {
        0 | 3 | 6 => pixels * bits as u64 / 8 <= bytes.len() as u64,
        1 | 2 => pixels <= LEFT_OUT.max(MOST_PIXELS * bytes.len() as u64),
        4 => refuse!("BMP that holds a JPEG is not supported; {CONVERT}"),
        5 => refuse!("BMP that holds a PNG is not supported; {CONVERT}"),
        other => refuse!("BMP with compression number {other} is not supported; {CONVERT}"),
    };
    ensure!(can_hold, "{} bytes cannot hold {width}x{rows} pixels", bytes.len());
    if !matches!((compression, bits), (1, 8) | (2, 4)) {
        ensure!(!matches!(compression, 1 | 2), "run lengths of {bits} bits a pixel");
        return Ok(None);
    }
    ensure!(
        rows == number(22, 4),
        "run lengths go from the bottom up, but the header says otherwise"
    );
    let count = match number(46, 4) {
        0 => 1 << bits,
        count => count.min(1 << bits),
    };
    let palette = (14 + header_size, count);
    Ok(Some(Header { width, height: rows, bits, palette, data: number(10, 4) }))
}
