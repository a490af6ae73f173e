//! A heat map over the image it was computed from.

use detector::files::shown;
use std::path::Path;

use anyhow::{Result, ensure};
use inspect::{Image, Mask, Plane};

use super::caption::caption;
use super::colour::{ScoreRange, inferno};
use super::figure::{Cell, Figure, LONGEST, write_figure};
use detector::{resize, to_byte, write_rgb_png};

/// The opacity of the highest score; the image shows through, and undimmed where the score is
/// lowest.
const OPACITY: f32 = 0.75;

/// The brightness that is left outside of the region of interest.
const OUTSIDE: f32 = 0.4;

/// Cyan, which neither grey images nor the heat colours contain.
const OUTLINE: [u8; 3] = [0, 255, 255];

/// The parts of an overlay. All planes have the same size.
#[derive(Clone, Copy, Debug)]
pub struct Overlay<'a> {
    /// The image, with intensities in [0, 1].
    pub image: &'a Image,
    /// The scores over it.
    pub map: &'a Image,
    /// The scores that colours stand for. It is not of the single map, so that overlays can be compared with one another.
    pub range: ScoreRange,
    /// The region of interest, if it is not the whole image: what lies outside is dimmed.
    pub inside: Option<&'a Mask>,
    /// Regions to be outlined.
    pub regions: &'a Mask,
    /// Written below the image, which keeps its pixels; each phrase on one line.
    pub caption: &'a [&'a str],
}

/// Writes images one below the other, at most [`LONGEST`] pixels a side, with what lies outside of their regions of interest dimmed and
/// the regions outlined.
///
/// # Errors
/// If the file cannot be written.
pub fn write_regions_png(path: &Path, images: &[(Image, Mask)]) -> Result<()> {
    let drawn = images.iter().map(|(image, inside)| {
        let (width, height) = image.size();
        let longest = width.max(height);
        let scaled = |side: usize| (side * longest.min(LONGEST as usize)).div_ceil(longest);
        let (width, height) = (scaled(width), scaled(height));
        let image = resize(image, width, height);
        let inside = resize(&inside.map(|is_inside| f32::from(u8::from(is_inside))), width, height);
        let inside = inside.map(|share| share >= 0.5);
        let mut pixels: Vec<_> = image.data().iter().map(|&grey| [to_byte(grey); 3]).collect();
        dim(&mut pixels, &inside);
        outline(&mut pixels, &inside);
        Ok(Plane::new(width, height, pixels)?)
    });
    let drawn = drawn.collect::<Result<Vec<_>>>()?;
    let rows = drawn.iter().map(|picture| vec![Cell::Rgb(picture)]).collect();
    write_figure(path, &Figure { rows, ..Figure::default() })
}

/// Writes an image with scores in colour over it, regions outlined and a caption below, as RGB PNG.
///
/// # Errors
/// If the sizes differ or the file cannot be written.
pub fn write_overlay_png(path: &Path, overlay: &Overlay<'_>) -> Result<()> {
    let Overlay { image, map, range, inside, regions, caption: phrases } = *overlay;
    let size = image.size();
    for other in [map.size(), regions.size(), inside.map_or(size, Mask::size)] {
        ensure!(
            other == size,
            "cannot write {}: {other:?} pixels over an image of {size:?}",
            shown(path)
        );
    }
    let mut pixels = blend(image, map, range);
    if let Some(inside) = inside {
        dim(&mut pixels, inside);
    }
    outline(&mut pixels, regions);
    if !phrases.is_empty() {
        pixels.extend(caption(image.width(), phrases)?);
    }
    let height = pixels.len() / image.width();
    Ok(write_rgb_png(path, &Plane::new(image.width(), height, pixels)?)?)
}

fn blend(image: &Image, map: &Image, range: ScoreRange) -> Vec<[u8; 3]> {
    let pixels = image.data().iter().zip(map.data());
    pixels
        .map(|(&grey, &score)| blend_pixel(f32::from(to_byte(grey)), range.position(score)))
        .collect()
}

fn blend_pixel(grey: f32, position: f32) -> [u8; 3] {
    let opacity = OPACITY * position;
    inferno(position).map(|heat| (grey + (heat - grey) * opacity + 0.5) as u8)
}

/// Dims the pixels outside of the region of interest.
fn dim(pixels: &mut [[u8; 3]], inside: &Mask) {
    for (pixel, _) in pixels.iter_mut().zip(inside.data()).filter(|(_, is_inside)| !**is_inside) {
        *pixel = pixel.map(|channel| (f32::from(channel) * OUTSIDE) as u8);
    }
}

/// Marks the pixels of `regions` that have a neighbour outside.
fn outline(pixels: &mut [[u8; 3]], regions: &Mask) {
    let (width, height) = regions.size();
    let inside = |x: usize, y: usize| x < width && y < height && regions.get(x, y);
    for y in 0..height {
        for x in 0..width {
            // Below 0 wraps around to far outside.
            let neighbours =
                [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
            if inside(x, y) && !neighbours.iter().all(|&(x, y)| inside(x, y)) {
                pixels[y * width + x] = OUTLINE;
            }
        }
    }
}
