//! One fibre.

use inspect::Image;

use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Curve, mix};

/// How far the shadow of a fibre reaches, in half widths.
const SHADOW_REACH: f32 = 1.9;

/// A fibre that crosses the image, as a curve over the axis that it runs along more.
#[derive(Clone)]
pub(super) struct Fibre {
    axis: Axis,
    /// The centre line over the axis, without sway.
    start: f32,
    slope: f32,
    sway: Curve,
    sway_amplitude: f32,
    half_width: f32,
    swelling: Curve,
    tone: f32,
    pub(super) beads: Vec<Bead>,
}

#[derive(Clone, Copy)]
enum Axis {
    Across,
    Down,
}

/// A drop of polymer around the fibre.
#[derive(Clone, Copy)]
pub(in crate::synthetic) struct Bead {
    /// Its middle, along the axis.
    at: f32,
    /// Half its length.
    half_length: f32,
    /// Its width, relative to the fibre's.
    gain: f32,
}

impl Fibre {
    /// A fibre through a random point, at `depth` between 0 (bottom) and 1 (top).
    pub(super) fn draw(dice: &mut Dice, size: Size, depth: f32) -> Self {
        let (x, y) = (dice.unit() * size.width as f32, dice.unit() * size.height as f32);
        let (dx, dy) = dice.direction();
        let (axis, start, slope) = if dx.abs() >= dy.abs() {
            (Axis::Across, y - x * dy / dx, dy / dx)
        } else {
            (Axis::Down, x - y * dx / dy, dx / dy)
        };
        let length = axis.extents(size).0 as f32;
        Self {
            axis,
            start,
            slope,
            sway: Curve::new(dice, length, 260.0),
            sway_amplitude: dice.between(2.0, 16.0),
            half_width: mix(3.6, 4.6, depth) * (1.0 + 0.18 * dice.normal()).max(0.5),
            swelling: Curve::new(dice, length, 24.0),
            tone: mix(0.16, 0.98, depth * depth.sqrt()) * (1.0 + 0.05 * dice.normal()),
            beads: Vec::new(),
        }
    }

    /// Beads within the image.
    pub(super) fn draw_beads(&self, dice: &mut Dice, size: Size, count: usize) -> Vec<Bead> {
        let (length, breadth) = self.axis.extents(size);
        let is_inside = |at: f32| (0.05..0.95).contains(&(self.centre(at) / breadth as f32));
        let mut bead = |_| {
            // A fibre may leave the image at its sides.
            let at = (0..50)
                .map(|_| dice.between(0.05, 0.95) * length as f32)
                .find(|&at| is_inside(at))?;
            Some(Bead { at, half_length: dice.between(16.0, 34.0), gain: dice.between(2.6, 4.2) })
        };
        (0..count).filter_map(&mut bead).collect()
    }

    /// Paints the fibre, and its shadow on what lies below, over `canvas`.
    pub(super) fn paint(&self, canvas: &mut Image) {
        let size = Size { width: canvas.width(), height: canvas.height() };
        let (length, breadth) = self.axis.extents(size);
        let foreshortening = 1.0 / (1.0 + self.slope * self.slope).sqrt();
        for t in 0..length {
            let centre = self.centre(t as f32);
            let half_width = self.half_width_at(t as f32);
            let reach = SHADOW_REACH * half_width / foreshortening;
            let first = (centre - reach).max(0.0) as usize;
            let end = ((centre + reach).max(-1.0) + 1.0) as usize;
            for side in first..end.min(breadth) {
                let offset = (side as f32 - centre) * foreshortening / half_width;
                let pixel = &mut canvas.data_mut()[self.axis.index(t, side, size.width)];
                *pixel = self.over(*pixel, offset, half_width);
            }
        }
    }

    fn centre(&self, t: f32) -> f32 {
        self.start + self.slope * t + self.sway_amplitude * self.sway.at(t)
    }

    fn half_width_at(&self, t: f32) -> f32 {
        let swelling = self.beads.iter().map(|bead| bead.swelling(t)).fold(0.0, f32::max);
        self.half_width * (1.0 + 0.09 * self.swelling.at(t)) * (1.0 + swelling)
    }

    /// The brightness at `offset` half widths from the centre line, over `below`, the brightness without the fibre.
    fn over(&self, below: f32, offset: f32, half_width: f32) -> f32 {
        let distance = offset.abs();
        let cover = ((1.0 - distance) * half_width + 0.5).clamp(0.0, 1.0);
        let shadow = 0.45 * (1.0 - (distance - 1.0) / (SHADOW_REACH - 1.0)).clamp(0.0, 1.0);
        let round = (1.0 - offset * offset).max(0.0).sqrt();
        mix(below * (1.0 - shadow), self.tone * (0.72 + 0.28 * round - 0.05 * offset), cover)
    }
}

impl Bead {
    fn swelling(&self, t: f32) -> f32 {
        let distance = (t - self.at) / self.half_length;
        let bulge = (1.0 - distance * distance).max(0.0);
        (self.gain - 1.0) * bulge * bulge
    }
}

impl Axis {
    /// The image's length along the axis, and its breadth beside it.
    fn extents(self, size: Size) -> (usize, usize) {
        match self {
            Axis::Across => (size.width, size.height),
            Axis::Down => (size.height, size.width),
        }
    }

    fn index(self, along: usize, side: usize, stride: usize) -> usize {
        match self {
            Axis::Across => side * stride + along,
            Axis::Down => along * stride + side,
        }
    }
}
