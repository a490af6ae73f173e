//! The headers of BMP files: Windows' and the oldest of OS/2.

use super::limits::{Size, check_size};
use crate::Result;
use crate::error::{bail, ensure};
use crate::images::refusal::{CONVERT, refuse};

/// More pixels than a byte of run lengths can stand for: two bytes repeat one up to 255 times.
const MOST_PIXELS: u64 = 128;

/// Pixels that no run needs to name.
const LEFT_OUT: u64 = 1 << 20;

/// The header of a file.
pub struct Header {
    pub size: Size,
    /// Bits a pixel.
    pub bits: usize,
    /// Whether the pixels are run lengths.
    pub has_runs: bool,
    /// Whether the first row is the top one.
    pub is_top_down: bool,
    /// The place of the palette, its colours, and the bytes of each.
    pub palette: (usize, usize, usize),
    /// The place of the pixels.
    pub data: usize,
}

impl Header {
    /// # Errors
    /// If the picture is too large, of a kind that is not read, or cannot be held by the file.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let number = |place: usize, length: usize| {
            let bytes = bytes.get(place..place + length).unwrap_or_default();
            bytes.iter().rev().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte))
        };
        let header_size = number(14, 4);
        ensure!(
            matches!(header_size, 12 | 40 | 52 | 56 | 108 | 124),
            "a header of {header_size} bytes is none of BMP's that are known"
        );
        // The oldest header has shorter numbers, and no fourth byte behind each colour.
        let is_old = header_size == 12;
        let (width, height, bits, compression, used) = match is_old {
            true => (number(18, 2), number(20, 2), number(24, 2), 0, 0),
            false => (number(18, 4), number(22, 4), number(28, 2), number(30, 4), number(46, 4)),
        };
        // A negative height says that rows go from the top down.
        let signed = (height as u32).cast_signed();
        let size = (width, signed.unsigned_abs() as usize);
        check_size(size.0, size.1)?;
        let pixels = (size.0 * size.1) as u64;
        check_kind(compression, bits)?;
        let can_hold = match compression {
            1 | 2 => pixels <= LEFT_OUT.max(MOST_PIXELS * bytes.len() as u64),
            _ => pixels * bits as u64 / 8 <= bytes.len() as u64,
        };
        ensure!(can_hold, "{} bytes cannot hold {}x{} pixels", bytes.len(), size.0, size.1);
        let has_runs = matches!(compression, 1 | 2);
        ensure!(
            !has_runs || signed > 0,
            "run lengths go from the bottom up, but the header says otherwise"
        );
        let (start, data, each) = (14 + header_size, number(10, 4), if is_old { 3 } else { 4 });
        let most = 1 << bits.min(8);
        let count = if used == 0 { most } else { used.min(most) };
        // Without their number, colours end where pixels begin.
        let between = data.checked_sub(start).filter(|&between| between > 0);
        let count = count.min(between.map_or(count, |between| between / each));
        Ok(Self {
            size,
            bits,
            has_runs,
            is_top_down: signed < 0,
            palette: (start, count, each),
            data,
        })
    }
}

/// Refuses compressions that are not read, and those of other numbers of bits a pixel than they have.
fn check_kind(compression: usize, bits: usize) -> Result<()> {
    match (compression, bits) {
        (0, _) | (3 | 6, 16 | 32) | (1, 8) | (2, 4) => Ok(()),
        (3 | 6, _) => bail!("bit fields of {bits} bits a pixel"),
        (1 | 2, _) => bail!("run lengths of {bits} bits a pixel"),
        (4, _) => refuse!("BMP that holds a JPEG is not supported; {CONVERT}"),
        (5, _) => refuse!("BMP that holds a PNG is not supported; {CONVERT}"),
        _ => refuse!("BMP with compression number {compression} is not supported; {CONVERT}"),
    }
}
