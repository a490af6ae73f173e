//! The meaning of the samples of a TIFF file.

use super::directory::Directory;
use super::format::{Compression, Format};
use super::tag;
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::jpeg::rgb_of_ycbcr;
use crate::images::refusal::{CONVERT, demand, refuse};

/// The meaning of samples.
pub enum Meaning {
    Grey {
        /// Whether 0 is white.
        is_inverted: bool,
    },
    Rgb,
    /// A sample is the index of a colour.
    Palette(Vec<[u8; 3]>),
    YCbCr {
        /// The columns and rows that share a sample of chroma, unless JPEG sees to it.
        shared: Option<(usize, usize)>,
    },
}

impl Meaning {
    /// Samples of a pixel that are colours.
    pub fn colours(&self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr { .. } => 3,
        }
    }

    /// The columns and rows that share a sample of chroma.
    pub fn shared(&self) -> Option<(usize, usize)> {
        match *self {
            Self::YCbCr { shared } => shared,
            _ => None,
        }
    }
}

/// # Errors
/// If it is one that is not read, or does not fit the number and the type of the samples.
pub fn meaning(
    directory: &Directory<'_>,
    format: Format,
    samples: usize,
    is_planar: bool,
    compression: Compression,
) -> Result<Meaning> {
    let number = directory.number(tag::PHOTOMETRIC)?;
    let number =
        number.context("the file does not say what its values mean (PhotometricInterpretation)")?;
    let meaning = match number {
        0 | 1 => Meaning::Grey { is_inverted: number == 0 },
        2 => Meaning::Rgb,
        3 => Meaning::Palette(palette(directory, format)?),
        4 => refuse!("expected an image, got a transparency mask"),
        5 => refuse!(
            "expected grey or red, green and blue, got inks (CMYK), whose brightness no file says"
        ),
        6 => ycbcr(directory, format, compression)?,
        8..=10 => refuse!("TIFF with CIE L*a*b* colours is not supported; {CONVERT}"),
        32_803 => refuse!(
            "expected grey or red, green and blue, got the raw values of a colour filter array (Bayer pattern)"
        ),
        34_892 => refuse!(
            "expected grey or red, green and blue, got the raw values of a camera (LinearRaw)"
        ),
        other => {
            refuse!("TIFF with photometric interpretation {other} is not supported; {CONVERT}")
        }
    };
    let colours = meaning.colours();
    ensure!(samples >= colours, "expected at least {colours} samples a pixel, got {samples}");
    let kind = if colours == 1 { "a grey image" } else { "red, green and blue" };
    demand!(samples <= colours + 1, "expected {kind}, got {samples} channels");
    let is_whole = matches!(meaning, Meaning::Grey { .. } | Meaning::Rgb) || samples == colours;
    demand!(
        is_whole,
        "TIFF with {samples} samples a pixel, of which {colours} are colours, is not supported; {CONVERT}"
    );
    let is_jpeg = compression == Compression::Jpeg;
    demand!(
        !is_jpeg || (format == Format::Integer { bits: 8 } && (is_planar || samples == colours)),
        "TIFF with JPEG compression is read with 8 bits a sample and without alpha only; {CONVERT}"
    );
    Ok(meaning)
}

/// The colour map has 16 bits, of which the upper 8 are taken, as by other programs; some writers fill the lower ones only.
fn palette(directory: &Directory<'_>, format: Format) -> Result<Vec<[u8; 3]>> {
    let Format::Integer { bits: bits @ 1..=8 } = format else {
        bail!("expected integers of at most 8 bits a pixel with a palette");
    };
    let map = directory.numbers(tag::COLOR_MAP)?.context("the palette is missing")?;
    let count = 1_usize << bits;
    ensure!(map.len() >= 3 * count, "the palette has {} values, expected {}", map.len(), 3 * count);
    let map: Vec<u64> = map.iter().take(3 * count).collect();
    let shift = if map.iter().all(|&value| value < 256) { 0 } else { 8 };
    let value = |index: usize| (map[index] >> shift) as u8;
    Ok((0..count).map(|index| [0, 1, 2].map(|colour| value(colour * count + index))).collect())
}

fn ycbcr(directory: &Directory<'_>, format: Format, compression: Compression) -> Result<Meaning> {
    demand!(
        format == Format::Integer { bits: 8 },
        "TIFF with YCbCr colours of other than 8 bits is not supported; {CONVERT}"
    );
    let is_near = |found: &[f64], expected: &[f64]| {
        found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-3)
    };
    let luma = directory.fractions(tag::YCBCR_COEFFICIENTS)?;
    demand!(
        luma.is_none_or(|luma| is_near(&luma, &[0.299, 0.587, 0.114])),
        "TIFF with YCbCr colours other than Rec. 601 is not supported; {CONVERT}"
    );
    let levels = directory.fractions(tag::REFERENCE_BLACK_WHITE)?;
    demand!(
        levels.is_none_or(|levels| is_near(&levels, &[0.0, 255.0, 128.0, 255.0, 128.0, 255.0])),
        "TIFF with YCbCr colours that do not use the whole range is not supported; {CONVERT}"
    );
    if compression == Compression::Jpeg {
        return Ok(Meaning::YCbCr { shared: None });
    }
    let shared = directory.numbers(tag::YCBCR_SUBSAMPLING)?;
    let shared = shared.map_or_else(|| vec![2, 2], |shared| shared.iter().take(3).collect());
    let &[h @ (1 | 2 | 4), v @ (1 | 2 | 4)] = &shared[..] else {
        bail!("expected 1, 2 or 4 columns and rows that share a sample of chroma, got {shared:?}");
    };
    Ok(Meaning::YCbCr { shared: Some((h as usize, v as usize)) })
}

/// The pixels of units of h·v luma samples and one sample each of Cb and Cr, as rows of three samples a pixel
/// (TIFF 6.0, section 21).
pub fn spread(units: &[u8], (width, height): (usize, usize), (h, v): (usize, usize)) -> Vec<u8> {
    let columns = width.div_ceil(h);
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let unit = &units[(y / v * columns + x / h) * (h * v + 2)..][..h * v + 2];
            pixels.extend([unit[y % v * h + x % h], unit[h * v], unit[h * v + 1]]);
        }
    }
    pixels
}

/// Replaces YCbCr by red, green and blue.
pub fn to_rgb(values: &mut [u8]) {
    for pixel in values.as_chunks_mut().0 {
        *pixel = rgb_of_ycbcr(*pixel);
    }
}
