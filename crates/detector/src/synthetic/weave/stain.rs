//! Contaminations: paste that hides the weave, and fibres that lie on it.

use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Field, mix, smoothstep};
use crate::synthetic::shape::{Blob, Path};

/// Paste, which fills the gaps and hides the yarns.
pub(in crate::synthetic) struct Stain {
    blob: Blob,
    tone: f32,
    mottle: Field,
    opacity: f32,
}

impl Stain {
    pub(super) fn draw(dice: &mut Dice, size: Size) -> Self {
        let blob = Blob::draw(dice, size, 14.0, 38.0);
        let tone = 0.42 + dice.sign() * dice.between(0.02, 0.12);
        Self { blob, tone, mottle: Field::new(dice, size, 9.0), opacity: dice.between(0.7, 0.9) }
    }

    pub(super) fn tint(&self, x: f32, y: f32, shade: f32) -> f32 {
        let cover = self.opacity * self.blob.coverage(x, y, 0.2);
        if cover == 0.0 {
            shade
        } else {
            mix(shade, self.tone + 0.05 * self.mottle.at(x, y), cover)
        }
    }
}

/// A foreign fibre.
pub(in crate::synthetic) struct Thread {
    path: Path,
    half_width: f32,
    tone: f32,
}

impl Thread {
    pub(super) fn draw(dice: &mut Dice, size: Size) -> Self {
        let path = Path::draw(dice, size, 90.0, 240.0, 22.0);
        Self {
            path,
            half_width: dice.between(2.5, 4.0),
            tone: 0.55 + dice.sign() * dice.between(0.1, 0.25),
        }
    }

    pub(super) fn tint(&self, x: f32, y: f32, shade: f32) -> f32 {
        let (along, across) = self.path.to_local(x, y);
        let end = 1.0 - smoothstep(0.9, 1.0, along.abs());
        let offset = across / self.half_width;
        // The shadow falls to the lower right, away from the light.
        let shadow = 0.35 * end * (1.0 - smoothstep(0.8, 2.0, (offset - 0.5).abs()));
        let cover = end * (1.0 - smoothstep(0.85, 1.15, offset.abs()));
        let body = self.tone * (0.6 + 0.4 * (1.0 - offset * offset).max(0.0).sqrt());
        mix(shade * (1.0 - shadow), body, cover)
    }
}
