//! Names of what synthetic images show.

use crate::error::Context;
use crate::{Error, Result};
use inspect::{Image, Mask};
use std::fmt;
use std::str::FromStr;

/// Changes whenever the same seed gives other pixels than before.
pub const GENERATOR_VERSION: u32 = 1;

/// The subject of synthetic images.
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
}

impl Size {
    /// The smaller of width and height.
    pub(super) fn shorter_side(self) -> f32 {
        self.width.min(self.height) as f32
    }
}
