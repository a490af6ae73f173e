//! Several pictures in one directory, of which only the first one would be inspected.

use super::directory::Directory;
use super::tag;
use crate::Result;
use crate::images::limits::Size;
use crate::images::refusal::{demand, refuse};

/// The longest description that is looked at.
const MOST_TEXT: usize = 1 << 20;

/// The bytes of a plane's values in MetaMorph's tag, of which the type says 8.
const STK_VALUE: usize = 8;

/// Refuses a directory that holds several pictures, each of the given size and of `samples` samples a pixel.
///
/// # Errors
/// If it does, or a tag is damaged.
pub fn check_stack(directory: &Directory<'_>, size: Size, samples: usize) -> Result<()> {
    for tag in [tag::IMAGE_DEPTH, tag::TILE_DEPTH] {
        let depth = directory.number(tag)?.unwrap_or(1);
        demand!(depth <= 1, "expected a single image, got a volume of {depth} slices");
    }
    let planes = directory.bytes(tag::UIC2)?.map_or(0, |values| values.len() / STK_VALUE);
    demand!(planes <= 1, "expected a single image, got a MetaMorph stack of {planes} images");
    let description = directory.bytes(tag::DESCRIPTION).ok().flatten().unwrap_or_default();
    let description = &description[..description.len().min(MOST_TEXT)];
    let text = String::from_utf8_lossy(description);
    let (writer, images) = match text.starts_with("ImageJ=") {
        true => ("an ImageJ", of_imagej(&text)),
        false => ("a tifffile", of_tifffile(&text, size, samples)),
    };
    match images {
        Some(images) if images > 1 => {
            refuse!("expected a single image, got {writer} stack of {images} images")
        }
        _ => Ok(()),
    }
}

/// The images of a stack, in the lines that ImageJ writes.
fn of_imagej(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("images="))?.trim().parse().ok()
}

/// The images of a stack, in the JSON that tifffile writes: `{"shape": [3, 20, 30]}`. Programs that cut pictures out may leave the shape
/// of the whole.
fn of_tifffile(text: &str, (width, height): Size, samples: usize) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Description {
        shape: Vec<u64>,
    }
    let Description { shape } = serde_json::from_str(text.trim_end_matches('\0')).ok()?;
    let has_sides = shape.contains(&(width as u64)) && shape.contains(&(height as u64));
    let all = shape.into_iter().try_fold(1_u64, u64::checked_mul).filter(|_| has_sides)?;
    all.checked_div((width * height * samples) as u64)
}
