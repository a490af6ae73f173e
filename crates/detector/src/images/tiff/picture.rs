//! The picture that strips and tiles are put together to.

use super::colour::{Meaning, to_rgb};
use super::format::{Compression, Format};
use super::layout::Layout;
use super::parts::Part;
use super::samples;
use crate::Result;
use crate::images::pixels::{Channels, Pixels, Samples};
use crate::images::refusal::refuse;

/// A picture as far as it is read.
pub struct Picture<'a> {
    layout: &'a Layout,
    values: Samples,
}

impl<'a> Picture<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        let count = layout.width * layout.height * layout.channels();
        let values = match layout.format {
            Format::Integer { bits: 1 | 2 | 4 | 8 } => Samples::Bytes(vec![0; count]),
            Format::Integer { bits } => {
                Samples::Words { values: vec![0; count], max: ((1_u32 << bits) - 1) as u16 }
            }
            Format::Float { .. } => Samples::Floats(vec![0.0; count]),
        };
        Self { layout, values }
    }

    /// Puts the samples of a part in their places, without those that are not looked at.
    pub fn put(&mut self, part: &Part, bytes: &[u8]) {
        let layout = self.layout;
        let (channels, stored) = (layout.channels(), layout.samples_in_part());
        let taken = if layout.is_planar { 1 } else { channels };
        for (row, y) in bytes.chunks_exact(layout.row_bytes()).zip(part.rows.clone()) {
            let samples = samples::samples(row, layout, part.columns.len());
            for (pixel, x) in samples.chunks_exact(stored).zip(part.columns.clone()) {
                let place = (y * layout.width + x) * channels + part.plane;
                for (index, &sample) in pixel[..taken].iter().enumerate() {
                    match &mut self.values {
                        Samples::Bytes(values) => values[place + index] = sample as u8,
                        Samples::Words { values, .. } => values[place + index] = sample as u16,
                        Samples::Floats(values) => values[place + index] = f32::from_bits(sample),
                    }
                }
            }
        }
    }

    /// Gives the values their meaning.
    pub fn finish(self) -> Result<Pixels> {
        let Self { layout, mut values } = self;
        let &Layout { width, height, has_alpha, .. } = layout;
        let channels = Channels::of(layout.meaning.colours() == 3, has_alpha);
        match (&layout.meaning, &mut values) {
            (Meaning::Palette(colours), Samples::Bytes(indices)) => {
                let values =
                    indices.iter().flat_map(|&index| colours[usize::from(index)]).collect();
                return Ok(Pixels {
                    width,
                    height,
                    channels: Channels::Rgb,
                    samples: Samples::Bytes(values),
                });
            }
            (Meaning::Palette(colours), Samples::Words { values, .. }) => {
                let values = values.iter().flat_map(|&index| colours[usize::from(index)]).collect();
                return Ok(Pixels {
                    width,
                    height,
                    channels: Channels::Rgb,
                    samples: Samples::Bytes(values),
                });
            }
            // A JPEG of three components is red, green and blue already.
            (Meaning::YCbCr { .. }, Samples::Bytes(values))
                if layout.is_planar || layout.compression != Compression::Jpeg =>
            {
                to_rgb(values);
            }
            _ => {}
        }
        if let Format::Integer { bits: bits @ (1 | 2 | 4) } = layout.format
            && let Samples::Bytes(values) = &mut values
        {
            let factor = u8::MAX / ((1 << bits) - 1);
            values.iter_mut().for_each(|value| *value *= factor);
        }
        if let Meaning::Grey { is_inverted: true } = layout.meaning {
            invert(&mut values, channels.count())?;
        }
        Ok(Pixels { width, height, channels, samples: values })
    }
}

/// Makes white of 0, without alpha.
fn invert(samples: &mut Samples, channels: usize) -> Result<()> {
    match samples {
        Samples::Bytes(values) => {
            values.iter_mut().step_by(channels).for_each(|value| *value = u8::MAX - *value);
        }
        Samples::Words { values, max } => {
            values.iter_mut().step_by(channels).for_each(|value| *value = *max - *value);
        }
        Samples::Floats(_) => refuse!("TIFF of floats in which 0 is white is not supported"),
    }
    Ok(())
}
