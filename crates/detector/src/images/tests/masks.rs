//! Segmentation masks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

#[test]
fn masks_are_thresholded_above_127() {
    let folder = tempfile::tempdir().unwrap();
    let grey = ImageBuffer::from_raw(4, 1, vec![0_u8, 127, 128, 255]).unwrap();
    let grey = saved(&folder, "grey.png", DynamicImage::ImageLuma8(grey));
    assert_eq!(read_mask(&grey).unwrap(), plane(4, 1, vec![false, false, true, true]));
    let one_bit = file(&folder, "one-bit.png", &ONE_BIT_PNG);
    assert_eq!(read_mask(&one_bit).unwrap(), plane(3, 1, vec![true, false, true]));
    let palette = file(&folder, "palette.png", &PALETTE_PNG);
    assert_eq!(read_mask(&palette).unwrap(), plane(4, 1, vec![false, true, true, false]));
    let rgba =
        ImageBuffer::from_fn(2, 1, |x, _| Rgba([255 * x as u8, 255 * x as u8, 255 * x as u8, 0]));
    assert_eq!(
        read_mask(&saved(&folder, "rgba.png", rgba)).unwrap(),
        plane(2, 1, vec![false, true])
    );
}

#[test]
fn masks_of_zeros_and_ones_are_read_and_those_of_other_low_values_refused() {
    let folder = tempfile::tempdir().unwrap();
    let labels = |name: &str, value: u8| {
        saved(&folder, name, ImageBuffer::from_fn(4, 4, |x, _| Luma([x as u8 % 2 * value])))
    };
    let expected = Mask::from_fn(4, 4, |x, _| x % 2 == 1);
    assert_eq!(read_mask(&labels("labels.png", 1)).unwrap(), expected);
    let deep = ImageBuffer::from_fn(4, 4, |x, _| Luma([x as u16 % 2]));
    let deep = saved(&folder, "deep.tif", DynamicImage::ImageLuma16(deep));
    assert_eq!(read_mask(&deep).unwrap(), expected);
    let twos = labels("twos.png", 2);
    let message = message(&twos, read_mask(&twos));
    assert!(
        message.ends_with("expected defects above 127 of 255, or 0 and 1, got values of at most 2"),
        "{message}"
    );
    assert!(message.starts_with("cannot read mask "), "{message}");
    let words = ImageBuffer::from_fn(4, 4, |x, _| Luma([x as u16 % 2 * 255]));
    let words = saved(&folder, "words.png", DynamicImage::ImageLuma16(words));
    let message = self::message(&words, read_mask(&words));
    assert!(
        message.ends_with(
            "expected defects above 32767 of 65535, or 0 and 1, got values of at most 255"
        ),
        "{message}"
    );
    let empty = saved(&folder, "empty.png", ImageBuffer::from_pixel(4, 4, Luma([0_u8])));
    assert_eq!(read_mask(&empty).unwrap(), Mask::filled(4, 4, false));
}

#[test]
fn masks_of_which_it_is_not_clear_what_they_mean_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |path: &Path| message(path, read_mask(path));
    let shape = ImageBuffer::from_fn(4, 4, |x, _| Rgba([0, 0, 0, 255 * (x as u8 % 2)]));
    let shape = refusal(&saved(&folder, "shape.png", shape));
    assert!(shape.contains("whose shape is in the alpha channel, which is ignored"), "{shape}");
    // Red and blue are dark, green is bright.
    let colours =
        ImageBuffer::from_fn(4, 4, |x, _| Rgb(if x == 2 { [0_u8, 0, 255] } else { [255; 3] }));
    let colours = refusal(&saved(&folder, "colours.png", colours));
    assert!(colours.ends_with("got the colour (0, 0, 255)"), "{colours}");
    let classes = ImageBuffer::from_fn(9, 9, |x, y| Luma([(x / 3 * 100 + y / 8) as u8]));
    let classes = refusal(&saved(&folder, "classes.png", classes));
    assert!(classes.ends_with("got an area of grey (100 of 255) at column 4, row 1"), "{classes}");
    // 0 good, 1 defective, 255 not to be looked at; and 254 of another class than 255.
    for values in [[0, 1, 255], [0, 254, 255]] {
        let classes = ImageBuffer::from_fn(9, 9, |x, _| Luma([values[x as usize / 3] as u8]));
        let classes = refusal(&saved(&folder, "ignored.png", classes));
        let expected = format!("got an area of grey ({} of 255) at column 4, row 1", values[1]);
        assert!(classes.ends_with(&expected), "{classes}");
    }
}

/// At some qualities, black is 1 of 255, and pixels beside a border are 0.
#[test]
fn masks_in_jpeg_of_any_quality_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let shape = |x: u32, y: u32| (13..40).contains(&x) && (9..50).contains(&y);
    let mask = ImageBuffer::from_fn(64, 64, |x, y| Luma([if shape(x, y) { 255_u8 } else { 0 }]));
    for quality in [20, 50, 70, 75, 90] {
        let path = folder.path().join("mask.jpg");
        let mut file = fs::File::create(&path).unwrap();
        mask.write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality)).unwrap();
        let area = read_mask(&path).unwrap().data().iter().filter(|&&pixel| pixel).count();
        assert!(area.abs_diff(27 * 41) < 60, "{quality}: {area}");
    }
    let white = ImageBuffer::from_fn(8, 8, |x, _| Luma([255 - x as u8 / 4]));
    let white = saved(&folder, "white.png", white);
    let refusal = message(&white, read_mask(&white));
    assert!(refusal.ends_with("got values from 254 to 255 of 255 only"), "{refusal}");
}

#[test]
fn masks_with_smooth_borders_of_any_format_are_read() {
    let folder = tempfile::tempdir().unwrap();
    // A disk whose border is three pixels wide.
    let disk = ImageBuffer::from_fn(32, 32, |x, y| {
        let distance = (f32::from(x as u8) - 15.5).hypot(f32::from(y as u8) - 15.5);
        Luma([((11.5 - distance) / 3.0 * 255.0).clamp(0.0, 255.0) as u8])
    });
    let expected = Mask::from_fn(32, 32, |x, y| disk.get_pixel(x as u32, y as u32).0[0] > 127);
    for name in ["mask.png", "mask.bmp", "mask.tif", "mask.PNG"] {
        assert_eq!(read_mask(&saved(&folder, name, disk.clone())).unwrap(), expected, "{name}");
    }
    // Lossy, but only where it is neither black nor white.
    let lossy = read_mask(&saved(&folder, "mask.jpg", disk)).unwrap();
    let differing = lossy.data().iter().zip(expected.data()).filter(|(a, b)| a != b).count();
    assert!(differing < 20, "{differing} pixels differ");
}
