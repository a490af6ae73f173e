//! Cuts: slits that gape, with the yarns pushed aside.

use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::{Curve, mix, smoothstep};
use crate::synthetic::shape::Path;

/// How far from the slit yarns are pushed aside, in pixels.
const PUSHED: f32 = 16.0;

pub(in crate::synthetic) struct Slit {
    path: Path,
    gape: f32,
    fray: Curve,
    ground: f32,
}

impl Slit {
    pub(super) fn draw(dice: &mut Dice, size: Size) -> Self {
        let path = Path::draw(dice, size, 60.0, 170.0, 5.0);
        let fray = Curve::new(dice, 2.0 * path.half_length(), 5.0);
        Self { path, gape: dice.between(2.5, 5.0), fray, ground: dice.between(0.08, 0.2) }
    }

    /// The fabric that was at the slit now lies beside it.
    pub(super) fn source(&self, x: f32, y: f32) -> (f32, f32) {
        let (along, across) = self.path.to_local(x, y);
        let gape = self.gape_at(along);
        let beyond = across.abs() - gape;
        if gape <= 0.0 || beyond <= 0.0 || beyond >= PUSHED {
            return (x, y);
        }
        let left = 1.0 - beyond / PUSHED;
        self.path.to_image(along, across - across.signum() * gape * left * left)
    }

    pub(super) fn tint(&self, x: f32, y: f32, shade: f32) -> f32 {
        let (along, across) = self.path.to_local(x, y);
        let gape = self.gape_at(along);
        if gape <= 0.0 {
            return shade;
        }
        let frayed = gape * (1.0 + 0.5 * self.fray.at((along + 1.0) * self.path.half_length()));
        // Single filaments still span the slit and let some of the fabric's brightness through.
        mix(
            shade,
            mix(self.ground, shade, 0.15),
            1.0 - smoothstep(frayed - 1.0, frayed + 0.5, across.abs()),
        )
    }

    /// Half the width of the opening, which tapers towards the ends.
    fn gape_at(&self, along: f32) -> f32 {
        self.gape * (1.0 - along * along)
    }
}
