//! Roughened areas: yarns in disorder under raised filaments.

use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Field, mix};
use crate::synthetic::shape::Blob;

pub(in crate::synthetic) struct Rough {
    blob: Blob,
    disorder: [Field; 2],
    amplitude: f32,
    fuzz: Field,
    cover: f32,
}

impl Rough {
    pub(super) fn draw(dice: &mut Dice, size: Size) -> Self {
        let blob = Blob::draw(dice, size, 22.0, 55.0);
        let disorder = [(); 2].map(|()| Field::new(dice, size, 11.0));
        let fuzz = Field::new(dice, size, 3.0);
        Self {
            blob,
            disorder,
            amplitude: dice.between(6.0, 9.0),
            fuzz,
            cover: dice.between(0.35, 0.55),
        }
    }

    pub(super) fn source(&self, x: f32, y: f32) -> (f32, f32) {
        let strength = self.amplitude * self.blob.coverage(x, y, 0.45);
        if strength == 0.0 {
            return (x, y);
        }
        (x + strength * self.disorder[0].at(x, y), y + strength * self.disorder[1].at(x, y))
    }

    pub(super) fn tint(&self, x: f32, y: f32, shade: f32) -> f32 {
        let cover = self.cover * self.blob.coverage(x, y, 0.35);
        if cover == 0.0 { shade } else { mix(shade, 0.5 + 0.22 * self.fuzz.at(x, y), cover) }
    }
}
