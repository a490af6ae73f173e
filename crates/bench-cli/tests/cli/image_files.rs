//! The values of image files and masks.

use crate::bench::Bench;
use crate::images::{WIDTH, save};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma};
use std::fs;
use std::path::Path;

/// Replaces the images below a folder.
fn replace(folder: &Path, picture: &impl Fn(DynamicImage) -> DynamicImage) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => replace(&path, picture),
            false => picture(image::open(&path).unwrap()).save(&path).unwrap(),
        }
    }
}

/// A 16-bit image of sixteen times the values, as of a 12-bit camera.
fn deepened(image: DynamicImage) -> DynamicImage {
    let image = image.into_luma8();
    let deep = ImageBuffer::from_fn(image.width(), image.height(), |x, y| {
        Luma([u16::from(image.get_pixel(x, y).0[0]) * 16])
    });
    DynamicImage::ImageLuma16(deep)
}

/// An image whose green is the grey of the given one.
fn greened(image: DynamicImage) -> DynamicImage {
    let mut colours = image.into_rgb8();
    colours.pixels_mut().for_each(|pixel| pixel.0 = [0, pixel.0[1], 255]);
    colours.into()
}

/// Black and white are settings of the model, in training as in inspection: 16-bit files of a 12-bit camera give the weights, maps and
/// scores of the same pictures in 8 bits.
#[test]
fn levels_are_stored_with_the_model() {
    const WARNING: &str = "warning: no training image uses more than an eighth of the intensities";
    let bench = Bench::with_model();
    let inspect = |model: &str, results: &str| {
        bench
            .run(&format!(
                "predict {model} cloth/test/hole --out {results} --write map --threshold 100"
            ))
            .done();
    };
    inspect("model", "plain");
    replace(&bench.path("cloth/train"), &deepened);
    replace(&bench.path("cloth/test"), &deepened);
    let run = bench.train("dim", "");
    assert!(run.stderr.contains(WARNING), "{}", run.stderr);
    assert!(run.stderr.contains("they lie in [0.0"), "{}", run.stderr);
    let run = bench.train("deep", "--set data.range=[0,4080]");
    assert!(run.warnings().is_empty(), "{}", run.stderr);
    assert!(bench.bytes("model/model.safetensors") == bench.bytes("deep/model.safetensors"));
    inspect("deep", "ranged");
    for id in ["000", "001"] {
        let map = |results: &str| bench.map(&format!("{results}/{id}.tiff"));
        assert_eq!(map("plain"), map("ranged"));
    }
    let message =
        bench.error("train --data cloth --out other --set data.bits=12 --set data.range=[0,1]");
    assert!(message.contains("data.bits and data.range exclude each other"), "{message}");
    let message =
        bench.error("train --data cloth --out other --set data.bits=11 --set model.patch_size=32");
    assert!(message.contains("data.bits = 11"), "{message}");
    assert!(message.contains("cloth/train/good/000.png"), "{message}");
}

/// The channel is a setting of the model: what the green of a picture is in one model, and its grey in another, gives the same weights.
#[test]
fn a_channel_is_stored_with_the_model() {
    let bench = Bench::with_model();
    replace(&bench.path("cloth/train"), &greened);
    bench.train("green", "--set data.channel=green");
    assert!(bench.bytes("model/model.safetensors") == bench.bytes("green/model.safetensors"));
    let message = bench.error("calibrate green --set data.channel=blue");
    assert!(message.contains("data.channel"), "{message}");
    let message = bench.error("train --data cloth --out other --set data.channel=hue");
    assert!(message.contains("unknown variant `hue`"), "{message}");
}

#[test]
fn an_empty_mask_of_a_defective_image_is_told() {
    let bench = Bench::with_model();
    save(&bench.path("cloth/ground_truth/hole/001_mask.png"), &GrayImage::new(WIDTH, 40));
    let run = bench.run("evaluate model --out results").done();
    let expected = "hole/001_mask.png: the mask is empty, but its image counts as defective";
    assert_eq!(run.stderr.matches(expected).count(), 1, "{}", run.stderr);
}

/// Other images of a batch are inspected if one is of a kind that is not read.
#[test]
fn files_that_are_not_read_are_named() {
    let bench = Bench::with_model();
    let deep = ImageBuffer::from_pixel(WIDTH, 40, image::Rgb([0.5_f32; 3]));
    fs::create_dir(bench.path("line")).unwrap();
    fs::copy(bench.path("cloth/test/good/000.png"), bench.path("line/good.png")).unwrap();
    DynamicImage::ImageRgb32F(deep).save(bench.path("line/float.tif")).unwrap();
    fs::write(
        bench.path("line/arithmetic.jpg"),
        b"\xFF\xD8\xFF\xC9\0\x0B\x08\0\x10\0\x10\x01\x01\x11\0\xFF\xD9",
    )
    .unwrap();
    fs::write(bench.path("line/shot.png"), b"RIFF\x20\0\0\0WEBPVP8X0123456789").unwrap();
    // A file of 10 GB that takes no space.
    let sparse = fs::File::create(bench.path("line/sparse.png")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    let run = bench.run("predict model line --out results --threshold 100 --quiet");
    assert_eq!(run.code, 2, "{}", run.stderr);
    let expected = [
        "error: cannot read image line/arithmetic.jpg: arithmetic-coded JPEG is not supported; convert it, for example to PNG",
        "error: cannot read image line/shot.png: expected a PNG, TIFF, BMP or JPEG image, got WebP; convert it, for example to PNG",
        "error: cannot read image line/sparse.png: the file has more than 2048 MiB",
    ];
    assert_eq!(run.stderr.lines().collect::<Vec<_>>(), expected);
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);
}

#[test]
fn masks_of_zeros_and_ones_mark_what_those_of_black_and_white_do() {
    let bench = Bench::with_model();
    bench.run("evaluate model --out white").done();
    for id in ["000", "001"] {
        let path = bench.path(&format!("cloth/ground_truth/hole/{id}_mask.png"));
        let mut mask = image::open(&path).unwrap().into_luma8();
        mask.iter_mut().for_each(|value| *value /= 255);
        save(&path, &mask);
    }
    bench.run("evaluate model --out ones").done();
    assert_eq!(bench.text("white/images.csv"), bench.text("ones/images.csv"));
}
