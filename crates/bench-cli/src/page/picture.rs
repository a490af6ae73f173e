//! Pictures as data of a page.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::thumbnail;
use image::{GrayImage, ImageEncoder};
use inspect::Plane;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

const QUALITY: u8 = 80;

/// The longest side of a photograph in pixels; larger ones are scaled down. Maps and masks are not.
const LONGEST: u32 = 512;

/// A photograph in 256 grey levels, as JPEG.
///
/// # Errors
/// If it cannot be encoded.
pub fn photograph(plane: &Plane<u8>) -> Result<String> {
    let (width, height) = (plane.width() as u32, plane.height() as u32);
    let picture =
        GrayImage::from_fn(width, height, |x, y| image::Luma([plane.get(x as usize, y as usize)]));
    let longest = width.max(height);
    let scaled = |side: u32| (side * LONGEST / longest).max(1);
    let picture = match longest <= LONGEST {
        true => picture,
        false => thumbnail(&picture, scaled(width), scaled(height)),
    };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).write_image(
        &picture,
        picture.width(),
        picture.height(),
        image::ExtendedColorType::L8,
    )?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}

/// Numbers of colours as PNG, all pixels of them: a picture, and data for scripts.
///
/// # Errors
/// If it cannot be encoded.
pub fn indexed(plane: &Plane<u8>, palette: &[[u8; 3]]) -> Result<String> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, plane.width() as u32, plane.height() as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.as_flattened());
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Up);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(plane.data())?;
    writer.finish()?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;

    fn decoded(data: &str) -> image::DynamicImage {
        let (_, text) = data.split_once(',').unwrap();
        image::load_from_memory(&STANDARD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn numbers_of_colours_are_pictures() {
        let plane = Plane::from_fn(5, 3, |x, y| (x + y) as u8 % 2);
        let picture = decoded(&indexed(&plane, &[[1, 2, 3], [40, 50, 60]]).unwrap()).into_rgb8();
        assert_eq!(picture.dimensions(), (5, 3));
        assert_eq!(
            [picture.get_pixel(0, 0).0, picture.get_pixel(1, 0).0],
            [[1, 2, 3], [40, 50, 60]]
        );
    }

    #[test]
    fn large_photographs_are_scaled_down() {
        let size = |width, height| {
            let picture = decoded(&photograph(&Plane::filled(width, height, 100)).unwrap());
            (picture.width(), picture.height())
        };
        assert_eq!([size(2048, 300), size(192, 40)], [(512, 75), (192, 40)]);
    }
}
