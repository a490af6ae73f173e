//! Images side by side, with a heading above each column.

use super::colour::{ScoreRange, inferno, short};
use super::letters::Letters;
use anyhow::{Context, Result, ensure};
use detector::files::{shown, write_atomic};
use detector::to_byte;
use image::codecs::png::PngEncoder;
use image::imageops::thumbnail;
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use inspect::{Image, Mask, NOT_SCORED, Plane};
use std::path::Path;

/// Pixels between the images.
const GAP: usize = 4;

/// The longest side of an image of a figure in pixels; larger ones are scaled down.
pub const LONGEST: u32 = 640;

/// The width of the widest column in letters, the least and the greatest size of these in pixels, and their colour, which is read on
/// white and on black.
const WIDTH_IN_LETTERS: f32 = 20.0;
const SIZES: (f32, f32) = (11.0, 32.0);
const INK: [u8; 3] = [118, 118, 118];

/// The width of the colour scale below a figure in letters.
const SCALE_IN_LETTERS: f32 = 16.0;

/// Pixels outside of the region of interest in a map.
pub const OUTSIDE: [u8; 3] = [128; 3];

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
    /// A picture in colour.
    Rgb(&'a Plane<[u8; 3]>),
}

/// Rows of images, one below the other.
///
/// Columns are as wide and rows as high as their largest image; an image lies at the top left of its cell. The ground is transparent.
#[derive(Debug, Default)]
pub struct Figure<'a> {
    /// Above the columns, in their order.
    pub headings: Vec<String>,
    /// The images.
    pub rows: Vec<Vec<Cell<'a>>>,
    /// The colours of score maps, and the threshold that is marked on their scale, which is drawn below.
    pub scale: Option<(ScoreRange, Option<f32>)>,
}

/// Writes a figure as PNG.
///
/// # Errors
/// If the file cannot be written, or there is nothing to write.
pub fn write_figure(path: &Path, figure: &Figure<'_>) -> Result<()> {
    let canvas = figure.canvas().with_context(|| format!("cannot write {}", shown(path)))?;
    Ok(write_atomic(path, |file| Ok(canvas.write_with_encoder(PngEncoder::new(file))?))?)
}

impl Figure<'_> {
    fn canvas(&self) -> Result<RgbaImage> {
        let pictures: Vec<Vec<RgbImage>> =
            self.rows.iter().map(|row| row.iter().map(Cell::picture).collect()).collect();
        let columns = pictures.iter().map(Vec::len).max().unwrap_or(0);
        ensure!(columns > 0, "a figure without images");
        let width = |column: usize| {
            pictures
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.width() as usize)
                .max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let heights =
            pictures.iter().map(|row| row.iter().map(|cell| cell.height() as usize).max());
        let widest = widths.iter().copied().max().unwrap_or(0);
        let size = (widest as f32 / WIDTH_IN_LETTERS).clamp(SIZES.0, SIZES.1);
        let headings = self.headings(&widths, size)?;
        let lefts = starts(0, widths.iter().copied());
        let tops = starts(headings.height() as usize, heights.map(|height| height.unwrap_or(0)));
        let (width, end) = (lefts[columns] - GAP, tops[pictures.len()] - GAP);
        let footer = self.footer(width, size)?;
        let height = end as u32 + footer.height();
        let mut canvas = RgbaImage::new(width as u32, height);
        image::imageops::replace(&mut canvas, &headings, 0, 0);
        for (row, &top) in pictures.iter().zip(&tops) {
            for (picture, &left) in row.iter().zip(&lefts) {
                for (x, y, &Rgb([r, g, b])) in picture.enumerate_pixels() {
                    canvas.put_pixel(left as u32 + x, top as u32 + y, Rgba([r, g, b, 255]));
                }
            }
        }
        image::imageops::replace(&mut canvas, &footer, 0, end as i64);
        Ok(canvas)
    }

    /// The headings of columns, broken where they are too long, at the bottom of a strip that is as high as the longest.
    fn headings(&self, widths: &[usize], size: f32) -> Result<RgbaImage> {
        let letters = Letters::of_size(size)?;
        let broken = |(heading, &width): (&String, &usize)| {
            letters.lines(width as f32, heading.split_whitespace(), " ")
        };
        let headings: Vec<Vec<String>> = self.headings.iter().zip(widths).map(broken).collect();
        let most = headings.iter().map(Vec::len).max().unwrap_or(0);
        let lefts = starts(0, widths.iter().copied());
        let width = lefts[widths.len()] - GAP;
        let high = if most == 0 { 0.0 } else { most as f32 * letters.line_height() + GAP as f32 };
        let mut strip = RgbaImage::new(width as u32, high.ceil() as u32);
        for ((lines, &column), &left) in headings.iter().zip(widths).zip(&lefts) {
            let top = (most - lines.len()) as f32 * letters.line_height();
            write(&mut strip, &letters, lines, (left, top as usize, column));
        }
        Ok(strip)
    }

    /// The scale of colours with its ends and the threshold.
    fn footer(&self, width: usize, size: f32) -> Result<RgbaImage> {
        let Some((range, threshold)) = self.scale else {
            return Ok(RgbaImage::new(width as u32, 0));
        };
        let letters = Letters::of_size(size)?;
        let said = threshold.map(|threshold| format!("(line: threshold {})", short(threshold)));
        let phrases = [format!("scores {range}")].into_iter().chain(said);
        let phrases: Vec<String> = phrases.collect();
        let lines = letters.lines(width as f32, phrases.iter().map(String::as_str), " ");
        let (long, high) = ((size * SCALE_IN_LETTERS) as usize, size as usize);
        let long = long.min(width);
        let text = (lines.len() as f32 * letters.line_height()).ceil() as usize;
        let mut strip = RgbaImage::new(width as u32, (2 * GAP + high + text) as u32);
        let mark = threshold.map(|t| (range.position(t) * (long - 1) as f32) as usize);
        for x in 0..long {
            let [r, g, b] = inferno(x as f32 / long as f32).map(|channel| channel as u8);
            let is_mark = mark == Some(x);
            let colour = if is_mark { Rgba([0, 255, 255, 255]) } else { Rgba([r, g, b, 255]) };
            (0..high).for_each(|y| strip.put_pixel(x as u32, (GAP + y) as u32, colour));
        }
        write(&mut strip, &letters, &lines, (0, 2 * GAP + high, width));
        Ok(strip)
    }
}

/// Writes lines at a place, no wider than there is room.
fn write(
    strip: &mut RgbaImage,
    letters: &Letters,
    lines: &[String],
    (left, top, width): (usize, usize, usize),
) {
    let ink = letters.ink(width, lines, (0.0, 0.0));
    for (index, &covered) in ink.coverage.iter().enumerate() {
        let (x, y) = ((left + index % ink.width) as u32, (top + index / ink.width) as u32);
        if covered > 0.0 && x < strip.width() && y < strip.height() {
            let [r, g, b] = INK;
            strip.put_pixel(x, y, Rgba([r, g, b, (255.0 * covered) as u8]));
        }
    }
}

/// The start of each extent, with gaps between them, and the start of one more.
fn starts(first: usize, extents: impl Iterator<Item = usize>) -> Vec<usize> {
    let ends = extents.scan(first, |end, extent| {
        *end += extent + GAP;
        Some(*end)
    });
    std::iter::once(first).chain(ends).collect()
}

impl Cell<'_> {
    fn size(&self) -> (usize, usize) {
        match self {
            Cell::Grey(image) | Cell::Heat(image, _) => (image.width(), image.height()),
            Cell::Grey8(image) => (image.width(), image.height()),
            Cell::Mask(mask) => (mask.width(), mask.height()),
            Cell::Rgb(picture) => picture.size(),
        }
    }

    /// The colour of a pixel.
    pub fn colour(&self, x: usize, y: usize) -> [u8; 3] {
        match self {
            Cell::Grey(image) => [to_byte(image.get(x, y)); 3],
            Cell::Heat(map, _) if map.get(x, y) == NOT_SCORED => OUTSIDE,
            Cell::Heat(map, range) => {
                inferno(range.position(map.get(x, y))).map(|channel| (channel + 0.5) as u8)
            }
            Cell::Grey8(image) => [image.get(x, y); 3],
            Cell::Mask(mask) => [if mask.get(x, y) { 255 } else { 0 }; 3],
            Cell::Rgb(picture) => picture.get(x, y),
        }
    }

    fn picture(&self) -> RgbImage {
        let (width, height) = self.size();
        let picture = RgbImage::from_fn(width as u32, height as u32, |x, y| {
            Rgb(self.colour(x as usize, y as usize))
        });
        let longest = width.max(height) as u32;
        if longest <= LONGEST {
            return picture;
        }
        let scaled = |side: usize| (side as u32 * LONGEST / longest).max(1);
        thumbnail(&picture, scaled(width), scaled(height))
    }
}
