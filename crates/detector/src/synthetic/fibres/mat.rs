//! A mat of fibres.

use inspect::Image;

use super::fibre::Fibre;
use crate::synthetic::Size;
use crate::synthetic::dice::Dice;
use crate::synthetic::noise::Field;

/// How many fibres cross a pixel of half the circumference: each crosses about half of the sides'
/// sum.
const DENSITY: f32 = 0.12;

/// A mat of fibres, the deepest first, over dark ground.
#[derive(Clone)]
pub(in crate::synthetic) struct Mat {
    pub(super) fibres: Vec<Fibre>,
    pub(super) ground: Image,
}

impl Mat {
    /// A mat that covers `size`.
    pub(in crate::synthetic) fn draw(dice: &mut Dice, size: Size) -> Self {
        let count = (DENSITY * (size.width + size.height) as f32).max(1.0) as usize;
        let fibres = (0..count).map(|k| Fibre::draw(dice, size, k as f32 / count as f32)).collect();
        let mut ground = Field::new(dice, size, 60.0).render(size);
        ground.data_mut().iter_mut().for_each(|value| *value = 0.05 + 0.03 * *value);
        Self { fibres, ground }
    }

    /// The mat without defect.
    pub(in crate::synthetic) fn render(&self) -> Image {
        let mut canvas = self.ground.clone();
        self.fibres.iter().for_each(|fibre| fibre.paint(&mut canvas));
        canvas
    }
}
