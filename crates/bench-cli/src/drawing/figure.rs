//! Images side by side.

use std::path::Path;

use anyhow::Result;
use inspect::{Image, Mask, Plane};

use super::colour::{ScoreRange, inferno};
use detector::{to_byte, write_rgb_png};

/// White pixels between the images.
const GAP: usize = 4;

/// One image of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// An image with intensities in [0, 1].
    Grey(&'a Image),
    /// An image in 256 levels.
    Grey8(&'a Plane<u8>),
    /// A score map in colour.
    Heat(&'a Image, ScoreRange),
    /// A mask, defects in white.
    Mask(&'a Mask),
}

/// Writes rows of images, one below the other, as RGB PNG.
///
/// Columns are as wide and rows as high as their largest image; an image lies at the top left of
/// its cell.
///
/// # Errors
/// If the file cannot be written, or there is nothing to write.
pub fn write_figure(path: &Path, rows: &[Vec<Cell<'_>>]) -> Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column_width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.size().0).max()
    };
    let row_height = |row: usize| rows[row].iter().map(|cell| cell.size().1).max();
    let lefts = starts((0..columns).map(|column| column_width(column).unwrap_or(0)));
    let tops = starts((0..rows.len()).map(|row| row_height(row).unwrap_or(0)));
    anyhow::ensure!(columns > 0, "cannot write {}: a figure without images", path.display());

    let (width, height) = (lefts[columns] - GAP, tops[rows.len()] - GAP);
    let mut pixels = vec![[255; 3]; width * height];
    for (row, &top) in rows.iter().zip(&tops) {
        for (cell, &left) in row.iter().zip(&lefts) {
            cell.paint(&mut pixels[top * width + left..], width);
        }
    }
    Ok(write_rgb_png(path, &Plane::new(width, height, pixels)?)?)
}

/// The start of each extent, with gaps between them, and the start of one more.
fn starts(extents: impl Iterator<Item = usize>) -> Vec<usize> {
    let ends = extents.scan(0, |end, extent| {
        *end += extent + GAP;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

impl Cell<'_> {
    fn size(&self) -> (usize, usize) {
        match self {
            Cell::Grey(image) | Cell::Heat(image, _) => (image.width(), image.height()),
            Cell::Grey8(image) => (image.width(), image.height()),
            Cell::Mask(mask) => (mask.width(), mask.height()),
        }
    }

    /// The colour of a pixel.
    pub fn colour(&self, x: usize, y: usize) -> [u8; 3] {
        match self {
            Cell::Grey(image) => [to_byte(image.get(x, y)); 3],
            Cell::Heat(map, range) => {
                inferno(range.position(map.get(x, y))).map(|channel| (channel + 0.5) as u8)
            }
            Cell::Grey8(image) => [image.get(x, y); 3],
            Cell::Mask(mask) => [if mask.get(x, y) { 255 } else { 0 }; 3],
        }
    }

    /// Paints onto a canvas that is `stride` pixels wide and begins at the cell's top left.
    fn paint(&self, canvas: &mut [[u8; 3]], stride: usize) {
        let (width, height) = self.size();
        for y in 0..height {
            for x in 0..width {
                canvas[y * stride + x] = self.colour(x, y);
            }
        }
    }
}
