//! TIFF 6.0 and BigTIFF, with the compressions of common writers.
//!
//! The decoders at hand garble samples that are no colours, planes of tiles and reversed bits without a word. An inspection must
//! not. Crates unpack the bytes; what they mean is read here.

mod colour;
mod directory;
mod format;
mod layout;
mod samples;
mod tag;
mod unpack;

use super::jpeg::{Colour, decode_part};
use super::pixels::{Channels, Pixels, Samples};
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::refusal::{refuse, within};
use colour::{Meaning, spread, to_rgb};
use directory::{Directory, directories};
use format::{Compression, Format};
use layout::Layout;
use std::ops::Range;

/// Decodes a file.
///
/// # Errors
/// If it is not one complete picture of a kind that is read.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let directories = directories(bytes)?;
    let directory = picture(&directories)?;
    let layout = Layout::of(directory)?;
    let parts = Parts::of(directory, &layout, bytes)?;
    let mut picture = Picture::new(&layout);
    let (columns, rows) = parts.grid;
    let planes = if layout.is_planar { layout.channels() } else { 1 };
    for plane in 0..planes {
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let number = (plane * rows + row) * columns + column;
            let part = parts.part(&layout, plane, column, row);
            let stored = part.unpack(&layout, parts.bytes(number)?, directory);
            let kind = if layout.is_tiled { "tile" } else { "strip" };
            picture.put(&part, &within(stored, || format!("{kind} {number}"))?);
        }
    }
    picture.finish()
}

/// The directory of the picture. Smaller copies of it and masks of its transparency do no harm; of several pages only the first
/// one would be inspected.
fn picture<'a, 'b>(directories: &'b [Directory<'a>]) -> Result<&'b Directory<'a>> {
    const REDUCED_OR_MASK: u32 = 1 | 4;
    if let [single] = directories {
        return Ok(single);
    }
    let mut pages = Vec::new();
    for directory in directories {
        let kind = directory.number(tag::NEW_SUBFILE_TYPE)?.unwrap_or(0);
        let is_reduced = directory.number(tag::SUBFILE_TYPE)? == Some(2);
        if kind & REDUCED_OR_MASK == 0 && !is_reduced {
            pages.push(directory);
        }
    }
    match pages[..] {
        [page] => Ok(page),
        _ => refuse!("expected a single image, got several pages"),
    }
}

/// The strips or tiles of a picture.
struct Parts<'a> {
    file: &'a [u8],
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    /// Columns and rows of parts.
    grid: (usize, usize),
}

impl<'a> Parts<'a> {
    fn of(directory: &Directory<'_>, layout: &Layout, file: &'a [u8]) -> Result<Self> {
        let (offsets, lengths) = match layout.is_tiled {
            true => (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS),
            false => (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS),
        };
        let offsets = directory.numbers(offsets)?.context("the places of the data are missing")?;
        let grid = (layout.width.div_ceil(layout.part.0), layout.height.div_ceil(layout.part.1));
        let planes = if layout.is_planar { layout.samples } else { 1 };
        let (expected, got) = (grid.0 * grid.1 * planes, offsets.len());
        ensure!(got >= expected, "expected {expected} strips or tiles, got {got}");
        let lengths = directory.numbers(lengths)?;
        let lengths = lengths.map_or_else(|| guessed_lengths(layout, &offsets, file), Ok)?;
        ensure!(lengths.len() >= expected, "the lengths of strips or tiles are missing");
        Ok(Self { file, offsets, lengths, grid })
    }

    /// The bytes of a part: fewer than stated if the file ends before, which is noticed where they are unpacked.
    fn bytes(&self, number: usize) -> Result<&'a [u8]> {
        let (start, length) = (self.offsets[number], self.lengths[number]);
        let rest = usize::try_from(start).ok().and_then(|start| self.file.get(start..));
        let rest = rest.filter(|_| start > 0).context("the data lie outside of the file")?;
        Ok(&rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))])
    }

    fn part(&self, layout: &Layout, plane: usize, column: usize, row: usize) -> Part {
        let (width, height) = layout.part;
        let top = row * height;
        // The last strip ends with the picture, and tiles are whole.
        let stored = if layout.is_tiled { height } else { height.min(layout.height - top) };
        let columns = column * width..layout.width.min((column + 1) * width);
        let rows = top..layout.height.min(top + height);
        Part { plane, columns, rows, height: stored }
    }
}

/// The lengths of strips whose file does not have them, as by some old writers.
fn guessed_lengths(layout: &Layout, offsets: &[u64], file: &[u8]) -> Result<Vec<u64>> {
    if layout.compression == Compression::None {
        let length = layout.row_bytes() as u64 * layout.part.1 as u64;
        return Ok(vec![length; offsets.len()]);
    }
    ensure!(offsets.len() == 1, "the lengths of strips or tiles are missing");
    Ok(vec![file.len() as u64])
}

/// A strip or tile.
struct Part {
    /// The first of its samples.
    plane: usize,
    /// The pixels of the picture that it has.
    columns: Range<usize>,
    rows: Range<usize>,
    /// The rows that are stored.
    height: usize,
}

impl Part {
    /// The bytes of its rows.
    fn unpack(&self, layout: &Layout, packed: &[u8], directory: &Directory<'_>) -> Result<Vec<u8>> {
        match (layout.compression, layout.meaning.shared()) {
            (Compression::Jpeg, _) => self.jpeg(layout, packed, directory),
            (_, Some(shared)) if !layout.is_planar => {
                let (width, (h, v)) = (layout.part.0, shared);
                let length = width.div_ceil(h) * self.height.div_ceil(v) * (h * v + 2);
                let units = unpack::unpack(packed, layout, length)?;
                Ok(spread(&units, (width, self.height), shared))
            }
            _ => unpack::unpack(packed, layout, layout.row_bytes() * self.height),
        }
    }

    fn jpeg(&self, layout: &Layout, packed: &[u8], directory: &Directory<'_>) -> Result<Vec<u8>> {
        let colour = match layout.meaning {
            Meaning::YCbCr { .. } => Colour::YCbCr,
            _ => Colour::Rgb,
        };
        let pixels = decode_part(directory.bytes(tag::JPEG_TABLES)?, packed, colour)?;
        let expected = (layout.part.0, layout.samples_in_part());
        let got = (pixels.width, pixels.channels.count());
        ensure!(
            got == expected && pixels.height >= self.rows.len(),
            "the JPEG data have {}x{} pixels of {} components, expected {}x{} of {}",
            got.0,
            pixels.height,
            got.1,
            expected.0,
            self.height,
            expected.1
        );
        match pixels.samples {
            Samples::Bytes(values) => Ok(values),
            _ => bail!("expected 8 bits a sample"),
        }
    }
}

/// A picture as far as it is read.
struct Picture<'a> {
    layout: &'a Layout,
    values: Samples,
}

impl<'a> Picture<'a> {
    fn new(layout: &'a Layout) -> Self {
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
    fn put(&mut self, part: &Part, bytes: &[u8]) {
        let layout = self.layout;
        let (channels, stored) = (layout.channels(), layout.samples_in_part());
        let taken = if layout.is_planar { 1 } else { channels };
        for (row, y) in bytes.chunks_exact(layout.row_bytes()).zip(part.rows.clone()) {
            let samples = samples::samples(row, layout);
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
    fn finish(self) -> Result<Pixels> {
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
