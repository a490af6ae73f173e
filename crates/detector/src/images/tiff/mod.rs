//! TIFF 6.0 and BigTIFF, with the compressions of common writers.
//!
//! The decoders at hand garble samples that are no colours, planes of tiles and reversed bits without a word. An inspection must
//! not. Crates unpack the bytes; what they mean is read here.

mod colour;
mod directory;
mod format;
mod layout;
mod parts;
mod picture;
mod samples;
mod stack;
mod tag;
mod unpack;

use super::limits::Size;
use super::pixels::Pixels;
use crate::Result;
use crate::images::refusal::{CONVERT, demand, refuse, within};
use directory::{Directory, directories, sub_directories};
use layout::{Extra, Layout};
use parts::{Part, Parts};
use picture::Picture;

/// Decodes a file.
///
/// # Errors
/// If it is not one complete picture of a kind that is read.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let directories = directories(bytes)?;
    let directory = page(bytes, &directories)?;
    let layout = Layout::of(directory)?;
    let parts = Parts::of(directory, &layout, bytes)?;
    let tables = directory.bytes(tag::JPEG_TABLES)?;
    let mut picture = Picture::new(&layout);
    let (columns, rows) = layout.grid();
    for plane in 0..layout.planes() {
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let number = (plane * rows + row) * columns + column;
            let part = Part::of(&layout, plane, column, row);
            let stored = part.unpack(&layout, parts.bytes(number)?, tables);
            let kind = if layout.is_tiled { "tile" } else { "strip" };
            picture.put(&part, &within(stored, || format!("{kind} {number}"))?);
        }
    }
    picture.finish()
}

/// The size of the picture, its orientation tag (TIFF 6.0, section 8), and whether it has a sample beside the colours that it does not
/// call alpha.
///
/// # Errors
/// As far as the headers tell, those of [`decode`].
pub fn header(bytes: &[u8]) -> Result<(Size, Option<u32>, bool)> {
    let directories = directories(bytes)?;
    let directory = page(bytes, &directories)?;
    let Layout { width, height, extra, .. } = Layout::of(directory)?;
    let orientation = directory.number(tag::ORIENTATION).ok().flatten();
    Ok(((width, height), orientation, extra == Some(Extra::Unspecified)))
}

/// The orientation tag of an Exif block, which is a TIFF file without a picture.
pub fn exif_orientation(exif: &[u8]) -> Option<u32> {
    directories(exif).ok()?.first()?.number(tag::ORIENTATION).ok()?
}

/// The directory of the picture. Smaller copies of it and masks of its transparency do no harm; of several pages only the first
/// one would be inspected.
fn page<'a, 'b>(bytes: &'a [u8], directories: &'b [Directory<'a>]) -> Result<&'b Directory<'a>> {
    let mut pages = Vec::new();
    for directory in directories {
        if is_page(directory)? {
            pages.push(directory);
        }
    }
    for below in sub_directories(bytes, directories)? {
        demand!(
            !is_page(&below)?,
            "TIFF with pictures below others (SubIFDs), as DNG, is not supported; {CONVERT}"
        );
    }
    match pages[..] {
        [page] => Ok(page),
        [] => refuse!(
            "expected a picture of full size, got nothing but what is marked as a smaller copy or as a mask (NewSubfileType)"
        ),
        _ => refuse!("expected a single image, got several pages"),
    }
}

/// Whether a directory is neither a smaller copy of another one nor the mask of its transparency.
fn is_page(directory: &Directory<'_>) -> Result<bool> {
    const REDUCED_OR_MASK: u32 = 1 | 4;
    let kind = directory.number(tag::NEW_SUBFILE_TYPE)?.unwrap_or(0);
    let is_reduced = directory.number(tag::SUBFILE_TYPE)? == Some(2);
    Ok(kind & REDUCED_OR_MASK == 0 && !is_reduced)
}
