//! The one channel of a colour picture that is inspected.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::ensure;

/// Red, green and blue weights of luma (Rec. ITU-R BT.601, as OpenCV's and Pillow's grey).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The intensity of a colour. Red, green and blue in [0, 1] give one in [0, 1]; all but the saturation are the intensity itself for grey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// 0.299 red + 0.587 green + 0.114 blue (Rec. ITU-R BT.601).
    #[default]
    Luma,
    /// The red samples.
    Red,
    /// The green samples.
    Green,
    /// The blue samples.
    Blue,
    /// That of HSV: the range of the three colours, divided by the largest; 0 for black.
    Saturation,
    /// That of HSV: the largest of the three colours.
    Value,
    /// That of HSL: the mean of the largest and the smallest of the three colours.
    Lightness,
}

impl Channel {
    /// The intensity of red, green and blue. A colour that is NaN or outside [0, 1] is handed on, for the caller to refuse.
    pub(super) fn of(self, colour: [f32; 3]) -> f32 {
        if let Some(&outside) = colour.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return outside;
        }
        let largest = colour.iter().copied().fold(0.0, f32::max);
        let smallest = colour.iter().copied().fold(1.0, f32::min);
        match self {
            Self::Luma => luma(colour),
            Self::Red => colour[0],
            Self::Green => colour[1],
            Self::Blue => colour[2],
            Self::Saturation if largest == 0.0 => 0.0,
            Self::Saturation => (largest - smallest) / largest,
            Self::Value => largest,
            Self::Lightness => (largest + smallest) / 2.0,
        }
    }

    /// # Errors
    /// If grey pictures have no such channel.
    pub(super) fn check_grey(self) -> Result<()> {
        ensure!(
            self != Self::Saturation,
            "expected colours (data.channel = \"saturation\"), got a grey image"
        );
        Ok(())
    }

    /// Whether this is the channel that a configuration need not name.
    #[cfg(feature = "network")]
    pub(crate) fn is_luma(&self) -> bool {
        *self == Self::Luma
    }
}

/// The weights sum to 1 only up to rounding: white must not exceed 1.
fn luma(colour: [f32; 3]) -> f32 {
    let sum: f32 = LUMA.iter().zip(&colour).map(|(weight, channel)| weight * channel).sum();
    sum.min(1.0)
}
