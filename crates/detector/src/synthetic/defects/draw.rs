//! Drawing defects into an image.

use super::cell::Cell;
use super::kind::DrawnKind;
use super::paint::{Paint, Strength, brush};
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::mix;
use crate::synthetic::source::Purpose;
use crate::synthetic::vocabulary::Size;
use inspect::{Image, Mask};

/// Side of the squares of an image, in pixels, that get a defect each. Patches of 128 pixels see hardly more than one.
const CELL: usize = 160;

/// The defects to draw.
///
/// They are numbered, and kinds take turns. Each time all kinds have had their turn, the next contrast has its own, and each time all
/// contrasts have had theirs, the next size.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Decides about shapes and places, together with the number of the defect.
    pub seed: u64,
    /// Kinds, at least one.
    pub kinds: Vec<DrawnKind>,
    /// Differences in tone, in standard deviations of the texture around; at least one, all above 0. Of the kinds that replace
    /// texture by other texture, those below 2 are transparent.
    pub contrasts: Vec<f32>,
    /// Factors of lengths and widths, at least one, all above 0. At 1, strokes and cuts are 2 to 14 pixels wide and 30 to 110 long, and
    /// areas have half axes of 4 to 40 pixels; all fit into the square of their own.
    pub sizes: Vec<f32>,
    /// The most defects in an image. They lie in squares of 160 pixels, one in each, or in the whole of a smaller image.
    pub most: usize,
}

/// An image with defects, and the places of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Defective {
    /// The image, in [0, 1].
    pub image: Image,
    /// The defects, none of which touch.
    pub defects: Vec<DrawnDefect>,
}

/// A defect in an image.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnDefect {
    /// Its kind.
    pub kind: DrawnKind,
    /// Its contrast, in standard deviations of the texture around.
    pub contrast: f32,
    /// The column of the image at which `mask` begins.
    pub left: usize,
    /// The row of the image at which `mask` begins.
    pub top: usize,
    /// The pixels that it covers, at least one, in a part of the image.
    pub mask: Mask,
}

/// Draws defects of several kinds into an image with intensities in [0, 1]. The first defect has the number `first`.
///
/// A defect differs from the texture that it lies in: its contrast is relative to the texture's own deviation. A cell in which a defect
/// leaves no trace gets none.
///
/// ```
/// use detector::Image;
/// use detector::synthetic::{Defective, Drawing, DrawnKind, draw_kinds};
///
/// let good = Image::from_fn(320, 160, |x, y| if (x + y) % 8 < 4 { 0.4 } else { 0.6 });
/// let kinds = DrawnKind::ALL.to_vec();
/// let drawing = Drawing { seed: 0, kinds, contrasts: vec![3.0], sizes: vec![1.0], most: 10 };
/// let Defective { image, defects } = draw_kinds(&good, &drawing, 0);
/// let kinds: Vec<DrawnKind> = defects.iter().map(|defect| defect.kind).collect();
/// assert_eq!(kinds, [DrawnKind::Stroke, DrawnKind::Blob]);
/// let changed = image.data().iter().zip(good.data()).filter(|(new, old)| new != old).count();
/// assert!(changed > 0 && changed <= defects.iter().map(|defect| defect.pixels().count()).sum::<usize>());
/// ```
pub fn draw_kinds(image: &Image, drawing: &Drawing, first: usize) -> Defective {
    let (mut painted, mut defects) = (image.clone(), Vec::new());
    for (place, size) in cells(image.size(), drawing.most) {
        let cell = Cell::new(image, place, size);
        defects.extend(draw(&mut painted, &cell, drawing, first + defects.len()));
    }
    Defective { image: painted, defects }
}

/// The corners of cells, evenly spaced, and their size.
fn cells((width, height): (usize, usize), most: usize) -> Vec<((usize, usize), Size)> {
    let (columns, rows) = ((width / CELL).max(1), (height / CELL).max(1));
    let size = Size { width: width / columns, height: height / rows };
    let (all, count) = (columns * rows, most.min(columns * rows));
    let place = |cell: usize| (cell % columns * size.width, cell / columns * size.height);
    (0..count).map(|index| (place(index * all / count), size)).collect()
}

fn draw(
    painted: &mut Image,
    cell: &Cell<'_>,
    drawing: &Drawing,
    number: usize,
) -> Option<DrawnDefect> {
    let Drawing { seed, kinds, contrasts, sizes, .. } = drawing;
    let (kind, turn) = (kinds[number % kinds.len()], number / kinds.len());
    let contrast = contrasts[turn % contrasts.len()];
    let size = sizes[turn / contrasts.len() % sizes.len()];
    let mut dice = Dice::new([*seed, number as u64, 0, 0], Purpose::Defect as u64);
    let brush = brush(kind, cell, Strength { contrast, size }, &mut dice);
    let (width, left, top) = (painted.width(), cell.left, cell.top);
    let mask = Mask::from_fn(cell.size.width, cell.size.height, |x, y| {
        let Paint { tone, cover } = brush(x, y);
        let pixel = &mut painted.data_mut()[(top + y) * width + left + x];
        let old = *pixel;
        *pixel = mix(old, tone, cover).clamp(0.0, 1.0);
        *pixel != old
    });
    mask.data().contains(&true).then_some(DrawnDefect { kind, contrast, left, top, mask })
}

impl DrawnDefect {
    /// The columns and rows of the pixels that it covers, in those of the image.
    pub fn pixels(&self) -> impl Iterator<Item = (usize, usize)> {
        let (width, left, top) = (self.mask.width(), self.left, self.top);
        let covered = self.mask.data().iter().enumerate().filter(|(_, covered)| **covered);
        covered.map(move |(index, _)| (left + index % width, top + index / width))
    }
}
