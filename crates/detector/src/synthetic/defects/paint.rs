//! The look of each kind of defect.

use super::cell::Cell;
use super::kind::DrawnKind;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Field, mix, smoothstep};
use crate::synthetic::shape::{Blob, Path};

/// The contrast from which on texture is replaced completely; below, the defect is transparent.
const OPAQUE: f32 = 2.0;

/// The paint at a pixel of the cell.
pub(super) struct Paint {
    /// The intensity of the paint.
    pub tone: f32,
    /// How much of the pixel it covers, from 0 to 1.
    pub cover: f32,
}

/// How large a defect is, and how it differs from the texture.
#[derive(Clone, Copy)]
pub(super) struct Strength {
    /// The difference in tone, in deviations of the texture.
    pub contrast: f32,
    /// The factor of lengths and widths.
    pub size: f32,
}

/// A defect in a cell: the paint of each of its pixels.
pub(super) type Brush<'a> = Box<dyn Fn(usize, usize) -> Paint + 'a>;

/// A defect of a kind.
pub(super) fn brush<'a>(
    kind: DrawnKind,
    cell: &'a Cell<'a>,
    strength: Strength,
    dice: &mut Dice,
) -> Brush<'a> {
    let Strength { contrast, size } = strength;
    let opacity = (contrast / OPAQUE).min(1.0);
    let radii = |low: f32, high: f32| (low * size, high * size);
    match kind {
        DrawnKind::Stroke => stroke(cell, strength, dice),
        DrawnKind::Cut => cut(cell, strength, dice),
        DrawnKind::Blob => {
            let tone = cell.mean + cell.difference(dice, contrast);
            area(cell, radii(4.0, 14.0), 0.3, 1.0, dice, move |_, _| tone)
        }
        DrawnKind::Stain => {
            // Eyes and networks see a large area at lower contrasts than a small one.
            let difference = cell.difference(dice, contrast / 2.0);
            area(cell, radii(24.0, 40.0), 0.6, 1.0, dice, move |x, y| cell.pixel(x, y) + difference)
        }
        DrawnKind::Smear => {
            let reach = 3 + dice.below(4) as isize;
            area(cell, radii(10.0, 30.0), 0.2, opacity, dice, move |x, y| cell.blurred(x, y, reach))
        }
        DrawnKind::Foreign => {
            let spacing = dice.between(2.0, 6.0);
            let noise = Field::new(dice, cell.size, spacing);
            let tone = move |x: usize, y: usize| {
                cell.mean + contrast * cell.deviation * noise.at(x as f32, y as f32)
            };
            area(cell, radii(10.0, 30.0), 0.2, 1.0, dice, tone)
        }
        DrawnKind::Displaced => {
            let (cos, sin) = dice.direction();
            let distance = dice.between(20.0, 60.0);
            let (dx, dy) = ((cos * distance) as isize, (sin * distance) as isize);
            let tone = move |x, y| cell.texture(x as isize + dx, y as isize + dy);
            area(cell, radii(12.0, 34.0), 0.1, opacity, dice, tone)
        }
        DrawnKind::Rotated => {
            let (cx, cy) = (cell.size.width as isize / 2, cell.size.height as isize / 2);
            let tone = move |x, y| cell.texture(cx + y as isize - cy, cy - (x as isize - cx));
            area(cell, radii(12.0, 34.0), 0.1, opacity, dice, tone)
        }
    }
}

/// A blob with half axes within `radii` pixels and an edge of `softness` radii, painted in `tone`.
fn area<'a>(
    cell: &'a Cell<'a>,
    radii: (f32, f32),
    softness: f32,
    opacity: f32,
    dice: &mut Dice,
    tone: impl Fn(usize, usize) -> f32 + 'a,
) -> Brush<'a> {
    let blob = Blob::draw(dice, cell.size, radii.0, radii.1);
    Box::new(move |x, y| {
        let cover = opacity * blob.coverage(x as f32, y as f32, softness);
        // To compute what does not show takes time.
        let tone = if cover > 0.0 { tone(x, y) } else { 0.0 };
        Paint { tone, cover }
    })
}

fn stroke<'a>(cell: &'a Cell<'a>, strength: Strength, dice: &mut Dice) -> Brush<'a> {
    let Strength { contrast, size } = strength;
    let tone = cell.mean + cell.difference(dice, contrast);
    let half_width = dice.between(size, 3.0 * size);
    let path = Path::draw(dice, cell.size, 30.0 * size, 110.0 * size, 8.0);
    Box::new(move |x, y| Paint { tone, cover: path.cover(half_width, x as f32, y as f32) })
}

fn cut<'a>(cell: &'a Cell<'a>, strength: Strength, dice: &mut Dice) -> Brush<'a> {
    let Strength { contrast, size } = strength;
    let difference = cell.difference(dice, contrast);
    let half_width = dice.between(3.0 * size, 7.0 * size);
    let path = Path::draw(dice, cell.size, 30.0 * size, 80.0 * size, 3.0);
    Box::new(move |x, y| {
        let (along, across) = path.to_local(x as f32, y as f32);
        // From 0 in the middle to 1 at the edge of the cut, which tapers towards its ends.
        let width = half_width * (1.0 - along * along).max(0.0) + 1e-3;
        let place = across.abs() / width;
        let gap = 1.0 - smoothstep(0.5, 0.7, place);
        let tone = cell.mean + mix(-0.5 * difference, difference, gap);
        let is_beyond = along.abs() > 1.0;
        Paint { tone, cover: if is_beyond { 0.0 } else { 1.0 - smoothstep(0.8, 1.0, place) } }
    })
}
