//! JPEG (ITU-T T.81): sequential and progressive, Huffman-coded, 8 bits.
//!
//! No decoder in Rust says that the data of a picture end before it does, if only an end marker follows, and those at hand garble
//! scans of single components and chroma that is finer than luma. An inspection must know. Pixels are those of libjpeg.

mod colour;
mod frame;
mod huffman;
mod idct;
mod planes;
mod scan;
mod segments;
mod upsample;

pub use colour::{Colour, rgb_of_ycbcr};
pub use segments::header;

use super::limits::{check_bytes, check_size};
use super::pixels::{Channels, Pixels, Samples};
use crate::Result;
use crate::error::{Context, ensure};
use crate::images::refusal::{EARLY, demand};
use frame::Frame;
use planes::Planes;
use segments::{Picture, State};
use upsample::Upsampled;

/// More pixels than a byte of a JPEG file can hold: a block of 64 takes at least a bit.
const MOST_PIXELS: u64 = 1024;

/// Decodes a file.
///
/// # Errors
/// If it is not one complete picture of a kind that is read.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let mut state = State::default();
    let picture = state.picture(bytes, check)?;
    ensure!(picture.has_end, "{EARLY}");
    demand!(
        !segments::has_picture(&bytes[picture.end..]),
        "expected a single image, got several pictures in one file"
    );
    let colour = state.application.colour(&picture.frame);
    pixels(picture, colour)
}

/// Decodes a part of a TIFF file, whose tables may lie elsewhere and which says itself what the colours are. `fits` is asked about
/// the frame before memory is taken.
///
/// # Errors
/// As [`decode`], and those of `fits`.
pub fn decode_part(
    tables: Option<&[u8]>,
    bytes: &[u8],
    colour: Colour,
    fits: impl Fn(&Frame) -> Result<()>,
) -> Result<Pixels> {
    let mut state = State::default();
    if let Some(tables) = tables {
        state.tables(tables).context("the JPEG tables of the file")?;
    }
    let picture = state.picture(bytes, |frame, length| {
        fits(frame)?;
        check(frame, length)
    })?;
    pixels(picture, colour)
}

fn check(frame: &Frame, bytes: usize) -> Result<()> {
    check_size(frame.width, frame.height)?;
    check_bytes(frame.width, frame.height, Planes::bytes(frame))?;
    ensure!(
        (frame.width * frame.height) as u64 <= MOST_PIXELS * bytes as u64,
        "{bytes} bytes cannot hold {}x{} pixels",
        frame.width,
        frame.height
    );
    Ok(())
}

fn pixels(picture: Picture, colour: Colour) -> Result<Pixels> {
    let Picture { frame, planes, .. } = picture;
    let planes = planes.finish(&frame)?;
    let (width, height, count) = (frame.width, frame.height, planes.len());
    let channels = Channels::of(count == 3, false);
    let parts = frame.components.iter().zip(&planes);
    let mut parts: Vec<_> =
        parts.map(|(component, samples)| Upsampled::new(&frame, component, samples)).collect();
    let mut rows = vec![vec![0; width]; count];
    let mut values = Vec::with_capacity(width * height * count);
    for y in 0..height {
        for (part, row) in parts.iter_mut().zip(&mut rows) {
            part.write_row(y, row);
        }
        match &rows[..] {
            [first, second, third] => {
                for ((&a, &b), &c) in first.iter().zip(second).zip(third) {
                    values.extend(match colour {
                        Colour::Rgb => [a, b, c],
                        Colour::YCbCr => rgb_of_ycbcr([a, b, c]),
                    });
                }
            }
            rows => values.extend(rows.iter().flatten()),
        }
    }
    Ok(Pixels::new(width, height, channels, Samples::Bytes(values)))
}
