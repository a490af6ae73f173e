//! Where a defect lies: blobs and paths with irregular outlines.

use super::dice::Dice;
use super::noise::{Curve, Field, smoothstep};
use super::vocabulary::Size;

/// Coordinates along and across a direction, from a centre.
pub(super) struct Frame {
    centre: (f32, f32),
    direction: (f32, f32),
}

impl Frame {
    /// A frame of any direction whose centre keeps `margin` pixels from the border, or lies amid a
    /// smaller image.
    pub(super) fn draw(dice: &mut Dice, size: Size, margin: f32) -> Self {
        let mut coordinate = |side: usize| {
            let margin = margin.min(side as f32 * 0.45);
            dice.between(margin, side as f32 - margin)
        };
        let centre = (coordinate(size.width), coordinate(size.height));
        Self { centre, direction: dice.direction() }
    }

    /// (`x`, `y`) as (along, across).
    pub(super) fn to_local(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (cos, sin) = self.direction;
        (dx * cos + dy * sin, dy * cos - dx * sin)
    }

    /// The inverse of [`Frame::to_local`].
    pub(super) fn to_image(&self, along: f32, across: f32) -> (f32, f32) {
        let (cos, sin) = self.direction;
        (self.centre.0 + along * cos - across * sin, self.centre.1 + along * sin + across * cos)
    }
}

/// An ellipse with an irregular outline.
pub(super) struct Blob {
    frame: Frame,
    radii: (f32, f32),
    outline: Field,
}

impl Blob {
    /// A blob with half axes from `low` to `high` pixels, smaller in a small image.
    pub(super) fn draw(dice: &mut Dice, size: Size, low: f32, high: f32) -> Self {
        let largest = size.shorter_side() * 0.22;
        let radii = (dice.between(low, high).min(largest), dice.between(low, high).min(largest));
        let frame = Frame::draw(dice, size, radii.0.max(radii.1) * 1.3);
        let outline = Field::new(dice, size, radii.0.min(radii.1) * 0.7);
        Self { frame, radii, outline }
    }

    /// The distance from the centre in radii: about 1 at the outline.
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        let (along, across) = self.frame.to_local(x, y);
        let (u, v) = (along / self.radii.0, across / self.radii.1);
        let distance = (u * u + v * v).sqrt();
        // Far away the outline does not matter, and to leave it out saves most of the time.
        if distance > 2.0 { distance } else { distance + 0.3 * self.outline.at(x, y) }
    }

    /// 1 inside, 0 outside, with an edge of `softness` radii.
    pub(super) fn coverage(&self, x: f32, y: f32, softness: f32) -> f32 {
        1.0 - smoothstep(1.0 - softness, 1.0, self.distance(x, y))
    }

    /// The frame of the half axes.
    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The half axes.
    pub(super) fn radii(&self) -> (f32, f32) {
        self.radii
    }
}

/// A swaying line of limited length.
pub(super) struct Path {
    frame: Frame,
    half_length: f32,
    sway: Curve,
    amplitude: f32,
}

impl Path {
    /// A path from `low` to `high` pixels long, shorter in a small image, that sways by
    /// `amplitude`.
    pub(super) fn draw(dice: &mut Dice, size: Size, low: f32, high: f32, amplitude: f32) -> Self {
        let half_length = (dice.between(low, high) / 2.0).min(size.shorter_side() * 0.35);
        let frame = Frame::draw(dice, size, half_length * 0.9);
        let sway = Curve::new(dice, 2.0 * half_length, half_length * 0.8);
        Self { frame, half_length, sway, amplitude }
    }

    /// (`x`, `y`) as (along, across); along is within [-1, 1] on the path, across is in pixels.
    pub(super) fn to_local(&self, x: f32, y: f32) -> (f32, f32) {
        let (along, across) = self.frame.to_local(x, y);
        (along / self.half_length, across - self.bend(along))
    }

    /// 1 on a stroke along the path, 0 beside it, with an edge of a pixel.
    pub(super) fn cover(&self, half_width: f32, x: f32, y: f32) -> f32 {
        let (along, across) = self.to_local(x, y);
        if along.abs() > 1.0 {
            return 0.0;
        }
        1.0 - smoothstep(half_width - 1.0, half_width, across.abs())
    }

    /// The inverse of [`Path::to_local`].
    pub(super) fn to_image(&self, along: f32, across: f32) -> (f32, f32) {
        let along = along * self.half_length;
        self.frame.to_image(along, across + self.bend(along))
    }

    /// Half the length in pixels.
    pub(super) fn half_length(&self) -> f32 {
        self.half_length
    }

    fn bend(&self, along: f32) -> f32 {
        self.amplitude * self.sway.at(along + self.half_length)
    }
}
