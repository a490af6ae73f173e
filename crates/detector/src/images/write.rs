//! Writing images, masks and score maps.

use std::path::Path;

use half::f16;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use inspect::{Image, Mask, Plane};
use tiff::encoder::colortype::{ColorType, Gray8, Gray16, Gray32Float};
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, TiffValue};
use tiff::tags::{PhotometricInterpretation, SampleFormat};

use crate::Result;
use crate::error::Context;
use crate::files::{shown, write_atomic};

/// Writes an image with intensities in [0, 1] as 8-bit grey PNG; what lies outside is clipped.
///
/// # Errors
/// If the file cannot be written.
pub fn write_grey_png(path: &Path, image: &Image) -> Result<()> {
    write_png(path, image.width(), image.height(), to_grey8(image).data(), ExtendedColorType::L8)
}

/// Writes a mask as 8-bit grey PNG: 0, and 255 for defective pixels.
///
/// # Errors
/// If the file cannot be written.
pub fn write_mask_png(path: &Path, mask: &Mask) -> Result<()> {
    let grey = mask.map(|is_defective| if is_defective { 255 } else { 0 });
    write_png(path, mask.width(), mask.height(), grey.data(), ExtendedColorType::L8)
}

/// Writes an image with intensities in [0, 1] as 8-bit grey PackBits TIFF; what lies outside is
/// clipped.
///
/// # Errors
/// If the file cannot be written.
pub fn write_grey_tiff(path: &Path, image: &Image) -> Result<()> {
    write_tiff::<Gray8>(
        path,
        image.width(),
        image.height(),
        to_grey8(image).data(),
        Compression::Packbits,
    )
}

/// Writes a map as uncompressed, single-channel TIFF of 32-bit floats, its values unchanged.
///
/// # Errors
/// If the file cannot be written.
pub fn write_float_tiff(path: &Path, map: &Image) -> Result<()> {
    write_tiff::<Gray32Float>(
        path,
        map.width(),
        map.height(),
        map.data(),
        Compression::Uncompressed,
    )
}

/// Writes a map as single-channel TIFF of 16-bit floats, compressed by Deflate. Values are rounded to 11 significant bits, which is
/// within 0.05 % for magnitudes of at least 6.2e-5; beyond ±65,504 they become that.
///
/// # Errors
/// If the file cannot be written.
pub fn write_half_tiff(path: &Path, map: &Image) -> Result<()> {
    let (least, most) = (f16::MIN.to_f32(), f16::MAX.to_f32());
    let half = |&value: &f32| f16::from_f32(value.clamp(least, most)).to_bits();
    let halves: Vec<u16> = map.data().iter().map(half).collect();
    let compression = Compression::Deflate(DeflateLevel::Balanced);
    write_tiff::<Gray16Float>(path, map.width(), map.height(), &halves, compression)
}

/// Grey as 16-bit floats, given by their bits.
struct Gray16Float;

impl ColorType for Gray16Float {
    type Inner = u16;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
    const BITS_PER_SAMPLE: &'static [u16] = &[16];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::IEEEFP];

    fn horizontal_predict(row: &[u16], result: &mut Vec<u16>) {
        Gray16::horizontal_predict(row, result);
    }
}

/// Writes red, green and blue of each pixel as 8-bit RGB PNG.
///
/// # Errors
/// If the file cannot be written.
pub fn write_rgb_png(path: &Path, image: &Plane<[u8; 3]>) -> Result<()> {
    let bytes = image.data().as_flattened();
    write_png(path, image.width(), image.height(), bytes, ExtendedColorType::Rgb8)
}

fn write_png(
    path: &Path,
    width: usize,
    height: usize,
    bytes: &[u8],
    colour: ExtendedColorType,
) -> Result<()> {
    let (width, height) = checked_size(path, width, height)?;
    write_atomic(path, |file| Ok(PngEncoder::new(file).write_image(bytes, width, height, colour)?))
}

fn write_tiff<C: ColorType>(
    path: &Path,
    width: usize,
    height: usize,
    data: &[C::Inner],
    compression: Compression,
) -> Result<()>
where
    [C::Inner]: TiffValue,
{
    let (width, height) = checked_size(path, width, height)?;
    write_atomic(path, |file| {
        let mut encoder = TiffEncoder::new(file)?.with_compression(compression);
        Ok(encoder.write_image::<C>(width, height, data)?)
    })
}

fn checked_size(path: &Path, width: usize, height: usize) -> Result<(u32, u32)> {
    let sides = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    sides.with_context(|| {
        format!("cannot write {}: {width}x{height} pixels are too many", shown(path))
    })
}

/// An image with intensities in [0, 1] in 256 levels, rounded to the nearest; what lies outside is clipped.
pub fn to_grey8(image: &Image) -> Plane<u8> {
    image.map(to_byte)
}

/// An intensity in [0, 1] as byte, rounded to the nearest; NaN is black.
pub fn to_byte(value: f32) -> u8 {
    // The cast saturates.
    (value * 255.0 + 0.5) as u8
}
