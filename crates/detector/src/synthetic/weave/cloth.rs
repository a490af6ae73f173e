//! How a piece of fabric looks, before light and camera.

use super::yarns::{Hit, YarnStyle, Yarns};
use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Field, mix, smoothstep};
use inspect::Image;

/// How warp and weft interlace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::synthetic) enum Weave {
    /// Over one, under one.
    Plain,
    /// Over two, under two, shifted by one yarn each row: diagonal ribs.
    Twill,
}

/// The brightness of the gaps between the yarns.
const GAP_TONE: f32 = 0.1;

/// A piece of fabric.
#[derive(Clone)]
pub(in crate::synthetic) struct Cloth {
    weave: Weave,
    pub(super) warp: Yarns,
    pub(super) weft: Yarns,
    /// By how much columns shift from row to row, and rows from column to column.
    tilt: f32,
    /// Where each pixel's part of the fabric came from, along x and y.
    drape: [Image; 2],
}

impl Weave {
    fn warp_is_over(self, warp: usize, weft: usize) -> bool {
        match self {
            Weave::Plain => (warp + weft).is_multiple_of(2),
            Weave::Twill => (warp + weft) % 4 < 2,
        }
    }

    fn styles(self) -> [YarnStyle; 2] {
        match self {
            Weave::Plain => [
                YarnStyle { pitch: 14.0, fullness: 0.94, tone: 0.70 },
                YarnStyle { pitch: 15.0, fullness: 0.92, tone: 0.60 },
            ],
            Weave::Twill => [
                YarnStyle { pitch: 12.0, fullness: 0.98, tone: 0.72 },
                YarnStyle { pitch: 13.0, fullness: 0.94, tone: 0.45 },
            ],
        }
    }
}

impl Cloth {
    /// A piece of fabric that covers `size`.
    pub(in crate::synthetic) fn draw(dice: &mut Dice, weave: Weave, size: Size) -> Self {
        let [warp, weft] = weave.styles();
        let warp = Yarns::draw(dice, warp, size.width, size.height);
        let weft = Yarns::draw(dice, weft, size.height, size.width);
        // The tilt must not lead beyond the yarns' reach in a large image.
        let tilt = dice.signed() * 0.012_f32.min(40.0 / size.width.max(size.height) as f32);
        let drape = [(); 2].map(|()| {
            let mut field = Field::new(dice, size, 150.0).render(size);
            field.data_mut().iter_mut().for_each(|shift| *shift *= 2.0);
            field
        });
        Self { weave, warp, weft, tilt, drape }
    }

    /// The brightness of the pixel (`x`, `y`) if the fabric of (`from_x`, `from_y`) is pulled
    /// there.
    pub(super) fn shade(&self, x: usize, y: usize, from_x: f32, from_y: f32) -> f32 {
        let x_bent = from_x + self.tilt * from_y + self.drape[0].get(x, y);
        let y_bent = from_y - self.tilt * from_x + self.drape[1].get(x, y);
        let warp = self.warp.hit(x_bent, y_bent);
        let weft = self.weft.hit(y_bent, x_bent);
        let over =
            |warp: usize, weft: usize| if self.weave.warp_is_over(warp, weft) { 1.0 } else { -1.0 };
        let warp_rise =
            rise(over(warp.index, weft.index), over(warp.index, beside(&weft)), weft.place);
        let weft_rise =
            -rise(over(warp.index, weft.index), over(beside(&warp), weft.index), warp.place);
        let (warp_height, weft_height) = (height(&warp, warp_rise), height(&weft, weft_rise));
        if warp_height.max(weft_height) < -1.0 {
            GAP_TONE
        } else if warp_height > weft_height {
            self.warp.tone(&warp) * light(&warp, warp_rise, &weft)
        } else {
            self.weft.tone(&weft) * light(&weft, weft_rise, &warp)
        }
    }

    /// The fabric without defect.
    pub(in crate::synthetic) fn render(&self, size: Size) -> Image {
        Image::from_fn(size.width, size.height, |x, y| self.shade(x, y, x as f32, y as f32))
    }
}

/// The number of the yarn on the other side of the point.
fn beside(hit: &Hit) -> usize {
    if hit.place < 0.0 { hit.index - 1 } else { hit.index + 1 }
}

/// A yarn's rise between -1 (under) and 1 (over), from the crossing here towards the next one.
fn rise(here: f32, next: f32, place: f32) -> f32 {
    mix(here, next, smoothstep(0.0, 1.0, place.abs()))
}

/// The height of the yarn's round surface; far below all else beside the yarn.
fn height(hit: &Hit, rise: f32) -> f32 {
    if hit.offset.abs() >= 1.0 { -10.0 } else { 0.7 * rise + roundness(hit.offset) }
}

fn roundness(offset: f32) -> f32 {
    (1.0 - offset * offset).max(0.0).sqrt()
}

/// How much light the surface sends back: less at the sides and in the depth, with light from the
/// upper left.
///
/// Far from the yarns that cross it a yarn is not supported: it sinks, and the dark ground shows
/// through.
fn light(hit: &Hit, rise: f32, crossing: &Hit) -> f32 {
    let round = 0.35 + 0.65 * roundness(hit.offset);
    let depth = 0.78 + 0.22 * rise;
    let support = 1.0 - 0.4 * smoothstep(1.1, 1.6, crossing.offset.abs());
    support * (round * depth - 0.08 * hit.offset)
}
