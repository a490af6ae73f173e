//! `bench-cli toy`

use crate::bench::{Bench, keys, number};
use crate::images::{save, texture};
use image::GrayImage;
use serde_json::Value;
use std::fs;

/// Eight pictures of 40 pixels, which is the height of the images, and gaps of 4.
const WIDTH: u32 = 8 * 40 + 7 * 4;

fn size(bench: &Bench, name: &str) -> (u32, u32) {
    let figure = image::load_from_memory(&bench.bytes(name)).unwrap();
    (figure.width(), figure.height())
}

#[test]
fn a_row_of_residual_maps_is_drawn_and_measured() {
    let bench = Bench::with_model();
    let report = bench.run("toy model --out toy.png --json").done().last();
    let (width, height) = size(&bench, "toy.png");
    assert!(width == WIDTH && height > 60, "pictures below headings: {width}x{height}");
    let fields = ["defective_pixels", "figure", "image", "maps", "method", "seed", "side"];
    assert_eq!(keys(&report), fields);
    assert_eq!((&report["figure"], &report["method"]), (&"toy.png".into(), &"ssim".into()));
    assert_eq!((&report["side"], &report["seed"]), (&40.into(), &0.into()));
    let maps: Vec<&Value> = report["maps"].as_array().unwrap().iter().collect();
    let names: Vec<&str> = maps.iter().map(|map| map["map"].as_str().unwrap()).collect();
    assert_eq!(names, ["l2", "luminance", "contrast", "structure", "ssim"]);
    for map in &maps {
        assert_eq!(keys(map), ["map", "maximum", "mean_inside", "mean_outside", "scale"]);
        for key in ["mean_inside", "mean_outside"] {
            assert!((0.0..=number(map, "maximum")).contains(&number(map, key)), "{map}");
        }
    }
    // The four of the SSIM have the scale of the largest of them.
    let largest = maps[1..].iter().map(|map| number(map, "maximum")).fold(0.0, f64::max);
    assert!(maps[1..].iter().all(|map| number(map, "scale") == largest));
    assert_eq!(maps[0]["scale"], maps[0]["maximum"]);

    let run = bench.run("toy model --out again.png").done();
    assert!(run.stdout.starts_with("again.png: image, reconstruction"), "{}", run.stdout);
    assert_eq!(bench.bytes("again.png"), bench.bytes("toy.png"));
    let other = bench.run("toy model --out toy.png --seed 1 --json").done().last();
    assert_ne!(other["maps"], report["maps"]);
}

#[test]
fn the_image_is_held_out_trained_on_or_given() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    bench.train("model", "--method l2");
    bench.train("half", "--set data.held_out=0.5");
    let of = |arguments: &str| {
        let report = bench.run(&format!("toy {arguments} --out toy.png --json")).done().last();
        report["image"].as_str().unwrap().to_owned()
    };
    assert!(of("model").ends_with("cloth/train/good/000.png"));
    assert!(of("half").ends_with("cloth/train/good/001.png"));
    fs::remove_dir_all(bench.path("cloth")).unwrap();
    save(&bench.path("other.png"), &texture(9));
    assert_eq!(of("model --image other.png"), "other.png");
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let bench = Bench::with_model();
    save(&bench.path("small.png"), &GrayImage::new(31, 40));
    for (arguments, expected) in [
        ("model --out toy.png --image small.png", "small.png: 31x40 pixels"),
        ("model --out toy.png --image none.png", "none.png"),
        ("none --out toy.png", "none: expected the folder of a model"),
        ("model --out small.png/toy.png", "cannot write small.png/toy.png"),
    ] {
        let message = bench.error(&format!("toy {arguments}"));
        assert!(message.contains(expected), "{message}");
        assert!(!bench.path("toy.png").exists(), "{arguments}");
    }
    fs::remove_dir_all(bench.path("cloth")).unwrap();
    assert!(bench.error("toy model --out toy.png").contains("cloth"));
}
