//! The layout of the picture of a directory, as far as it is read; the rest is refused by name.

use super::colour::{Meaning, meaning};
use super::directory::{ByteOrder, Directory, Numbers};
use super::format::{Compression, Format};
use super::stack::check_stack;
use super::tag;
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::limits::{check_bytes, check_size};
use crate::images::refusal::{CONVERT, demand, refuse};

/// The most strips or tiles.
const MOST_PARTS: usize = 1 << 20;

/// The most bytes that strips and tiles are unpacked to, in sum: times those of the picture, and some more for a small picture in
/// a large tile.
const MOST_UNPACKED: u64 = 4;
const UNPACKED_BESIDE: u64 = 16 << 20;

/// The picture of a directory.
pub struct Layout {
    pub order: ByteOrder,
    pub width: usize,
    pub height: usize,
    pub format: Format,
    pub meaning: Meaning,
    /// Samples of a pixel: the colours, and another one if there is one.
    pub samples: usize,
    /// The sample beside the colours, if there is one.
    pub extra: Option<Extra>,
    /// Whether each sample has planes of its own.
    pub is_planar: bool,
    /// Width and height of a strip or tile.
    pub part: (usize, usize),
    pub is_tiled: bool,
    pub compression: Compression,
    pub predictor: Predictor,
    /// Whether the bits of each byte are in reverse order.
    pub is_reversed: bool,
}

/// A sample that is no colour (TIFF 6.0, ExtraSamples).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Alpha that colours are not multiplied with.
    Alpha,
    AssociatedAlpha,
    Unspecified,
}

/// Values that are stored as differences to the pixel before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictor {
    None,
    Horizontal,
    /// Of the bytes of floats, from the highest to the lowest ones of a row (Adobe's technical note 3).
    Float,
}

impl Layout {
    /// # Errors
    /// If the picture is too large, or is described wrongly or in a way that is not read.
    pub fn of(directory: &Directory<'_>) -> Result<Self> {
        let number =
            |tag, default| Ok::<u32, crate::Error>(directory.number(tag)?.unwrap_or(default));
        let side = |tag| Ok::<usize, crate::Error>(number(tag, 0)? as usize);
        let (width, height) = (side(tag::WIDTH)?, side(tag::LENGTH)?);
        check_size(width, height)?;
        let samples = number(tag::SAMPLES_PER_PIXEL, 1)? as usize;
        check_stack(directory, (width, height), samples)?;
        let compression = compression(number(tag::COMPRESSION, 1)?)?;
        ensure!(samples <= usize::from(u16::MAX), "expected fewer samples a pixel, got {samples}");
        let format = format(directory)?;
        let is_planar = samples > 1
            && match number(tag::PLANAR_CONFIGURATION, 1)? {
                1 => false,
                2 => true,
                other => bail!("expected planar configuration 1 or 2, got {other}"),
            };
        let meaning = meaning(directory, format, samples, is_planar, compression)?;
        let extra = match directory.number(tag::EXTRA_SAMPLES)? {
            _ if samples == meaning.colours() => None,
            Some(1) => Some(Extra::AssociatedAlpha),
            Some(2) => Some(Extra::Alpha),
            _ => Some(Extra::Unspecified),
        };
        let is_tiled = directory.has(tag::TILE_WIDTH);
        let part = match is_tiled {
            true => (side(tag::TILE_WIDTH)?, side(tag::TILE_LENGTH)?),
            false => (width, (number(tag::ROWS_PER_STRIP, u32::MAX)? as usize).min(height)),
        };
        let predictor = predictor(number(tag::PREDICTOR, 1)?, format, compression)?;
        let is_reversed = match number(tag::FILL_ORDER, 1)? {
            1 => false,
            2 => compression != Compression::Jpeg,
            other => bail!("expected fill order 1 or 2, got {other}"),
        };
        let layout = Self {
            order: directory.order,
            width,
            height,
            format,
            meaning,
            samples,
            extra,
            is_planar,
            part,
            is_tiled,
            compression,
            predictor,
            is_reversed,
        };
        layout.check()?;
        Ok(layout)
    }

    fn check(&self) -> Result<()> {
        let (width, height) = self.part;
        ensure!(width > 0 && height > 0, "the strips or tiles have {width}x{height} pixels");
        ensure!(
            self.compression != Compression::Group4
                || (self.format == Format::Integer { bits: 1 } && self.samples == 1),
            "CCITT compression is for one bit a pixel, got more"
        );
        let is_subsampled = !matches!(self.meaning.shared(), None | Some((1, 1)));
        demand!(
            !is_subsampled || (!self.is_planar && self.predictor == Predictor::None),
            "TIFF with fewer samples of chroma is not supported in planes or with a predictor; {CONVERT}"
        );
        let pixels = self.width as u64 * self.height as u64;
        let stored = match self.format {
            Format::Integer { bits: ..=8 } => 1,
            Format::Integer { .. } => 2,
            Format::Float { .. } => 4,
        };
        check_bytes(self.width, self.height, pixels * stored * self.samples as u64)?;
        self.check_parts()
    }

    /// Bounds the memory of a strip or tile, and the time that all of them take. They may be larger than the picture, but not by much.
    fn check_parts(&self) -> Result<()> {
        let (width, height) = self.part;
        let (columns, rows) = self.grid();
        let too_many = || format!("expected fewer than {columns}x{rows} strips or tiles");
        ensure!(columns * rows * self.planes() <= MOST_PARTS, "{}", too_many());
        // Those of chroma that is shared are spread before they are put in their places.
        let row = if self.meaning.shared().is_some() { 3 * width } else { self.row_bytes() } as u64;
        let part = row * self.rows_unpacked() as u64;
        let picture = self.width as u64 * self.samples as u64 * self.format.bits() as u64 / 8
            * self.height as u64;
        let all = part.saturating_mul((columns * rows * self.planes()) as u64);
        ensure!(
            all <= (MOST_UNPACKED * picture).saturating_add(UNPACKED_BESIDE),
            "strips or tiles of {width}x{height} pixels are too large for a picture of {}x{}",
            self.width,
            self.height
        );
        check_bytes(self.width, self.height, part)
    }

    /// Columns and rows of strips or tiles.
    pub fn grid(&self) -> (usize, usize) {
        (self.width.div_ceil(self.part.0), self.height.div_ceil(self.part.1))
    }

    /// How often the grid is stored.
    pub fn planes(&self) -> usize {
        if self.is_planar { self.samples } else { 1 }
    }

    /// Rows that are unpacked of a strip or tile: JPEG ends with the last one, and of others those that lie in the picture are looked at.
    fn rows_unpacked(&self) -> usize {
        let height = self.part.1;
        if self.compression == Compression::Jpeg { height } else { height.min(self.height) }
    }

    /// Samples side by side in a strip or tile.
    pub fn samples_in_part(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// The bytes of a row of a strip or tile.
    pub fn row_bytes(&self) -> usize {
        (self.part.0 * self.samples_in_part() * self.format.bits()).div_ceil(8)
    }
}

fn format(directory: &Directory<'_>) -> Result<Format> {
    let bits = directory.numbers(tag::BITS_PER_SAMPLE)?;
    let first = bits.map_or(Some(1), |bits| bits.get(0));
    let first = first.context("the bits per sample are missing")?;
    demand!(
        bits.iter().flat_map(Numbers::iter).all(|bits| bits == first),
        "TIFF whose samples have different depths is not supported; {CONVERT}"
    );
    let formats = directory.numbers(tag::SAMPLE_FORMAT)?;
    let format = formats.map_or(Some(1), |formats| formats.get(0));
    let format = format.context("the sample format is missing")?;
    demand!(
        formats.iter().flat_map(Numbers::iter).all(|other| other == format),
        "TIFF whose samples have different formats is not supported; {CONVERT}"
    );
    match (format, first) {
        (1 | 4, 1..=16) => Ok(Format::Integer { bits: first as usize }),
        (3, 32 | 64) => Ok(Format::Float { bytes: first as usize / 8 }),
        (3, _) => {
            refuse!("{first}-bit floats are not read, only those of 32 and 64 bits; {CONVERT}")
        }
        (2, _) => {
            refuse!("signed integers are not read, only unsigned ones of up to 16 bits and floats")
        }
        (5 | 6, _) => refuse!("complex numbers are not read, only integers and floats"),
        _ => refuse!("{first}-bit integers are not read, only those of up to 16 bits and floats"),
    }
}

fn compression(number: u32) -> Result<Compression> {
    let name = match number {
        1 => return Ok(Compression::None),
        4 => return Ok(Compression::Group4),
        5 => return Ok(Compression::Lzw),
        7 => return Ok(Compression::Jpeg),
        8 | 32_946 => return Ok(Compression::Deflate),
        32_773 => return Ok(Compression::PackBits),
        2 => "CCITT modified Huffman",
        3 => "CCITT Group 3",
        6 => "old-style JPEG",
        34_712 | 33_003..=33_005 => "JPEG 2000",
        34_887 => "LERC",
        34_892 => "lossy JPEG (DNG)",
        34_925 => "LZMA",
        50_000 => "Zstandard",
        50_001 => "WebP",
        50_002 | 52_546 => "JPEG XL",
        other => refuse!("TIFF with compression number {other} is not supported; {CONVERT}"),
    };
    refuse!("TIFF with {name} compression is not supported; {CONVERT}");
}

fn predictor(number: u32, format: Format, compression: Compression) -> Result<Predictor> {
    let has_predictor = matches!(compression, Compression::Lzw | Compression::Deflate);
    match (number, format) {
        (1, _) => Ok(Predictor::None),
        (2 | 3, _) if !has_predictor => {
            refuse!(
                "TIFF with a predictor is not supported unless its compression is LZW or Deflate; {CONVERT}"
            )
        }
        (2, Format::Integer { bits: 8 | 16 } | Format::Float { .. }) => Ok(Predictor::Horizontal),
        (3, Format::Float { .. }) => Ok(Predictor::Float),
        (2 | 3, _) => refuse!(
            "TIFF with predictor {number} on {} bits a sample is not supported; {CONVERT}",
            format.bits()
        ),
        _ => bail!("expected predictor 1, 2 or 3, got {number}"),
    }
}
