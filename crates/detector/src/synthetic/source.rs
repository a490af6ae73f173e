//! The random numbers of an image.

use super::dice::Dice;
use super::vocabulary::SyntheticKind;

/// The name of an image, which seeds its random numbers.
pub(super) struct Source {
    pub kind: SyntheticKind,
    pub seed: u64,
    pub split: Split,
    pub index: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Split {
    Good,
    Defective,
}

/// The purpose of random numbers: drawing more for one purpose leaves those of the others as they were.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Scene,
    Camera,
    Flaw,
    Noise,
    Drawing,
    Defect,
}

impl Source {
    /// The order of the variants above is part of the key, so that to change it is to change
    /// [`super::GENERATOR_VERSION`].
    pub fn dice(&self, purpose: Purpose) -> Dice {
        Dice::new(
            [self.seed, self.kind as u64, self.split as u64, self.index as u64],
            purpose as u64,
        )
    }
}
