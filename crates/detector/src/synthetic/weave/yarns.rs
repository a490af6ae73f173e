//! Parallel yarns with all their irregularities.

use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Curve, REACH};

/// Parallel yarns, the regular grid that they stray from, and what they look like.
#[derive(Clone)]
pub(super) struct Yarns {
    pitch: f32,
    origin: f32,
    yarns: Vec<Yarn>,
}

/// One yarn, tabulated at every pixel along from -REACH on.
#[derive(Clone)]
pub(super) struct Yarn {
    /// The centre line, across.
    pub(super) centre: Vec<f32>,
    /// 2 / width in pixels.
    pub(super) slenderness: Vec<f32>,
    /// The brightness.
    tone: Vec<f32>,
    /// Where the stripes of the twist begin.
    twist: f32,
}

/// The averages that yarns vary about.
#[derive(Clone, Copy)]
pub(super) struct YarnStyle {
    /// The distance of neighbouring yarns in pixels.
    pub(super) pitch: f32,
    /// The width in units of the pitch.
    pub(super) fullness: f32,
    /// The brightness.
    pub(super) tone: f32,
}

/// A point of the yarn that is nearest to a pixel.
pub(super) struct Hit {
    /// The yarn's number.
    pub(super) index: usize,
    /// The distance from its centre line in half widths, with sign: beyond ±1 there is no yarn.
    pub(super) offset: f32,
    /// The distance from its place in the grid in pitches, with sign.
    pub(super) place: f32,
    /// Where along the yarn, from -[`REACH`] on.
    at: f32,
}

impl Yarns {
    /// Yarns of the given style that cover `across` pixels and are `along` pixels long.
    pub(super) fn draw(dice: &mut Dice, style: YarnStyle, across: usize, along: usize) -> Self {
        let pitch = style.pitch * (1.0 + 0.01 * dice.signed());
        let origin = -REACH + pitch * dice.unit();
        let count = ((across as f32 + 2.0 * REACH) / pitch) as usize;
        let yarns =
            (0..count).map(|k| Yarn::draw(dice, style, origin + pitch * (k as f32 + 0.5), along));
        Self { pitch, origin, yarns: yarns.collect() }
    }

    /// The yarn nearest to a point, whose coordinates may lie up to [`REACH`] outside the image.
    pub(super) fn hit(&self, across: f32, along: f32) -> Hit {
        let position = (across - self.origin) / self.pitch - 0.5;
        let before = position.clamp(1.0, self.yarns.len() as f32 - 3.0) as usize;
        let at = (along + REACH).clamp(0.0, (self.yarns[before].centre.len() - 1) as f32);
        let offset = |k: usize| self.yarns[k].offset(across, at as usize);
        let (left, right) = (offset(before), offset(before + 1));
        let (index, offset) =
            if left.abs() < right.abs() { (before, left) } else { (before + 1, right) };
        Hit { index, offset, place: position - index as f32, at }
    }

    /// The brightness of a yarn's surface.
    pub(super) fn tone(&self, hit: &Hit) -> f32 {
        let yarn = &self.yarns[hit.index];
        yarn.tone[hit.at as usize] * (1.0 + 0.07 * yarn.stripe(hit.at, hit.offset))
    }

    /// The number of the yarn whose place in the grid is nearest.
    pub(super) fn number_at(&self, across: f32) -> usize {
        let position = (across - self.origin) / self.pitch - 0.5;
        position.round().clamp(1.0, self.yarns.len() as f32 - 2.0) as usize
    }

    /// The distance of neighbouring yarns.
    pub(super) fn pitch(&self) -> f32 {
        self.pitch
    }

    /// A yarn, to be changed.
    pub(super) fn yarn_mut(&mut self, number: usize) -> &mut Yarn {
        &mut self.yarns[number]
    }
}

impl Yarn {
    fn draw(dice: &mut Dice, style: YarnStyle, place: f32, along: usize) -> Self {
        let length = along as f32;
        let mut curve = |spacing: f32| Curve::new(dice, length, spacing);
        let (drift, thickness, shade) = (curve(90.0), curve(40.0), curve(60.0));
        let place = place + 0.05 * style.pitch * dice.normal();
        let half_width = 0.5 * style.pitch * style.fullness * (1.0 + 0.04 * dice.normal());
        let tone = style.tone * (1.0 + 0.04 * dice.normal());
        let table = |value: &dyn Fn(f32) -> f32| -> Vec<f32> {
            (0..along + 2 * REACH as usize).map(|t| value(t as f32 - REACH)).collect()
        };
        Self {
            centre: table(&|t| place + 0.06 * style.pitch * drift.at(t)),
            slenderness: table(&|t| 1.0 / (half_width * (1.0 + 0.07 * thickness.at(t)))),
            tone: table(&|t| tone * (1.0 + 0.06 * shade.at(t))),
            twist: dice.unit(),
        }
    }

    /// The distance from the centre line in half widths, with sign.
    fn offset(&self, across: f32, at: usize) -> f32 {
        (across - self.centre[at]) * self.slenderness[at]
    }

    /// The slanting stripes of twisted strands, from -1 to 1.
    fn stripe(&self, at: f32, offset: f32) -> f32 {
        const STRAND: f32 = 5.5;
        // Not below 0, so that the cast rounds down.
        let turn = at / STRAND + 0.45 * offset.clamp(-1.0, 1.0) + self.twist + 1.0;
        4.0 * (turn - (turn as u32) as f32 - 0.5).abs() - 1.0
    }
}
