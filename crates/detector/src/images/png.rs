//! PNG.

use std::borrow::Cow;
use std::io::{self, BufRead, Cursor, Seek};

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader, Transformations};

use super::limits::{MAX_BYTES, Size, check_bytes, check_size};
use super::palette::{colours, indices};
use super::pixels::{Channels, Pixels, Samples};
use super::png_chunks::{self, CHECKSUM, Header, LONG, NO_DEFLATE};
use crate::error::{Context, bail, ensure};
use crate::images::refusal::{EARLY, demand};
use crate::{Error, Result};

/// The library's words for rows that do not come.
const NO_MORE: &str = "IDAT or fDAT chunk does not have enough data";

const NO_SENSE: &str = "the data are damaged: a chunk is missing, out of place or makes no sense";

/// More bytes than one of a Deflate stream can stand for.
const MOST_BYTES: u64 = 1032;

/// Decodes a file. Profiles and texts are passed over: packed, they may be of any size.
///
/// # Errors
/// If it is not one complete picture, or too large.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let header = Header::of(bytes)?;
    check_memory(bytes, &header)?;
    let bytes = png_chunks::whole(bytes)?;
    let is_plain = header.is_plain(bytes);
    let file = match is_plain {
        true => Cow::Owned(png_chunks::with_another_row(bytes, &header)?),
        false => Cow::Borrowed(bytes),
    };
    let mut reader = reader(file, &header).map_err(sentence)?;
    check_single(&reader)?;
    let (width, height) = header.size;
    let line = reader.output_line_size(width as u32).context("the rows are too long")?;
    let length = (line * height) as u64;
    // Bytes and words of deep pictures are held at the same time.
    check_bytes(width, height, if header.depth == 16 { 2 * length } else { length })?;
    let mut values = vec![0; line * height];
    match is_plain {
        true => read_rows(&mut reader, &mut values, line)?,
        false => {
            png_chunks::check_data(bytes, &header)?;
            reader.next_frame(&mut values).map_err(sentence)?;
        }
    }
    reader.finish().map_err(sentence)?;
    let (channels, samples) = samples(&reader, &header, values, line)?;
    Ok(Pixels::new(width, height, channels, samples))
}

/// Bounds the memory that the picture takes.
fn check_memory(bytes: &[u8], header: &Header) -> Result<()> {
    let (width, height) = header.size;
    check_size(width, height)?;
    check_bytes(width, height, header.bytes())?;
    ensure!(
        header.bytes() / MOST_BYTES <= bytes.len() as u64,
        "{} bytes cannot hold {width}x{height} pixels",
        bytes.len()
    );
    Ok(())
}

fn samples<R: BufRead + Seek>(
    reader: &Reader<R>,
    header: &Header,
    values: Vec<u8>,
    line: usize,
) -> Result<(Channels, Samples)> {
    Ok(match reader.output_color_type() {
        (ColorType::Indexed, _) => expand(reader, header, &values, line)?,
        (colours, BitDepth::Sixteen) => {
            let words = values.as_chunks().0.iter().map(|&word| u16::from_be_bytes(word)).collect();
            (channels(colours), Samples::Words { values: words, max: u16::MAX })
        }
        (colours, _) => (channels(colours), Samples::Bytes(values)),
    })
}

/// Reads the rows of a picture whose header says one more, which must not come.
fn read_rows<R: BufRead + Seek>(
    reader: &mut Reader<R>,
    values: &mut [u8],
    line: usize,
) -> Result<()> {
    for row in values.chunks_exact_mut(line) {
        reader.read_row(row).map_err(sentence)?;
    }
    match reader.read_row(&mut vec![0; line]) {
        Ok(_) => bail!("{LONG}"),
        Err(DecodingError::Format(error)) if error.to_string().starts_with(NO_MORE) => Ok(()),
        Err(error) => Err(sentence(error)),
    }
}

/// The size of a picture, and its Exif block as far as it stands among the bytes and before the picture.
pub fn header(bytes: &[u8]) -> Option<(Size, Option<&[u8]>)> {
    Some((Header::of(bytes).ok()?.size, png_chunks::exif(bytes)))
}

type Bytes<'a> = Cursor<Cow<'a, [u8]>>;

fn reader<'a>(file: Cow<'a, [u8]>, header: &Header) -> Result<Reader<Bytes<'a>>, DecodingError> {
    let limits = Limits { bytes: MAX_BYTES as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
    // The library makes black of colours that the palette does not have.
    decoder.set_transformations(match header.is_palette {
        true => Transformations::IDENTITY,
        false => Transformations::EXPAND,
    });
    // By default, the library does not verify the checksum of the data.
    decoder.ignore_checksums(false);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.read_info()
}

/// An error of the library as a sentence of ours.
fn sentence(error: DecodingError) -> Error {
    Error::Value(match error {
        DecodingError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            return error.into();
        }
        DecodingError::IoError(_) => EARLY.to_owned(),
        DecodingError::LimitsExceeded => format!("it takes more than {} MiB", MAX_BYTES >> 20),
        DecodingError::Parameter(_) => NO_SENSE.to_owned(),
        // The library does not tell kinds apart but by their sentences.
        DecodingError::Format(error) => match error.to_string() {
            error if error.starts_with("CRC error") => CHECKSUM.to_owned(),
            error if error.ends_with("WrongChecksum") => {
                "the data are damaged: their checksum is wrong".to_owned()
            }
            error if error.starts_with("Corrupt deflate") => NO_DEFLATE.to_owned(),
            error if error.starts_with(NO_MORE) => EARLY.to_owned(),
            _ => NO_SENSE.to_owned(),
        },
    })
}

fn channels(colours: ColorType) -> Channels {
    match colours {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb | ColorType::Indexed => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
    }
}

/// The colours of a palette, with alpha if some are transparent.
fn expand<R: BufRead + Seek>(
    reader: &Reader<R>,
    header: &Header,
    rows: &[u8],
    row_bytes: usize,
) -> Result<(Channels, Samples)> {
    let info = reader.info();
    let Some(palette) = &info.palette else { bail!("the palette is missing") };
    let (width, height) = header.size;
    let pixels = rows.chunks_exact(row_bytes).flat_map(|row| indices(row, header.depth, width));
    let palette = palette.as_chunks::<3>().0;
    Ok(match &info.trns {
        None => (Channels::Rgb, Samples::Bytes(colours(pixels, palette, width * height)?)),
        Some(alpha) => {
            let of = |(index, &[red, green, blue]): (usize, &[u8; 3])| {
                [red, green, blue, alpha.get(index).copied().unwrap_or(u8::MAX)]
            };
            let palette: Vec<[u8; 4]> = palette.iter().enumerate().map(of).collect();
            (Channels::Rgba, Samples::Bytes(colours(pixels, &palette, width * height)?))
        }
    })
}

/// Of an animation only the first picture would be inspected; one of a single frame has no other, unless it is not the first
/// picture itself.
fn check_single<R: BufRead + Seek>(reader: &Reader<R>) -> Result<()> {
    let info = reader.info();
    let is_single = info.animation_control.is_none_or(|control| control.num_frames == 1)
        && (info.animation_control.is_none() || info.frame_control.is_some());
    demand!(is_single, "expected a single image, got an animation");
    Ok(())
}
