//! Missing yarns: the crossing yarns float over the gap, and the neighbours close in on it.

use super::cloth::Cloth;
use super::yarns::Yarns;
use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{REACH, smoothstep};

#[derive(Clone, Copy)]
enum Direction {
    Warp,
    Weft,
}

pub(in crate::synthetic) struct MissingYarn {
    direction: Direction,
    across: f32,
    middle: f32,
    half_length: f32,
}

impl MissingYarn {
    pub(super) fn draw(dice: &mut Dice, size: Size) -> Self {
        let direction = if dice.unit() < 0.5 { Direction::Warp } else { Direction::Weft };
        let (breadth, length) = match direction {
            Direction::Warp => (size.width as f32, size.height as f32),
            Direction::Weft => (size.height as f32, size.width as f32),
        };
        let half_length = dice.between(45.0, 120.0).min(0.35 * length);
        Self {
            direction,
            across: dice.between(0.15, 0.85) * breadth,
            middle: dice.between(half_length, length - half_length),
            half_length,
        }
    }

    pub(super) fn remove_from(&self, mut cloth: Cloth) -> Cloth {
        match self.direction {
            Direction::Warp => self.remove(&mut cloth.warp),
            Direction::Weft => self.remove(&mut cloth.weft),
        }
        cloth
    }

    fn remove(&self, yarns: &mut Yarns) {
        let number = yarns.number_at(self.across);
        for (slenderness, missing) in self.gap(&mut yarns.yarn_mut(number).slenderness) {
            *slenderness /= 1.001 - missing;
        }
        let closing = 0.12 * yarns.pitch();
        for (neighbour, shift) in [(number - 1, closing), (number + 1, -closing)] {
            for (centre, missing) in self.gap(&mut yarns.yarn_mut(neighbour).centre) {
                *centre += shift * missing;
            }
        }
    }

    /// The values of a table along the yarn, each with how much of the yarn is missing there, from
    /// 0 to 1.
    fn gap<'a>(&self, table: &'a mut [f32]) -> impl Iterator<Item = (&'a mut f32, f32)> {
        let (middle, half_length) = (self.middle, self.half_length);
        table.iter_mut().enumerate().map(move |(t, value)| {
            let distance = (t as f32 - REACH - middle).abs();
            (value, 1.0 - smoothstep(half_length - 5.0, half_length, distance))
        })
    }
}
