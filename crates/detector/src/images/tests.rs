#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgb, Rgb32FImage, RgbImage, Rgba};
use inspect::{Image, Mask, Plane};
use tempfile::TempDir;

mod bmps;
mod damaged;
mod hostile;
mod jpegs;
mod masks;
mod matrix;
mod pngs;
mod refusals;
mod tiffs;

use super::*;
use crate::Result;

/// `p = Image.new("P", (4, 1)); p.putpalette([0, 0, 0, 255, 255, 255, 128, 128, 128, 127, 127,
/// 127])` `p.putdata([0, 1, 2, 3]); p.save(..., "PNG")` with Pillow 13.0.0: a 2-bit palette.
const PALETTE_PNG: [u8; 91] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x00, 0x00, 0x00, 0x84, 0x52, 0xE7,
    0x5E, 0x00, 0x00, 0x00, 0x0C, 0x50, 0x4C, 0x54, 0x45, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0x80,
    0x80, 0x80, 0x7F, 0x7F, 0x7F, 0xBD, 0x64, 0x43, 0x83, 0x00, 0x00, 0x00, 0x0A, 0x49, 0x44, 0x41,
    0x54, 0x78, 0x9C, 0x63, 0x90, 0x06, 0x00, 0x00, 0x1D, 0x00, 0x1C, 0x8E, 0xF4, 0xF5, 0x21, 0x00,
    0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
];

/// `b = Image.new("1", (3, 1)); b.putdata([1, 0, 1]); b.save(..., "PNG")` with Pillow 13.0.0.
const ONE_BIT_PNG: [u8; 67] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x33, 0x9B, 0x29,
    0x19, 0x00, 0x00, 0x00, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x58, 0x00, 0x00, 0x00,
    0xA2, 0x00, 0xA1, 0xDC, 0x8D, 0xB1, 0xCC, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE,
    0x42, 0x60, 0x82,
];

fn plane<T>(width: usize, height: usize, data: Vec<T>) -> Plane<T> {
    Plane::new(width, height, data).unwrap()
}

/// A file whose bytes are `bytes`.
fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A file that holds `image` in the format of its extension.
fn saved(folder: &TempDir, name: &str, image: impl Into<DynamicImage>) -> PathBuf {
    let path = folder.path().join(name);
    image.into().save(&path).unwrap();
    path
}

/// The error as the program prints it: one line that names the file.
fn message<T: std::fmt::Debug>(path: &Path, result: Result<T>) -> String {
    let message = crate::error::message(&result.unwrap_err());
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

/// A 64x64 image whose pixels do not compress away.
fn busy() -> ImageBuffer<Luma<u8>, Vec<u8>> {
    ImageBuffer::from_fn(64, 64, |x, y| Luma([(x * x * 7 + y * y * 13 + x * y) as u8]))
}

#[test]
fn grey_levels_are_scaled_by_their_maximum() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = ImageBuffer::from_raw(3, 1, vec![0_u8, 51, 255]).unwrap();
    let words = ImageBuffer::from_raw(3, 1, vec![0_u16, 13_107, 65_535]).unwrap();
    let expected = plane(3, 1, vec![0.0, 0.2, 1.0]);
    for extension in ["png", "tiff", "bmp"] {
        let path =
            saved(&folder, &format!("8.{extension}"), DynamicImage::ImageLuma8(bytes.clone()));
        assert_eq!(read_image(&path).unwrap(), expected, "{extension}");
    }
    for extension in ["png", "tiff"] {
        let path =
            saved(&folder, &format!("16.{extension}"), DynamicImage::ImageLuma16(words.clone()));
        assert_eq!(read_image(&path).unwrap(), expected, "{extension}");
    }
}

#[test]
fn jpeg_is_read_nearly_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let image = ImageBuffer::from_pixel(16, 8, Luma([102_u8]));
    let read = read_image(&saved(&folder, "flat.jpg", image)).unwrap();
    // A flat image is stored by its mean alone, quantised to about one grey level.
    assert!(read.data().iter().all(|value| (value - 0.4).abs() < 2.0 / 255.0));
}

#[test]
fn colours_become_luma_and_alpha_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = [[255_u8, 0, 0, 255], [0, 255, 0, 128], [0, 0, 255, 0], [255, 255, 255, 7]];
    let rgba = ImageBuffer::from_fn(4, 1, |x, _| Rgba(pixels[x as usize]));
    let read = read_image(&saved(&folder, "colour.png", rgba)).unwrap();
    for (value, expected) in read.data().iter().zip([0.299, 0.587, 0.114, 1.0]) {
        assert!((value - expected).abs() < 1e-6 && *value <= 1.0, "{value} for {expected}");
    }
    let transparent = ImageBuffer::from_pixel(2, 1, LumaA([51_u8, 0]));
    assert_eq!(
        read_image(&saved(&folder, "alpha.png", transparent)).unwrap(),
        plane(2, 1, vec![0.2, 0.2])
    );
}

#[test]
fn the_content_decides_on_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let png = fs::read(saved(&folder, "true.png", busy())).unwrap();
    let misnamed = file(&folder, "misnamed.jpg", &png);
    assert_eq!(read_image(&misnamed).unwrap().width(), 64);
}

#[test]
fn floats_are_taken_as_they_are_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("float.tiff");
    let map = plane(2, 2, vec![0.0, 0.123_456_79, 0.5, 1.0]);
    write_float_tiff(&path, &map).unwrap();
    assert_eq!(read_image(&path).unwrap(), map);
    for outside in [1.5, -0.1, f32::NAN, f32::INFINITY] {
        write_float_tiff(&path, &plane(2, 1, vec![0.5, outside])).unwrap();
        let message = message(&path, read_image(&path));
        assert!(
            message.ends_with(&format!("expected intensities in [0, 1], got {outside}")),
            "{message}"
        );
    }
    let colour = saved(&folder, "colour.tiff", Rgb32FImage::from_pixel(1, 1, Rgb([0.5, 0.5, 2.0])));
    assert!(message(&colour, read_image(&colour)).contains("expected intensities in [0, 1]"));
}

#[test]
fn truncated_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["png", "tiff", "bmp", "jpg"] {
        let whole = fs::read(saved(&folder, &format!("whole.{extension}"), busy())).unwrap();
        let path = file(&folder, &format!("cut.{extension}"), &whole[..whole.len() / 2]);
        let message = message(&path, read_image(&path));
        assert!(message.contains("expected a complete"), "{message}");
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let expected = "expected a PNG, TIFF, BMP or JPEG image, got ";
    for (name, bytes, got) in [
        ("empty.png", &b""[..], "an empty file"),
        ("text.png", b"not an image at all", "something else"),
        ("picture.png", b"GIF89a\x01\x00\x01\x00", "GIF; convert it, for example to PNG"),
    ] {
        let path = file(&folder, name, bytes);
        assert!(message(&path, read_image(&path)).ends_with(&format!("{expected}{got}")));
    }
    let message_of_folder = message(folder.path(), read_image(folder.path()));
    assert!(message_of_folder.ends_with("expected an image file, got a folder"));
    let missing = folder.path().join("missing.png");
    assert!(message(&missing, read_image(&missing)).contains("No such file"));
}

#[test]
fn a_header_that_promises_too_much_is_refused() {
    // The width in the header of the one-bit image becomes 2²⁴; its checksum is that of zlib.crc32.
    let mut bytes = ONE_BIT_PNG;
    bytes[16..20].copy_from_slice(&[0x01, 0x00, 0x00, 0x00]);
    bytes[29..33].copy_from_slice(&[0x05, 0x3A, 0x4B, 0x9F]);
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "wide.png", &bytes);
    let message = message(&path, read_image(&path));
    assert!(message.contains("has 16777216x1 pixels, at most 32768 a side"), "{message}");
}

#[test]
fn levels_say_which_values_are_black_and_white() {
    let folder = tempfile::tempdir().unwrap();
    let words = ImageBuffer::from_raw(4, 1, vec![0_u16, 1365, 4095, 2730]).unwrap();
    let path = saved(&folder, "12-in-16.png", DynamicImage::ImageLuma16(words));
    let read = |levels| read_image_with(&path, levels);
    assert_eq!(read(Levels::Bits(12)).unwrap(), plane(4, 1, vec![0.0, 1.0 / 3.0, 1.0, 2.0 / 3.0]));
    assert_eq!(
        read(Levels::Range([1365.0, 2730.0])).unwrap(),
        plane(4, 1, vec![0.0, 0.0, 1.0, 1.0])
    );
    let above = message(&path, read(Levels::Bits(11)));
    assert!(
        above.ends_with("expected values of at most 2047 (data.bits = 11), got 4095"),
        "{above}"
    );
    let bytes = saved(&folder, "8.png", ImageBuffer::from_pixel(2, 1, Luma([51_u8])));
    let shallow = message(&bytes, read_image_with(&bytes, Levels::Bits(12)));
    assert!(
        shallow.ends_with("expected samples of at least 12 bits (data.bits), got 8"),
        "{shallow}"
    );
    assert_eq!(read_image_with(&bytes, Levels::Bits(8)).unwrap().get(0, 0), 0.2);
    let float = folder.path().join("float.tiff");
    write_float_tiff(&float, &plane(3, 1, vec![-100.0, 0.0, 300.0])).unwrap();
    let counts = read_image_with(&float, Levels::Range([-100.0, 100.0])).unwrap();
    assert_eq!(counts, plane(3, 1, vec![0.0, 0.5, 1.0]));
    let integers = message(&float, read_image_with(&float, Levels::Bits(8)));
    assert!(
        integers.ends_with("data.bits = 8 is for integers, but the file has floats"),
        "{integers}"
    );
}

/// Expected values by Python 3.11's colorsys: `rgb_to_hsv(0.8, 0.2, 0.4)` is (0.944…, 0.75, 0.8), `rgb_to_hls` has a lightness of 0.5.
#[test]
fn colours_have_channels() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = [[204, 51, 102], [0, 0, 0], [255, 255, 255]].concat();
    let colours = RgbImage::from_raw(3, 1, pixels).unwrap();
    let path = saved(&folder, "colours.png", colours);
    let of = |channel| Conversion { channel, ..Conversion::default() };
    for (channel, expected) in [
        (Channel::Luma, 0.4022),
        (Channel::Red, 0.8),
        (Channel::Green, 0.2),
        (Channel::Blue, 0.4),
        (Channel::Saturation, 0.75),
        (Channel::Value, 0.8),
        (Channel::Lightness, 0.5),
    ] {
        let read = read_image_with(&path, of(channel)).unwrap();
        // Three products and sums of values up to 1 in 32-bit floats.
        assert!((read.get(0, 0) - expected).abs() < 1e-6, "{channel:?}: {}", read.get(0, 0));
        let white = if channel == Channel::Saturation { 0.0 } else { 1.0 };
        assert_eq!([read.get(1, 0), read.get(2, 0)], [0.0, white], "{channel:?}");
    }
    let grey = saved(&folder, "grey.png", ImageBuffer::from_pixel(2, 1, Luma([51_u8])));
    assert_eq!(read_image_with(&grey, of(Channel::Blue)).unwrap().get(0, 0), 0.2);
    let refused = message(&grey, read_image_with(&grey, of(Channel::Saturation)));
    let expected = "expected colours (data.channel = \"saturation\"), got a grey image";
    assert!(refused.ends_with(expected), "{refused}");
}

/// A file in which 0 is white: levels are those of its values.
#[test]
fn levels_come_before_inversion() {
    let folder = tempfile::tempdir().unwrap();
    let tiff = tiffs::Tiff { bits: 16, photometric: 0, ..tiffs::Tiff::default() };
    let path = file(&folder, "inverted.tif", &tiff.encode());
    let value = tiff.sample(2, 3, 0) as f64;
    let read = |levels| {
        let conversion = Conversion { levels, ..Conversion::default() };
        f64::from(read_image_with(&path, conversion).unwrap().get(2, 3))
    };
    assert!((read(Levels::OfFile) - (1.0 - value / 65_535.0)).abs() < 1e-6);
    let half = Levels::Range([value / 2.0, value * 1.5]);
    assert!((read(half) - 0.5).abs() < 1e-6);
    // As a mask, 0 is defective, and there are no labels of 0 and 1.
    let labels = tiffs::Tiff { bits: 1, photometric: 0, ..tiffs::Tiff::default() };
    let mask = read_mask(&file(&folder, "mask.tif", &labels.encode())).unwrap();
    assert_eq!(mask, Mask::from_fn(21, 13, |x, y| labels.sample(x, y, 0) == 0));
}

#[test]
fn written_images_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::from_fn(5, 3, |x, y| (x * 3 + y) as f32 * 17.0 / 255.0);
    let [png, tiff] = ["a/image.png", "b/image.tif"].map(|name| folder.path().join(name));
    write_grey_png(&png, &image).unwrap();
    write_grey_tiff(&tiff, &image).unwrap();
    for read in [read_image(&png).unwrap(), read_image(&tiff).unwrap()] {
        for (read, written) in read.data().iter().zip(image.data()) {
            assert!((read - written).abs() < 1e-6);
        }
    }
    let mask = Mask::from_fn(5, 3, |x, y| (x + y) % 3 == 0);
    write_mask_png(&png, &mask).unwrap();
    assert_eq!(read_mask(&png).unwrap(), mask);
}

#[test]
fn intensities_are_rounded_and_clipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.png");
    let levels = [-1.0, 0.49, 0.51, 254.51, 300.0, f32::NAN];
    write_grey_png(&path, &plane(6, 1, levels.map(|level| level / 255.0).to_vec())).unwrap();
    assert_eq!(image::open(&path).unwrap().into_luma8().into_raw(), [0, 0, 1, 255, 255, 0]);
}

/// `np.array([0.1, 1.0005, -2.5], np.float32).astype(np.float16)` with NumPy 2.4.6, where larger values than 65,504 become infinite.
#[test]
fn half_maps_are_rounded_to_eleven_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.tiff");
    write_half_tiff(&path, &plane(5, 1, vec![0.1, 1.0005, -2.5, 7e4, -7e4])).unwrap();
    let mut decoder = ::tiff::decoder::Decoder::new(fs::File::open(&path).unwrap()).unwrap();
    let ::tiff::decoder::DecodingResult::F16(values) = decoder.read_image().unwrap() else {
        panic!("not 16-bit floats")
    };
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    assert_eq!(values, [0.0999755859375, 1.0009765625, -2.5, 65504.0, -65504.0]);
    // Ten thousand equal scores are a few bytes.
    write_half_tiff(&path, &Image::filled(100, 100, 0.5)).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1000);
}

#[test]
fn float_maps_keep_values_outside_the_unit_interval() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.tiff");
    write_float_tiff(&path, &plane(3, 1, vec![-2.5, 1e-30, 7.0])).unwrap();
    let mut decoder = ::tiff::decoder::Decoder::new(fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(decoder.colortype().unwrap(), ::tiff::ColorType::Gray(32));
    let ::tiff::decoder::DecodingResult::F32(values) = decoder.read_image().unwrap() else {
        panic!("not f32")
    };
    assert_eq!(values, [-2.5, 1e-30, 7.0]);
}
