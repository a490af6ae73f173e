//! Reading grey images and masks.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use image::{DynamicImage, ImageBuffer, ImageFormat, ImageReader, Limits, Luma};
use inspect::{Image, Mask, Plane};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};

/// The longest side that is read, in pixels: a wrong header must not exhaust the memory.
const MAX_SIDE: u32 = 1 << 15;

/// The most bytes that a decoder may hold at once.
const MAX_BYTES: u64 = 512 << 20;

/// Red, green and blue weights of luma (Rec. ITU-R BT.601, as OpenCV's and Pillow's grey).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Mask values above 127 of 255 are defective.
const MASK_THRESHOLD: f32 = 127.5 / 255.0;

/// Reads a PNG, TIFF, BMP or JPEG file as a grey image with intensities in [0, 1].
///
/// The format is told from the content, not from the file name. 8 bits are divided by 255, 16 bits
/// by 65535, colours become Rec. 601 luma, palettes are expanded, and alpha is ignored, as is an
/// orientation tag. Floats are taken as they are.
///
/// # Errors
/// If the file cannot be read or is not a complete image of these formats, if it is larger than
/// 32,768 pixels a side or 512 MiB, or if float values are not in [0, 1].
pub fn read_image(path: &Path) -> Result<Image> {
    read_grey(path).with_context(|| format!("cannot read image {}", path.display()))
}

/// Reads a segmentation mask: pixels above 127 of 255 are defective.
///
/// Any file that [`read_image`] reads will do, in particular 1-bit, grey, palette and RGBA PNG.
///
/// # Errors
/// As [`read_image`]; and if the mask is not empty, yet no pixel is above 127, as when defects are
/// stored as 1.
pub fn read_mask(path: &Path) -> Result<Mask> {
    let mask = read_grey(path).and_then(|image| threshold(&image));
    mask.with_context(|| format!("cannot read mask {}", path.display()))
}

fn threshold(image: &Image) -> Result<Mask> {
    let brightest = image.data().iter().copied().fold(0.0, f32::max);
    ensure!(
        brightest == 0.0 || brightest > MASK_THRESHOLD,
        "expected defects above 127 of 255, got values of at most {}",
        (brightest * 255.0).round()
    );
    let defective = image.data().iter().map(|&value| value > MASK_THRESHOLD).collect();
    Ok(Plane::new(image.width(), image.height(), defective)?)
}

fn read_grey(path: &Path) -> Result<Image> {
    grey(&decode(path)?)
}

fn decode(path: &Path) -> Result<DynamicImage> {
    ensure!(!path.is_dir(), "expected an image file, got a folder");
    let bytes = fs::read(path)?;
    ensure!(!bytes.is_empty(), "expected a PNG, TIFF, BMP or JPEG image, got an empty file");
    let format = image::guess_format(&bytes).ok();
    match format {
        Some(ImageFormat::Tiff) => decode_tiff(&bytes).context("expected a complete TIFF image"),
        Some(ImageFormat::Jpeg) => {
            ensure!(
                is_complete_jpeg(&bytes),
                "expected a complete JPEG image, got one without its end"
            );
            decode_as(&bytes, ImageFormat::Jpeg).context("expected a complete JPEG image")
        }
        Some(ImageFormat::Png) => {
            decode_as(&bytes, ImageFormat::Png).context("expected a complete PNG image")
        }
        Some(ImageFormat::Bmp) => {
            decode_as(&bytes, ImageFormat::Bmp).context("expected a complete BMP image")
        }
        Some(other) => bail!("expected a PNG, TIFF, BMP or JPEG image, got {other:?}"),
        None => bail!("expected a PNG, TIFF, BMP or JPEG image, got something else"),
    }
}

fn decode_as(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    Ok(reader.decode()?)
}

/// The general decoder lacks single-channel floats, the usual format of measured maps.
fn decode_tiff(bytes: &[u8]) -> Result<DynamicImage> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    if decoder.colortype()? != ColorType::Gray(32) {
        return decode_as(bytes, ImageFormat::Tiff);
    }
    let (width, height) = decoder.dimensions()?;
    ensure!(
        width.max(height) <= MAX_SIDE,
        "image of {width}x{height} pixels, at most {MAX_SIDE} a side are read"
    );
    let DecodingResult::F32(data) = decoder.read_image()? else {
        bail!("32-bit integers are not read, only 8 and 16 bits and 32-bit floats");
    };
    let pixels =
        ImageBuffer::<Luma<f32>, _>::from_raw(width, height, data).context("pixels are missing")?;
    Ok(pixels.into())
}

fn grey(image: &DynamicImage) -> Result<Image> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let has_color = image.color().has_color();
    let channels =
        if has_color { image.to_rgb32f().into_raw() } else { image.to_luma32f().into_raw() };
    // Only floats can be outside.
    if let Some(value) = channels.iter().find(|value| !(0.0..=1.0).contains(*value)) {
        bail!("expected intensities in [0, 1], got {value}");
    }
    let data = if has_color { channels.as_chunks().0.iter().map(luma).collect() } else { channels };
    Ok(Plane::new(width, height, data)?)
}

/// The weights sum to 1 only up to rounding: white must not exceed 1.
fn luma(rgb: &[f32; 3]) -> f32 {
    let sum: f32 = LUMA.iter().zip(rgb).map(|(weight, channel)| weight * channel).sum();
    sum.min(1.0)
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
