//! Images that are damaged, hostile or not what their names say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::time::Instant;

use flate2::write::ZlibEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA, Rgba};
use inspect::Image;
use tempfile::TempDir;
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::{CMYK8, Gray8, Gray32};
use tiff::tags::Tag;

use super::jpegs::{self, Jpeg};
use super::pngs::chunk;
use super::tiffs::{Tiff, with_directory_below};
use crate::error::message;
use crate::files::shown;
use crate::images::{decode_image, image_header, read_image};

fn busy() -> GrayImage {
    GrayImage::from_fn(24, 16, |x, y| Luma([(x * x * 7 + y * y * 13 + x * y) as u8]))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG file of 1 KB whose header claims `width` x `height` pixels.
fn bomb(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let header =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let parts = [chunk(b"IHDR", &header), chunk(b"IDAT", &[0; 1000]), chunk(b"IEND", &[])];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

/// A PNG file with a further chunk after its header.
fn with_chunk(png: &[u8], chunk: &[u8]) -> Vec<u8> {
    let (header, rest) = png.split_at(33);
    [header, chunk, rest].concat()
}

/// A TIFF file of inks.
fn printed() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    encoder.write_image::<CMYK8>(2, 1, &[0, 51, 102, 153, 204, 255, 0, 9]).unwrap();
    bytes.into_inner()
}

fn pages(kinds: &[u32]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for &kind in kinds {
        let mut page = encoder.new_image::<Gray8>(3, 2).unwrap();
        page.encoder().write_tag(Tag::NewSubfileType, kind).unwrap();
        page.write_data(&[0, 51, 102, 153, 204, 255]).unwrap();
    }
    bytes.into_inner()
}

fn integers() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    TiffEncoder::new(&mut bytes).unwrap().write_image::<Gray32>(1, 1, &[7]).unwrap();
    bytes.into_inner()
}

/// The head of a JPEG file of four inks, and its end.
fn inks() -> Vec<u8> {
    let frame = [0xFF, 0xC0, 0, 20, 8, 0, 16, 0, 16, 4];
    let channels: Vec<u8> = (1..=4).flat_map(|channel| [channel, 0x11, 0]).collect();
    let comment = [0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 0xFF, 0xC0];
    [&comment[..], &frame, &channels, &[0xFF, 0xDA, 0xFF, 0xD9]].concat()
}

/// A JPEG file that claims more pixels than it has, which the decoder would fill with grey. Found by fuzzing.
fn claim() -> Vec<u8> {
    let mut jpeg = encoded(busy(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x09, 0x0C, 0x41, 0x10]);
    jpeg
}

/// A JPEG file with an Exif segment that says: turn by 90° before showing.
fn turned() -> Vec<u8> {
    let jpeg = encoded(busy(), ImageFormat::Jpeg);
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, exif, &jpeg[2..]].concat()
}

fn read(folder: &TempDir, name: &str, bytes: &[u8]) -> Result<Image, String> {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    refusal(&path)
}

/// The image, or the error as the program prints it: one line that names the file.
fn refusal(path: &Path) -> Result<Image, String> {
    read_image(path).map_err(|error| {
        let message = message(&error);
        let start = format!("cannot read image {}: ", shown(path));
        assert!(message.starts_with(&start) && !message.contains('\n'), "{message}");
        message[start.len()..].to_owned()
    })
}

#[test]
fn what_has_no_meaning_as_an_image_is_refused_by_name() {
    let png = encoded(busy(), ImageFormat::Png);
    let animation = with_chunk(&png, &chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]));
    let damaged = {
        let mut bytes = png.clone();
        bytes[60] ^= 0x55;
        bytes
    };
    let table: [(&str, Vec<u8>, &str); 17] = [
        ("bomb.png", bomb(60_000, 60_000, 8, 0), "has 60000x60000 pixels, at most 32768 a side"),
        ("wide.png", bomb(40_000, 1, 1, 0), "has 40000x1 pixels, at most 32768 a side"),
        ("many.png", bomb(30_000, 30_000, 1, 0), "has 30000x30000 pixels"),
        ("deep.png", bomb(16_000, 16_000, 16, 6), "has 16000x16000 pixels"),
        ("none.png", bomb(0, 5, 8, 0), "expected a complete PNG image"),
        ("lies.png", bomb(100, 100, 8, 0), "expected a complete PNG image"),
        ("cut.png", png[..png.len() - 20].to_vec(), "expected a complete PNG image"),
        ("damaged.png", damaged, "expected a complete PNG image"),
        ("animation.png", animation, "expected a single image, got an animation"),
        ("pages.tif", pages(&[0, 0]), "expected a single image, got several pages"),
        ("integers.tif", integers(), "32-bit integers are not read"),
        ("inks.jpg", inks(), "got inks (CMYK)"),
        ("inks.tif", printed(), "got inks (CMYK)"),
        ("claim.jpg", claim(), "bytes cannot hold 16656x2316 pixels"),
        ("empty.bmp", Vec::new(), "got an empty file"),
        ("text.png", b"a,b\n1,2\n".to_vec(), "got something else"),
        ("head.tif", b"II*\0".to_vec(), "expected a complete TIFF image"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, expected) in table {
        let message = read(&folder, name, &bytes).unwrap_err();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn unusual_images_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let png = |image: DynamicImage| encoded(image, ImageFormat::Png);
    let third = u16::MAX / 3;
    let table: [(&str, Vec<u8>, f32); 5] = [
        ("one.png", png(GrayImage::from_pixel(1, 1, Luma([51])).into()), 0.2),
        ("one.bmp", encoded(GrayImage::from_pixel(1, 1, Luma([51])), ImageFormat::Bmp), 0.2),
        (
            "deep-alpha.png",
            png(image::ImageBuffer::from_pixel(2, 3, LumaA([third, 0])).into()),
            1.0 / 3.0,
        ),
        (
            "deep-colour.png",
            png(image::ImageBuffer::from_pixel(3, 2, Rgba([third, third, third, 9])).into()),
            1.0 / 3.0,
        ),
        ("misnamed.tif", png(GrayImage::from_pixel(2, 2, Luma([255])).into()), 1.0),
    ];
    for (name, bytes, expected) in table {
        let image = read(&folder, name, &bytes).unwrap();
        for value in image.data() {
            // The weights of luma sum to 1 up to their rounding.
            assert!((value - expected).abs() < 1e-6, "{name}: {value}");
        }
    }
    assert_eq!(
        read(&folder, "below.tif", &with_directory_below(0, 1)),
        read(&folder, "alone.tif", &Tiff::default().encode())
    );
    // A smaller copy beside the image is no page of its own.
    assert_eq!(read(&folder, "copy.tif", &pages(&[0, 1])).unwrap().get(1, 0), 0.2);
}

/// A colour profile and a text of 64 MiB, packed into some KB, are passed over, and run lengths that cannot fill their picture are refused.
#[test]
fn what_is_packed_does_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let png = encoded(busy(), ImageFormat::Png);
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).unwrap();
    let packed = encoder.finish().unwrap();
    for (kind, name) in [(b"iCCP", &b"profile\0\0"[..]), (b"zTXt", b"Comment\0\0")] {
        let bomb = with_chunk(&png, &chunk(kind, &[name, &packed].concat()));
        let start = Instant::now();
        assert_eq!(read(&folder, "bomb.png", &bomb).unwrap().size(), (24, 16));
        assert_eq!(image_header(&folder.path().join("bomb.png")).unwrap().size, (24, 16));
        // It takes far longer to unpack them.
        assert!(start.elapsed().as_secs() < 10);
    }
    let mut runs =
        b"BM\0\0\0\0\0\0\0\0\x3A\0\0\0\x28\0\0\0\0\x40\0\0\0\x40\0\0\x01\0\x08\0\x01\0\0\0"
            .to_vec();
    runs.extend([0; 12]);
    runs.extend([1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 1]);
    let refusal = read(&folder, "runs.bmp", &runs).unwrap_err();
    assert!(refusal.contains("bytes cannot hold 16384x16384 pixels"), "{refusal}");
}

#[test]
fn a_few_stray_bytes_before_a_marker_of_a_jpeg_are_passed_over() {
    let whole = Jpeg { restart_interval: 2, ..jpegs::busy() }.encode();
    let picture = decode_image(&whole).unwrap();
    // A row of 3 units of 6 blocks takes at least 36 bits. Pillow 13.0.0, by libjpeg, reads the same pixels.
    for count in 0..5 {
        let stray = [&[0x5A; 4][..count], &[0xFF, 0xD9]].concat();
        let bytes = [&whole[..whole.len() - 2], &stray].concat();
        assert_eq!(decode_image(&bytes).is_ok_and(|image| image == picture), count < 4, "{count}");
    }
    // Between segments there may be any number.
    let frame = whole.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    let bytes = [&whole[..frame], &[0x5A; 9], &whole[frame..]].concat();
    assert_eq!(decode_image(&bytes).unwrap(), picture);
    // Those before a restart marker belong to the units before it.
    let restart = whole.windows(2).position(|marker| marker == [0xFF, 0xD1]).unwrap();
    let bytes = [&whole[..restart], &[0x5A], &whole[restart..]].concat();
    assert!(decode_image(&bytes).is_err());
}

/// Masks have no such tag, and results are in the pixels of the file.
#[test]
fn orientation_tags_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let image = read(&folder, "turned.jpg", &turned()).unwrap();
    assert_eq!(image.size(), (24, 16));
    assert_eq!(image, read(&folder, "plain.jpg", &encoded(busy(), ImageFormat::Jpeg)).unwrap());
}

/// A training looks at headers before it reads its images.
#[test]
fn headers_tell_the_size_of_the_picture_that_is_read_and_its_orientation() {
    let folder = tempfile::tempdir().unwrap();
    let header = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        image_header(&path).map(|header| (header.size, header.is_turned))
    };
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Jpeg] {
        assert_eq!(
            header("plain", &encoded(busy(), format)),
            Some(((24, 16), false)),
            "{format:?}"
        );
    }
    assert_eq!(header("turned.jpg", &turned()), Some(((24, 16), true)));
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let png = with_chunk(&encoded(busy(), ImageFormat::Png), &chunk(b"eXIf", exif));
    assert_eq!(header("turned.png", &png), Some(((24, 16), true)));
    let mirrored = Tiff { tags: vec![(274, 3, vec![2])], ..Tiff::default() }.encode();
    assert_eq!(header("mirrored.tif", &mirrored), Some(((21, 13), true)));
    // The header lies behind the first bytes that are read.
    let far = Tiff { width: 700, height: 300, ..Tiff::default() }.encode();
    assert_eq!(header("far.tif", &far), Some(((700, 300), false)));
    let mut profiles = encoded(busy(), ImageFormat::Jpeg);
    let profile = [&[0xFF, 0xE2, 0xFF, 0xFF][..], &[0; 0xFFFD]].concat();
    profiles.splice(2..2, profile.repeat(3));
    assert_eq!(header("profiles.jpg", &profiles), Some(((24, 16), false)));
    assert_eq!(header("text.png", b"a,b\n"), None);
    assert_eq!(header("cut.tif", &far[..far.len() - 100]), None);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for (kind, side) in [(1_u32, 2), (0, 8)] {
        let mut page = encoder.new_image::<Gray8>(side, side).unwrap();
        page.encoder().write_tag(Tag::NewSubfileType, kind).unwrap();
        page.write_data(&vec![51; (side * side) as usize]).unwrap();
    }
    assert_eq!(header("copy.tif", bytes.get_ref()), Some(((8, 8), false)));
}

/// Every file that is cut off anywhere, and many with a changed byte, are refused or read, and never panic.
#[test]
fn damage_anywhere_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Jpeg] {
        let whole = encoded(busy(), format);
        for length in (0..whole.len()).step_by(7) {
            let refusal = read(&folder, "cut", &whole[..length]).unwrap_err();
            assert!(
                !refusal.contains("decoder failed"),
                "{format:?} cut off at {length}: {refusal}"
            );
        }
        for place in (0..whole.len()).step_by(3) {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            match read(&folder, "changed", &changed) {
                Ok(image) => assert!(image.data().iter().all(|value| (0.0..=1.0).contains(value))),
                Err(refusal) => assert!(!refusal.contains("decoder failed"), "{format:?}, {place}"),
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let looped = folder.path().join("loop.png");
    std::os::unix::fs::symlink(&looped, &looped).unwrap();
    assert!(refusal(&looped).unwrap_err().contains("symbolic link"));
    let directory = folder.path().join("x.png");
    fs::create_dir(&directory).unwrap();
    assert_eq!(refusal(&directory).unwrap_err(), "expected an image file, got a folder");
    let endless = refusal(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(endless, "expected an image file, got a device or a pipe");
}
