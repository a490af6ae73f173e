//! The strips and tiles of a picture.

use super::colour::{Meaning, spread};
use super::directory::{Directory, Numbers};
use super::format::Compression;
use super::layout::Layout;
use super::{tag, unpack};
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::jpeg::{Colour, decode_part};
use crate::images::pixels::Samples;
use std::borrow::Cow;
use std::ops::Range;

/// The most packed bytes of all strips and tiles, which may share them: times those of the file, and some more.
const MOST_PACKED: u64 = 4;
const PACKED_BESIDE: u64 = 16 << 20;

/// The strips or tiles of a picture.
pub struct Parts<'a> {
    file: &'a [u8],
    offsets: Numbers<'a>,
    lengths: Lengths<'a>,
}

/// The packed bytes of strips or tiles.
enum Lengths<'a> {
    Stored(Numbers<'a>),
    /// Of files that do not have them, as by some old writers.
    Guessed(u64),
}

impl<'a> Parts<'a> {
    /// # Errors
    /// If there are too few of them, or they share their bytes so that unpacking them may take long.
    pub fn of(directory: &'a Directory<'_>, layout: &Layout, file: &'a [u8]) -> Result<Self> {
        let (offsets, lengths) = match layout.is_tiled {
            true => (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS),
            false => (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS),
        };
        let offsets = directory.numbers(offsets)?.context("the places of the data are missing")?;
        let (columns, rows) = layout.grid();
        let (expected, got) = (columns * rows * layout.planes(), offsets.len());
        ensure!(got >= expected, "expected {expected} strips or tiles, got {got}");
        let missing = "the lengths of strips or tiles are missing";
        let lengths = match directory.numbers(lengths)? {
            Some(lengths) => {
                ensure!(lengths.len() >= expected, "{missing}");
                Lengths::Stored(lengths)
            }
            None if layout.compression == Compression::None => {
                Lengths::Guessed(layout.row_bytes() as u64 * layout.part.1 as u64)
            }
            None => {
                ensure!(got == 1, "{missing}");
                Lengths::Guessed(file.len() as u64)
            }
        };
        let parts = Self { file, offsets, lengths };
        // JPEG reads the tables of the file for each.
        let tables = directory.bytes(tag::JPEG_TABLES)?.unwrap_or_default().len();
        let packed = (0..expected)
            .map(|number| parts.bytes(number).map_or(0, |bytes| (bytes.len() + tables) as u64));
        let most = MOST_PACKED * file.len() as u64 + PACKED_BESIDE;
        ensure!(packed.sum::<u64>() <= most, "the strips or tiles share too many of their bytes");
        Ok(parts)
    }

    /// The bytes of a part: fewer than stated if the file ends before, which is noticed where they are unpacked.
    ///
    /// # Errors
    /// If they lie outside of the file.
    pub fn bytes(&self, number: usize) -> Result<&'a [u8]> {
        let length = match &self.lengths {
            Lengths::Stored(lengths) => lengths.get(number),
            &Lengths::Guessed(length) => Some(length),
        };
        let start = self.offsets.get(number).and_then(|start| usize::try_from(start).ok());
        let rest = start.filter(|&start| start > 0).and_then(|start| self.file.get(start..));
        let (rest, length) = rest.zip(length).context("the data lie outside of the file")?;
        Ok(&rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))])
    }
}

/// A strip or tile.
pub struct Part {
    /// The first of its samples.
    pub plane: usize,
    /// The pixels of the picture that it has.
    pub columns: Range<usize>,
    pub rows: Range<usize>,
}

impl Part {
    pub fn of(layout: &Layout, plane: usize, column: usize, row: usize) -> Self {
        let (width, height) = layout.part;
        let columns = column * width..layout.width.min((column + 1) * width);
        let rows = row * height..layout.height.min((row + 1) * height);
        Self { plane, columns, rows }
    }

    /// The bytes of its rows, as far as the picture has them.
    ///
    /// # Errors
    /// If the packed ones are damaged, or end before.
    pub fn unpack<'a>(
        &self,
        layout: &Layout,
        packed: &'a [u8],
        tables: Option<&[u8]>,
    ) -> Result<Cow<'a, [u8]>> {
        match (layout.compression, layout.meaning.shared()) {
            (Compression::Jpeg, _) => self.jpeg(layout, packed, tables).map(Cow::Owned),
            (_, Some(shared)) if !layout.is_planar => {
                let (width, height, (h, v)) = (layout.part.0, self.rows.len(), shared);
                let length = width.div_ceil(h) * height.div_ceil(v) * (h * v + 2);
                let units = unpack::unpack(packed, layout, length)?;
                Ok(Cow::Owned(spread(&units, (width, height), shared)))
            }
            _ => unpack::unpack(packed, layout, layout.row_bytes() * self.rows.len()),
        }
    }

    fn jpeg(&self, layout: &Layout, packed: &[u8], tables: Option<&[u8]>) -> Result<Vec<u8>> {
        let colour = match layout.meaning {
            Meaning::YCbCr { .. } => Colour::YCbCr,
            _ => Colour::Rgb,
        };
        let ((width, height), samples) = (layout.part, layout.samples_in_part());
        let pixels = decode_part(tables, packed, colour, |frame| {
            // The last strip ends with the picture, or is as high as the others.
            ensure!(
                (frame.width, frame.components.len()) == (width, samples)
                    && (self.rows.len()..=height).contains(&frame.height),
                "the JPEG data have {}x{} pixels of {} components, expected {width}x{} of {samples}",
                frame.width,
                frame.height,
                frame.components.len(),
                if layout.is_tiled { height } else { self.rows.len() }
            );
            Ok(())
        })?;
        match pixels.samples {
            Samples::Bytes(values) => Ok(values),
            _ => bail!("expected 8 bits a sample"),
        }
    }
}
