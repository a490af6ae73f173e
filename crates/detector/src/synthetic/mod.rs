//! Synthetic images of fabric and fibres, good and defective, with exact masks; and defects that are
//! drawn into other images.
//!
//! They stand in for the data sets of the paper where those are not at hand, in the same sizes and
//! counts. The same seed gives the same pixels on every machine and with any number of threads:
//! randomness comes from ChaCha8, seeded anew for each image, and pixels are computed by IEEE 754
//! additions, multiplications, divisions and square roots only.

mod camera;
mod dice;
mod drawn;
mod fibres;
mod noise;
mod scene;
mod set;
mod shape;
mod weave;

use inspect::{Image, Mask};
use std::fmt;
use std::str::FromStr;

use crate::error::Context;
use crate::{Error, Result};

use dice::Dice;
use scene::Scene;

pub use drawn::draw_defects;
pub use set::{Spec, generate, is_synthetic};

/// Changes whenever the same seed gives other pixels than before.
pub const GENERATOR_VERSION: u32 = 1;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntheticKind {
    /// A plain weave, in the place of woven texture 1.
    Plain,
    /// A twill weave, in the place of woven texture 2.
    Twill,
    /// Nanofibres, in the place of NanoTWICE.
    Fibres,
}

impl SyntheticKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Twill, Self::Fibres];

    /// The name on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Twill => "twill",
            Self::Fibres => "fibres",
        }
    }
}

impl fmt::Display for SyntheticKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.key())
    }
}

impl FromStr for SyntheticKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|kind| kind.key() == name);
        named.with_context(|| format!("expected plain, twill or fibres, got {name}"))
    }
}

/// The type of a synthetic defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefectKind {
    /// Fabric: a gaping slit.
    Cut,
    /// Fabric: yarns in disorder.
    Roughened,
    /// Fabric: paste, or a foreign fibre.
    Contamination,
    /// Fabric: a yarn is missing on a part of its length.
    MissingYarn,
    /// Fibres: drops of polymer along fibres.
    Bead,
    /// Fibres: a membrane between fibres.
    Film,
    /// Fibres: a heap of grains.
    Clump,
}

/// The size of an image in pixels, at least 1 each way. Yarns and fibres keep their width whatever
/// the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A defective image and its ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering {
    /// The image, in [0, 1].
    pub image: Image,
    /// Where the defect changed it. All other pixels are those of the image without the defect.
    pub mask: Mask,
    /// The type of the defect.
    pub defect: DefectKind,
}

/// The good image number `index`, in [0, 1].
pub fn render_good(kind: SyntheticKind, seed: u64, index: usize, size: Size) -> Image {
    let source = Source { kind, seed, split: Split::Good, index };
    Scene::draw(&source, size).good(&source, size)
}

/// The defective image number `index`; the types of defects take turns.
pub fn render_defective(kind: SyntheticKind, seed: u64, index: usize, size: Size) -> Rendering {
    let source = Source { kind, seed, split: Split::Defective, index };
    Scene::draw(&source, size).defective(&source, size)
}

impl Size {
    /// The smaller of width and height.
    fn shorter_side(self) -> f32 {
        self.width.min(self.height) as f32
    }
}

/// What names an image, and so seeds its random numbers.
struct Source {
    kind: SyntheticKind,
    seed: u64,
    split: Split,
    index: usize,
}

#[derive(Clone, Copy)]
enum Split {
    Good,
    Defective,
}

/// What random numbers are drawn for: drawing more for one leaves the others as they were.
#[derive(Clone, Copy)]
enum Purpose {
    Scene,
    Camera,
    Flaw,
    Noise,
    Drawing,
}

impl Source {
    /// The order of the variants above is part of the key, so that to change it is to change
    /// [`GENERATOR_VERSION`].
    fn dice(&self, purpose: Purpose) -> Dice {
        Dice::new(
            [self.seed, self.kind as u64, self.split as u64, self.index as u64],
            purpose as u64,
        )
    }
}

#[cfg(test)]
mod tests;
