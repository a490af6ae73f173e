//! PNG.

use std::io::{BufRead, Cursor, Seek};

use png::{BitDepth, ColorType, Decoder, Limits, Reader, Transformations};

use super::limits::{MAX_BYTES, Size, check_bytes, check_size};
use super::pixels::{Channels, Pixels, Samples};
use crate::Result;
use crate::error::{bail, ensure};
use crate::images::refusal::demand;

/// More bytes than one of a Deflate stream can stand for.
const MOST_BYTES: u64 = 1032;

/// Decodes a file. Profiles and texts are passed over: packed, they may be of any size.
///
/// # Errors
/// If it is not one complete picture, or too large.
pub fn decode(bytes: &[u8]) -> Result<Pixels> {
    let limits = Limits { bytes: MAX_BYTES as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info()?;
    let (width, height) = reader.info().size();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    check_single(&reader)?;
    let length = reader.output_buffer_size().unwrap_or(usize::MAX);
    check_bytes(width, height, length as u64)?;
    let stored = reader.info().raw_row_length() as u64 * height as u64;
    ensure!(
        stored / MOST_BYTES <= bytes.len() as u64,
        "{} bytes cannot hold {width}x{height} pixels",
        bytes.len()
    );
    let mut values = vec![0; length];
    let frame = reader.next_frame(&mut values)?;
    reader.finish()?;
    let channels = match frame.color_type {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => bail!("the palette is missing"),
    };
    let samples = match frame.bit_depth {
        BitDepth::Sixteen => {
            let words = values.as_chunks().0.iter().map(|&word| u16::from_be_bytes(word));
            Samples::Words { values: words.collect(), max: u16::MAX }
        }
        _ => Samples::Bytes(values),
    };
    Ok(Pixels { width, height, channels, samples })
}

/// The size of a picture, and its Exif block as far as it stands among the bytes and before the picture.
pub fn header(bytes: &[u8]) -> Option<(Size, Option<&[u8]>)> {
    let mut exif = None;
    let mut size = None;
    let mut rest = bytes.get(8..)?;
    while let Some((&[l0, l1, l2, l3, a, b, c, d], after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        // A checksum follows.
        let Some((content, after)) = after.split_at_checked(length) else { break };
        match &[a, b, c, d] {
            b"IHDR" => {
                let (width, height) = (content.first_chunk()?, content.get(4..)?.first_chunk()?);
                let side = |side: &[u8; 4]| u32::from_be_bytes(*side) as usize;
                size = Some((side(width), side(height)));
            }
            b"eXIf" => exif = Some(content),
            b"IDAT" => break,
            _ => {}
        }
        rest = after.get(4..).unwrap_or_default();
    }
    Some((size?, exif))
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
