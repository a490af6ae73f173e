//! Defects of woven fabric.

use inspect::Image;

use super::cloth::Cloth;
use super::missing::MissingYarn;
use super::rough::Rough;
use super::slit::Slit;
use super::stain::{Stain, Thread};
use crate::synthetic::Size;
use crate::synthetic::dice::Dice;

/// A defect of a piece of fabric.
pub(in crate::synthetic) enum Flaw {
    /// A cut.
    Slit(Slit),
    /// A roughened area.
    Rough(Rough),
    /// A contamination that soaks the fabric.
    Stain(Stain),
    /// A contamination that lies on the fabric.
    Thread(Thread),
    /// A yarn that is missing on a part of its length.
    MissingYarn(MissingYarn),
}

impl Flaw {
    /// A defect; the types take turns.
    pub(in crate::synthetic) fn draw(dice: &mut Dice, turn: usize, size: Size) -> Self {
        match turn % 4 {
            0 => Self::Slit(Slit::draw(dice, size)),
            1 => Self::Rough(Rough::draw(dice, size)),
            2 if dice.unit() < 0.5 => Self::Stain(Stain::draw(dice, size)),
            2 => Self::Thread(Thread::draw(dice, size)),
            _ => Self::MissingYarn(MissingYarn::draw(dice, size)),
        }
    }

    /// The fabric with this defect.
    pub(in crate::synthetic) fn render(&self, cloth: &Cloth, size: Size) -> Image {
        if let Self::MissingYarn(missing) = self {
            return missing.remove_from(cloth.clone()).render(size);
        }
        Image::from_fn(size.width, size.height, |column, row| {
            let (x, y) = (column as f32, row as f32);
            let (from_x, from_y) = self.source(x, y);
            self.tint(x, y, cloth.shade(column, row, from_x, from_y))
        })
    }

    /// Where the fabric at (`x`, `y`) was before it was pulled there.
    fn source(&self, x: f32, y: f32) -> (f32, f32) {
        match self {
            Self::Slit(slit) => slit.source(x, y),
            Self::Rough(rough) => rough.source(x, y),
            Self::Stain(_) | Self::Thread(_) | Self::MissingYarn(_) => (x, y),
        }
    }

    /// The brightness at (`x`, `y`) where the fabric has brightness `shade`.
    fn tint(&self, x: f32, y: f32, shade: f32) -> f32 {
        match self {
            Self::Slit(slit) => slit.tint(x, y, shade),
            Self::Rough(rough) => rough.tint(x, y, shade),
            Self::Stain(stain) => stain.tint(x, y, shade),
            Self::Thread(thread) => thread.tint(x, y, shade),
            Self::MissingYarn(_) => shade,
        }
    }
}
