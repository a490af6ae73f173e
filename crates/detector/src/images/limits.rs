//! Bounds of what is read: a wrong header must not exhaust the memory.

use crate::Result;
use crate::error::ensure;

/// Width and height in pixels.
pub type Size = (usize, usize);

/// The longest side that is read, in pixels.
pub const MAX_SIDE: usize = 1 << 15;

/// The most pixels that are read.
pub const MAX_PIXELS: u64 = 1 << 28;

/// The most bytes of the samples of a picture, and of a strip or tile of it, which are held at the same time; what they become, 32-bit
/// floats in grey, takes as much again.
pub const MAX_BYTES: u64 = 1 << 30;

/// The longest file that is read, in bytes: more than any image that is read has.
pub const MAX_FILE: u64 = 2 << 30;

/// # Errors
/// If an image is too large.
pub fn check_size(width: usize, height: usize) -> Result<()> {
    ensure!(width > 0 && height > 0, "the header gives a size of {width}x{height} pixels");
    let is_small = width.max(height) <= MAX_SIDE && (width * height) as u64 <= MAX_PIXELS;
    ensure!(is_small, "{}", too_large(width, height));
    Ok(())
}

/// # Errors
/// If an image whose size is small enough takes too much memory nevertheless.
pub fn check_bytes(width: usize, height: usize, bytes: u64) -> Result<()> {
    ensure!(bytes <= MAX_BYTES, "{}", too_large(width, height));
    Ok(())
}

fn too_large(width: usize, height: usize) -> String {
    format!(
        "the image has {width}x{height} pixels, at most {MAX_SIDE} a side, {MAX_PIXELS} in all and {} MiB are read",
        MAX_BYTES >> 20
    )
}
