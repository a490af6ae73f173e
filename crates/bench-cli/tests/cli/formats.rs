//! Images that users have: they are read as what they show.

use crate::bench::{Bench, number};
use crate::images::{HEIGHT, WIDTH, defective, save, texture};
use image::{DynamicImage, ImageBuffer, Luma, Rgba};
use std::fs;

/// The mask of `images::mask` as a 1-bit palette: 0 is black, 1 is white.
///
/// ```python
/// # Pillow 13.0.0
/// mask = Image.new("P", (48, 40))
/// mask.putpalette([0, 0, 0, 255, 255, 255])
/// mask.paste(1, (20, 14, 32, 24))
/// mask.save("palette_mask.png")
/// ```
const PALETTE_MASK: &[u8] = include_bytes!("../data/palette_mask.png");

/// One texture as 8-bit grey, 16-bit grey, RGBA with a varying alpha, and RGB TIFF.
fn same_image_in_many_formats(bench: &Bench) -> Vec<&'static str> {
    let grey = texture(7);
    let words = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
        Luma([u16::from(grey.get_pixel(x, y).0[0]) * 257])
    });
    let rgba = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
        let Luma([level]) = *grey.get_pixel(x, y);
        Rgba([level, level, level, (x * 5) as u8])
    });
    let rgb = DynamicImage::ImageRgba8(rgba.clone()).into_rgb8();
    let files: [(&str, DynamicImage); 5] = [
        ("grey.png", grey.clone().into()),
        ("words.png", DynamicImage::ImageLuma16(words)),
        ("rgba.png", rgba.into()),
        ("rgb.tif", rgb.into()),
        ("grey.bmp", grey.into()),
    ];
    files
        .into_iter()
        .map(|(name, image)| {
            image.save(bench.path(name)).unwrap();
            name
        })
        .collect()
}

#[test]
fn sixteen_bits_and_colours_are_compared_as_what_they_show() {
    let bench = Bench::new();
    for name in same_image_in_many_formats(&bench) {
        let report = bench.run(&format!("ssim grey.png {name} --json")).done().last();
        // Luma of equal channels is off by the rounding of three weights.
        assert!((number(&report, "ssim") - 1.0).abs() < 1e-5, "{name}: {report}");
    }
}

#[test]
fn sixteen_bits_and_colours_are_inspected_as_what_they_show() {
    let bench = Bench::with_model();
    let names = same_image_in_many_formats(&bench);
    let run = bench.run(&format!("predict model {} --out results --json", names.join(" "))).done();
    let scores: Vec<f64> = run.json().iter().map(|line| number(line, "score")).collect();
    assert_eq!(scores.len(), names.len());
    for (name, score) in names.iter().zip(&scores) {
        // As above, and the network and the window's sums amplify it less than a hundredfold.
        assert!((score - scores[0]).abs() < 1e-4, "{name}: {score} for {}", scores[0]);
    }
    assert_eq!(scores[0], scores[1], "257 times the level of 65535 is the level of 255");
}

#[test]
fn a_palette_mask_is_a_mask() {
    let bench = Bench::with_model();
    let evaluate = || {
        bench.run("evaluate model --out results").done();
        let metrics = bench.json("results/metrics.json");
        (metrics["defective_pixels"].clone(), metrics["pixel_au_roc"].clone())
    };
    let from_grey = evaluate();
    for id in ["000", "001"] {
        fs::write(bench.path(&format!("cloth/ground_truth/hole/{id}_mask.png")), PALETTE_MASK)
            .unwrap();
    }
    assert_eq!(evaluate(), from_grey);
    assert_eq!(from_grey.0, 240);
}

#[test]
fn training_images_may_differ_in_format() {
    let bench = Bench::new();
    fs::create_dir(bench.path("cloth")).unwrap();
    save(&bench.path("cloth/a.png"), &texture(0));
    let mixed = DynamicImage::ImageLuma8(texture(1));
    mixed.to_luma16().save(bench.path("cloth/b.png")).unwrap();
    mixed.to_rgba8().save(bench.path("cloth/c.png")).unwrap();
    bench.train("model", "");
    assert_eq!(bench.json("model/training.json")["images"], 3);
    save(&bench.path("new.png"), &defective(3));
    bench.run("predict model new.png --out results").done();
}
