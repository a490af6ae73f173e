//! BMP.

use std::io::{Cursor, ErrorKind};

use image::codecs::bmp::BmpDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, Limits};

use super::bmp_header::Header;
use super::bmp_runs;
use super::limits::{MAX_BYTES, Size, check_bytes};
use super::palette::{colours, indices};
use super::pixels::{Channels, Pixels, Samples};
use crate::error::{Context, bail, ensure};
use crate::images::refusal::EARLY;
use crate::{Error, Result};

/// Decodes a file.
///
/// # Errors
/// If it is not one complete picture, or too large.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let header = Header::of(bytes)?;
    match header.bits {
        1 | 2 | 4 | 8 => decode_palette(bytes, &header),
        _ => decode_colours(bytes, &header),
    }
}

/// Width and height by the header.
///
/// # Errors
/// If it is of a kind that is not read.
pub fn size(bytes: &[u8]) -> Result<Size> {
    Ok(Header::of(bytes)?.size)
}

/// Libraries make black of colours that the palette does not have, and of pixels that no run names.
fn decode_palette(bytes: &[u8], header: &Header) -> Result<Pixels> {
    let &Header { size: (width, height), bits, palette: (start, count, each), .. } = header;
    let palette = bytes.get(start..start + each * count).context("the palette is cut off")?;
    let palette: Vec<[u8; 3]> =
        palette.chunks_exact(each).map(|colour| [colour[2], colour[1], colour[0]]).collect();
    let data = bytes.get(header.data..).context(EARLY)?;
    let pixels = match header.has_runs {
        true => {
            let pixels = bmp_runs::indices(data, header.size, bits)?;
            let rows = pixels.chunks_exact(width).rev().flatten().copied();
            colours(rows, &palette, width * height)?
        }
        false => {
            let row_bytes = (width * bits).div_ceil(32) * 4;
            // The last row may lack the bytes that fill it up.
            let least = row_bytes * (height - 1) + (width * bits).div_ceil(8);
            ensure!(data.len() >= least, "{EARLY}");
            let row = |row: usize| {
                let y = if header.is_top_down { row } else { height - 1 - row };
                indices(&data[y * row_bytes..], bits, width)
            };
            colours((0..height).flat_map(row), &palette, width * height)?
        }
    };
    Ok(Pixels::new(width, height, Channels::Rgb, Samples::Bytes(pixels)))
}

fn decode_colours(bytes: &[u8], &Header { size: (width, height), .. }: &Header) -> Result<Pixels> {
    let mut decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(sentence)?;
    let (read_width, read_height) = decoder.dimensions();
    ensure!(
        (read_width, read_height) == (width as u32, height as u32),
        "the header gives a size of {width}x{height} pixels, the library reads {read_width}x{read_height}"
    );
    check_bytes(width, height, decoder.total_bytes())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    decoder.set_limits(limits).map_err(sentence)?;
    let (channels, values) = match DynamicImage::from_decoder(decoder).map_err(sentence)? {
        DynamicImage::ImageRgb8(image) => (Channels::Rgb, image.into_raw()),
        DynamicImage::ImageRgba8(image) => (Channels::Rgba, image.into_raw()),
        other => bail!("expected 8 bits a sample, got {:?}", other.color()),
    };
    Ok(Pixels::new(width, height, channels, Samples::Bytes(values)))
}

/// An error of the library as a sentence of ours.
fn sentence(error: ImageError) -> Error {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Error::Value(EARLY.to_owned())
        }
        ImageError::Decoding(_) | ImageError::Unsupported(_) => {
            Error::Value("the header or the data make no sense".to_owned())
        }
        error => error.into(),
    }
}
