//! The kinds of drawn defects.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of defect that is drawn into a good image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrawnKind {
    /// A dark or bright line that sways: a crack, a scratch, a fibre.
    Stroke,
    /// A dark or bright spot: a hole, a grain, a drop.
    Blob,
    /// A gap that tapers, with rims of the opposite tone.
    Cut,
    /// A large area that is darker or brighter, its texture left as it is.
    Stain,
    /// An area in which the texture is blurred.
    Smear,
    /// An area of noise in place of the texture.
    Foreign,
    /// An area of the texture from another place of the image.
    Displaced,
    /// An area of the texture turned by 90°.
    Rotated,
}

impl DrawnKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Stroke,
        Self::Blob,
        Self::Cut,
        Self::Stain,
        Self::Smear,
        Self::Foreign,
        Self::Displaced,
        Self::Rotated,
    ];

    /// Those that can be seen on every texture. Texture that is moved or turned looks as before where it is the same everywhere and in
    /// every direction; and where it has hardly any contrast, to blur it changes little.
    pub const VISIBLE: [Self; 5] =
        [Self::Stroke, Self::Blob, Self::Cut, Self::Stain, Self::Foreign];

    /// The name in records and tables.
    pub fn key(self) -> &'static str {
        match self {
            Self::Stroke => "stroke",
            Self::Blob => "blob",
            Self::Cut => "cut",
            Self::Stain => "stain",
            Self::Smear => "smear",
            Self::Foreign => "foreign",
            Self::Displaced => "displaced",
            Self::Rotated => "rotated",
        }
    }
}

impl fmt::Display for DrawnKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.key())
    }
}
