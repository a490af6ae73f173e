//! The picture that strips and tiles are put together to.

use super::colour::{Meaning, to_rgb};
use super::format::{Compression, Format};
use super::layout::{Extra, Layout};
use super::parts::Part;
use super::samples;
use crate::Result;
use crate::images::palette::colours;
use crate::images::pixels::{Channels, Pixels, Samples};
use crate::images::refusal::{CONVERT, demand};

/// A picture as far as it is read.
pub struct Picture<'a> {
    layout: &'a Layout,
    values: Samples,
}

impl<'a> Picture<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        let count = layout.width * layout.height * layout.samples;
        let values = match layout.format {
            Format::Integer { bits: 1 | 2 | 4 | 8 } => Samples::Bytes(vec![0; count]),
            Format::Integer { bits } => {
                Samples::Words { values: vec![0; count], max: ((1_u32 << bits) - 1) as u16 }
            }
            Format::Float { .. } => Samples::Floats(vec![0.0; count]),
        };
        Self { layout, values }
    }

    /// Puts the samples of a part in their places.
    pub fn put(&mut self, part: &Part, bytes: &[u8]) {
        let layout = self.layout;
        let (channels, stored) = (layout.samples, layout.samples_in_part());
        for (row, y) in bytes.chunks_exact(layout.row_bytes()).zip(part.rows.clone()) {
            let samples = samples::samples(row, layout, part.columns.len());
            for (pixel, x) in samples.chunks_exact(stored).zip(part.columns.clone()) {
                let place = (y * layout.width + x) * channels + part.plane;
                for (index, &sample) in pixel.iter().enumerate() {
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
    ///
    /// # Errors
    /// If they have none that is read.
    pub fn finish(self) -> Result<Pixels> {
        let Self { layout, mut values } = self;
        let &Layout { width, height, .. } = layout;
        let has_alpha = layout.extra.is_some();
        let channels = Channels::of(layout.meaning.colours() == 3, has_alpha);
        match (&layout.meaning, &mut values) {
            (Meaning::Palette(palette), Samples::Bytes(indices)) => {
                let values = colours(indices.iter().copied(), palette, width * height)?;
                return Ok(Pixels::new(width, height, Channels::Rgb, Samples::Bytes(values)));
            }
            (Meaning::Palette(palette), Samples::Words { values, .. }) => {
                let indices = values.iter().map(|&index| index as u8);
                let values = colours(indices, palette, width * height)?;
                return Ok(Pixels::new(width, height, Channels::Rgb, Samples::Bytes(values)));
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
        if let Some(extra) = layout.extra {
            check_extra(extra, &values, channels)?;
        }
        let is_inverted = matches!(layout.meaning, Meaning::Grey { is_inverted: true });
        demand!(
            !is_inverted || !matches!(values, Samples::Floats(_)),
            "TIFF of floats in which 0 is white is not supported"
        );
        Ok(Pixels { is_inverted, ..Pixels::new(width, height, channels, values) })
    }
}

/// Refuses a sample beside the colours that changes their meaning, or may be another picture. Colours that the file names red, green
/// and blue are whole without a fourth sample, in which some programs leave selections.
fn check_extra(extra: Extra, samples: &Samples, channels: Channels) -> Result<()> {
    let count = channels.count();
    match extra {
        Extra::AssociatedAlpha => demand!(
            is_everywhere(samples, count, samples.max()),
            "TIFF whose colours are multiplied with alpha (associated alpha) is read where it is opaque only; {CONVERT}"
        ),
        Extra::Unspecified if !channels.is_colour() => demand!(
            is_everywhere(samples, count, samples.get(count - 1)),
            "expected a grey image, got a second channel, of which the file does not say that it is alpha"
        ),
        Extra::Alpha | Extra::Unspecified => {}
    }
    Ok(())
}

/// Whether the last channel has one value only.
fn is_everywhere(samples: &Samples, channels: usize, value: f32) -> bool {
    let mut places = (channels - 1..samples.len()).step_by(channels);
    places.all(|place| samples.get(place) == value)
}
