//! Image files that may be damaged, hostile, or not what their names say.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Luma};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use crate::Result;
use crate::error::{Context, bail, ensure};

/// The longest side that is read, in pixels: a wrong header must not exhaust the memory.
pub const MAX_SIDE: u32 = 1 << 15;

/// The most pixels that are read.
pub const MAX_PIXELS: u64 = 1 << 28;

/// The most bytes that a decoder may hold at once.
const MAX_BYTES: u64 = 1 << 30;

/// More pixels than a byte of a JPEG file can hold: a block of 64 takes at least a bit. The decoder fills what is missing with grey.
const MOST_JPEG_PIXELS: u64 = 1024;

const INKS: &str =
    "expected grey or red, green and blue, got inks (CMYK), whose brightness no file says";

/// Decodes a PNG, TIFF, BMP or JPEG file, told from its content.
///
/// # Errors
/// If the bytes are not one complete image of these formats, or if it is too large, which is known
/// before memory is taken.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage> {
    ensure!(!bytes.is_empty(), "expected a PNG, TIFF, BMP or JPEG image, got an empty file");
    match image::guess_format(bytes).ok() {
        Some(ImageFormat::Png) => decode_png(bytes).context("expected a complete PNG image"),
        Some(ImageFormat::Tiff) => {
            decode_tiff(bytes).context("expected a complete TIFF image of a kind that is read")
        }
        Some(ImageFormat::Jpeg) => decode_jpeg(bytes).context("expected a complete JPEG image"),
        Some(ImageFormat::Bmp) => {
            decode_as(bytes, ImageFormat::Bmp).context("expected a complete BMP image")
        }
        Some(other) => bail!("expected a PNG, TIFF, BMP or JPEG image, got {other:?}"),
        None => bail!("expected a PNG, TIFF, BMP or JPEG image, got something else"),
    }
}

fn decode_as(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, decoder.total_bytes())?;
    Ok(DynamicImage::from_decoder(decoder)?)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    limits
}

fn check_size(width: u32, height: u32, bytes: u64) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    ensure!(
        width.max(height) <= MAX_SIDE && pixels <= MAX_PIXELS && bytes <= MAX_BYTES,
        "the image has {width}x{height} pixels, at most {MAX_SIDE} a side, {MAX_PIXELS} in all and {} MiB are read",
        MAX_BYTES >> 20
    );
    Ok(())
}

/// Of an animation only the first picture would be inspected.
fn decode_png(bytes: &[u8]) -> Result<DynamicImage> {
    let is_animated = PngDecoder::with_limits(Cursor::new(bytes), limits())?.is_apng()?;
    ensure!(!is_animated, "expected a single image, got an animation");
    decode_as(bytes, ImageFormat::Png)
}

/// The general decoder lacks single-channel floats, the usual format of measured maps.
fn decode_tiff(bytes: &[u8]) -> Result<DynamicImage> {
    check_pages(bytes)?;
    let mut decoder = tiff_decoder(bytes)?;
    match decoder.colortype()? {
        ColorType::Gray(32) => {}
        ColorType::CMYK(_) | ColorType::CMYKA(_) => bail!("{INKS}"),
        ColorType::Palette(_) => bail!("got one with a palette, which PNG images may have"),
        _ => return decode_as(bytes, ImageFormat::Tiff),
    }
    let (width, height) = decoder.dimensions()?;
    check_size(width, height, 4 * u64::from(width) * u64::from(height))?;
    let DecodingResult::F32(data) = decoder.read_image()? else {
        bail!("32-bit integers are not read, only 8 and 16 bits and 32-bit floats");
    };
    let pixels =
        ImageBuffer::<Luma<f32>, _>::from_raw(width, height, data).context("pixels are missing")?;
    Ok(pixels.into())
}

fn tiff_decoder(bytes: &[u8]) -> Result<Decoder<Cursor<&[u8]>>> {
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = MAX_BYTES as usize;
    Ok(Decoder::new(Cursor::new(bytes))?.with_limits(limits))
}

/// Of several pages only the first one would be inspected. Smaller copies of it do no harm.
fn check_pages(bytes: &[u8]) -> Result<()> {
    const REDUCED: u32 = 1;
    let mut decoder = tiff_decoder(bytes)?;
    while decoder.more_images() {
        decoder.next_image()?;
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType)?.unwrap_or(0);
        ensure!(kind & REDUCED != 0, "expected a single image, got several pages");
    }
    Ok(())
}

fn decode_jpeg(bytes: &[u8]) -> Result<DynamicImage> {
    ensure!(is_complete_jpeg(bytes), "got one without its end");
    let Frame { width, height, channels } =
        jpeg_frame(bytes).context("got one without its size")?;
    ensure!(channels != 4, "{INKS}");
    ensure!(
        u64::from(width) * u64::from(height) <= MOST_JPEG_PIXELS * bytes.len() as u64,
        "{} bytes cannot hold {width}x{height} pixels",
        bytes.len()
    );
    decode_as(bytes, ImageFormat::Jpeg)
}

/// Whether an end-of-image marker follows the last start of scan: the decoder fills what is missing
/// with grey.
///
/// Within the entropy-coded data 0xFF is always followed by 0 or a restart marker, so that the two
/// bytes cannot occur.
fn is_complete_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    last([0xFF, 0xD9]) > last([0xFF, 0xDA])
}

/// The content of the frame header.
struct Frame {
    width: u16,
    height: u16,
    channels: u8,
}

fn jpeg_frame(bytes: &[u8]) -> Option<Frame> {
    // After the start-of-image marker, segments follow each other: marker, length, content.
    let mut rest = bytes.get(2..)?;
    loop {
        match *rest {
            [0xFF, 0xFF, ..] => rest = &rest[1..],
            [0xFF, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF, ..] => {
                let &[_, _, _, _, _, h0, h1, w0, w1, channels] = rest.first_chunk()?;
                let (height, width) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([w0, w1]));
                return Some(Frame { width, height, channels });
            }
            [0xFF, _, high, low, ..] => {
                rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
            }
            _ => return None,
        }
    }
}
