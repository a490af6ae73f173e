//! The pixels of a decoded file, and how they become intensities.

use inspect::{Image, Plane};
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use crate::Result;
use crate::error::{bail, ensure};

/// A decoded picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    pub width: usize,
    pub height: usize,
    pub channels: Channels,
    /// Row by row, the channels of a pixel side by side.
    pub samples: Samples,
    /// Whether 0 is white; of grey only.
    pub is_inverted: bool,
}

/// The samples of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    /// Of grey or colour, with or without alpha.
    pub fn of(is_colour: bool, has_alpha: bool) -> Self {
        match (is_colour, has_alpha) {
            (false, false) => Self::Grey,
            (false, true) => Self::GreyAlpha,
            (true, false) => Self::Rgb,
            (true, true) => Self::Rgba,
        }
    }

    pub fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    pub fn is_colour(self) -> bool {
        matches!(self, Self::Rgb | Self::Rgba)
    }

    pub fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }
}

/// Samples as the file has them.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// At most 8 bits, scaled to 8.
    Bytes(Vec<u8>),
    /// Integers up to `max`: 65,535, or 4,095 of a file that says 12 bits.
    Words { values: Vec<u16>, max: u16 },
    /// Floats, in [0, 1] unless they are measured values.
    Floats(Vec<f32>),
}

/// How the samples of a file become one intensity for each pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conversion {
    /// Black and white.
    pub levels: Levels,
    /// The channel of colours.
    pub channel: Channel,
}

impl From<Levels> for Conversion {
    /// With the luma of colours.
    fn from(levels: Levels) -> Self {
        Self { levels, channel: Channel::Luma }
    }
}

/// The values of a file that are black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Levels {
    /// 1 is the largest integer that a sample of the file can hold; floats are in [0, 1].
    #[default]
    OfFile,
    /// 1 is 2^bits − 1, as of cameras that leave 12 bits in 16-bit files; no value is above.
    Bits(u32),
    /// The first value is 0, the second is 1, and what lies outside is clipped.
    Range([f64; 2]),
}

/// A value of a file as an intensity.
enum Scale {
    /// The largest value.
    Maximum(f32),
    Range([f64; 2]),
}

impl Scale {
    fn intensity(&self, value: f32) -> f32 {
        match *self {
            Self::Maximum(max) => value / max,
            Self::Range([low, high]) => {
                ((f64::from(value) - low) / (high - low)).clamp(0.0, 1.0) as f32
            }
        }
    }
}

impl Pixels {
    /// A picture in which 0 is black.
    pub fn new(width: usize, height: usize, channels: Channels, samples: Samples) -> Self {
        Self { width, height, channels, samples, is_inverted: false }
    }

    /// Intensities in [0, 1], without alpha.
    ///
    /// # Errors
    /// If a value is not in the range of the levels, the file has fewer bits, or grey has no such channel.
    pub fn grey(&self, conversion: Conversion) -> Result<Image> {
        let Conversion { levels, channel } = conversion;
        if !self.channels.is_colour() {
            channel.check_grey()?;
        }
        let mut data = match &self.samples {
            Samples::Bytes(values) => {
                let scale = scale(levels, u8::MAX.into())?;
                let table: Vec<f32> =
                    (0..=u8::MAX).map(|value| scale.intensity(value.into())).collect();
                self.collect(values, channel, |&value| table[usize::from(value)])
            }
            Samples::Words { values, max } => {
                let scale = scale(levels, *max)?;
                self.collect(values, channel, |&value| scale.intensity(value.into()))
            }
            Samples::Floats(values) => {
                let scale = match levels {
                    Levels::OfFile => Scale::Maximum(1.0),
                    Levels::Range(range) => Scale::Range(range),
                    Levels::Bits(bits) => {
                        bail!("data.bits = {bits} is for integers, but the file has floats")
                    }
                };
                self.collect(values, channel, |&value| match value.is_nan() {
                    true => value,
                    false => scale.intensity(value),
                })
            }
        };
        if let Some(&value) = data.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            match levels {
                Levels::Bits(bits) => bail!(
                    "expected values of at most {} (data.bits = {bits}), got {}",
                    (1_u32 << bits) - 1,
                    (f64::from(value) * f64::from((1_u32 << bits) - 1)).round()
                ),
                _ => bail!("expected intensities in [0, 1], got {value}"),
            }
        }
        if self.is_inverted {
            data.iter_mut().for_each(|value| *value = 1.0 - *value);
        }
        Ok(Plane::new(self.width, self.height, data)?)
    }

    fn collect<T>(
        &self,
        values: &[T],
        channel: Channel,
        intensity: impl Fn(&T) -> f32,
    ) -> Vec<f32> {
        let pixels = values.chunks_exact(self.channels.count());
        match self.channels.is_colour() {
            false => pixels.map(|pixel| intensity(&pixel[0])).collect(),
            true => pixels
                .map(|pixel| channel.of([&pixel[0], &pixel[1], &pixel[2]].map(&intensity)))
                .collect(),
        }
    }
}

/// The scale of integers up to `max`.
fn scale(levels: Levels, max: u16) -> Result<Scale> {
    Ok(match levels {
        Levels::OfFile => Scale::Maximum(max.into()),
        Levels::Bits(bits) => {
            let of_file = (u32::from(max) + 1).ilog2();
            ensure!(
                bits <= of_file,
                "expected samples of at least {bits} bits (data.bits), got {of_file}"
            );
            Scale::Maximum(((1_u32 << bits) - 1) as f32)
        }
        Levels::Range(range) => Scale::Range(range),
    })
}

impl Samples {
    /// The value that is white.
    pub fn max(&self) -> f32 {
        match self {
            Self::Bytes(_) => u8::MAX.into(),
            Self::Words { max, .. } => (*max).into(),
            Self::Floats(_) => 1.0,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Words { values, .. } => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// A value by its place.
    pub fn get(&self, index: usize) -> f32 {
        match self {
            Self::Bytes(values) => values[index].into(),
            Self::Words { values, .. } => values[index].into(),
            Self::Floats(values) => values[index],
        }
    }
}
