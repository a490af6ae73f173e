//! Regions of interest.

use crate::bench::{Bench, TINY};
use crate::images::{HEIGHT, WIDTH, is_hole, save, texture, write_cloth};
use image::{GrayImage, Luma};
use std::fs;

/// The pixels of a map that are 0 from a column on, and before it.
fn zeros(bench: &Bench, map: &str, is_inside: impl Fn(usize, usize) -> bool) -> [usize; 2] {
    let (map, (width, _)) = bench.map(map);
    let mut zeros = [0; 2];
    for (index, &score) in map.iter().enumerate() {
        zeros[usize::from(is_inside(index % width, index / width))] += usize::from(score == 0.0);
    }
    zeros
}

/// A column that leaves the larger part of [`is_hole`] outside.
const EDGE: usize = 28;

fn polygon() -> String {
    format!(
        "--set data.region={{polygons=[[[{EDGE},0],[48,0],[48,40],[{EDGE},40]]]}} --set data.region_share=0.5"
    )
}

#[test]
fn what_lies_outside_of_a_polygon_counts_nowhere() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let run = bench.train("model", &polygon());
    assert!(run.stderr.contains("region of interest: a polygon"), "{}", run.stderr);
    assert!(image::open(bench.path("model/region.png")).unwrap().width() == WIDTH);
    bench.run("evaluate model --out results --maps").done();
    let metrics = bench.json("results/metrics.json");
    let inside = (0..WIDTH * HEIGHT).filter(|i| (i % WIDTH) as usize >= EDGE);
    let holes = inside.clone().filter(|i| is_hole(i % WIDTH, i / WIDTH)).count();
    assert_eq!(metrics["pixels"], 3 * inside.clone().count());
    assert_eq!(metrics["defective_pixels"], 2 * holes);
    bench
        .run("predict model cloth/test/hole --out found --write map,overlay,heatmap,regions")
        .done();
    for map in ["results/maps/cloth/test/hole/000.tiff", "found/000.tiff"] {
        let [outside, inside] = zeros(&bench, map, |x, _| x >= EDGE);
        assert_eq!((outside, inside), (EDGE * HEIGHT as usize, 0), "{map}");
    }
    let overlay = image::open(bench.path("found/000_overlay.png")).unwrap().into_rgb8();
    let image = image::open(bench.path("cloth/test/hole/000.png")).unwrap().into_luma8();
    let dimmed = (f32::from(image.get_pixel(3, 3).0[0]) * 0.4) as u8;
    assert_eq!(overlay.get_pixel(3, 3).0, [dimmed; 3]);
    let heat = image::open(bench.path("found/000_heatmap.png")).unwrap().into_rgb8();
    assert_eq!(heat.get_pixel(3, 3).0, [128; 3]);
    // A defect outside is none.
    let texture = texture(4);
    let outside = |x, y| if x < 8 { Luma([255]) } else { *texture.get_pixel(x, y) };
    save(&bench.path("outside.png"), &GrayImage::from_fn(WIDTH, HEIGHT, outside));
    bench.run("predict model cloth/test/good/000.png outside.png --out other --write none").done();
    let scores: Vec<f64> = bench
        .text("other/predictions.csv")
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    assert_eq!(scores[0], scores[1]);
}

/// Scaling mixes neighbours, so that those outside are replaced before.
#[test]
fn what_lies_outside_counts_nowhere_in_scaled_images() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let region =
        "--set data.region={polygons=[[[8,0],[48,0],[48,40],[28,40]]]} --set data.region_share=0.5";
    bench.train("model", &format!("{region} --set data.size=[40,34]"));
    let texture = texture(4);
    let is_outside = |x: u32, y: u32| 2 * x < 16 + y;
    let white = |x, y| if is_outside(x, y) { Luma([255]) } else { *texture.get_pixel(x, y) };
    save(&bench.path("white.png"), &GrayImage::from_fn(WIDTH, HEIGHT, white));
    save(&bench.path("plain.png"), &texture);
    bench.run("predict model plain.png white.png --out found").done();
    assert_eq!(bench.map("found/plain.tiff"), bench.map("found/white.tiff"));
}

/// A rectangle at the border of the image is margins by another name: the same scores, to the bit.
#[test]
fn a_rectangle_has_the_scores_of_margins() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench.train("model", "");
    fs::create_dir_all(bench.path("copy")).unwrap();
    for name in bench.names("model") {
        fs::copy(bench.path(&format!("model/{name}")), bench.path(&format!("copy/{name}")))
            .unwrap();
    }
    bench
        .run(&format!(
            "calibrate copy {}",
            polygon().split(" --set data.region_share").next().unwrap()
        ))
        .done();
    bench.run("evaluate copy --out region --maps").done();
    // Margins are of the training, whose record is put right.
    for name in ["config.toml", "training.json"] {
        let text = bench.text(&format!("model/{name}"));
        let margins =
            [("left = 0", "left = 28"), ("\"data.margins.left\": 0", "\"data.margins.left\": 28")];
        let text = margins.iter().fold(text, |text, (from, to)| text.replace(from, to));
        fs::write(bench.path(&format!("model/{name}")), text).unwrap();
    }
    bench.run("calibrate model").done();
    bench.run("evaluate model --out margins --maps").done();
    for map in ["good/000", "hole/001"] {
        let map = |of: &str| bench.map(&format!("{of}/maps/cloth/test/{map}.tiff"));
        assert_eq!(map("region"), map("margins"));
    }
}

#[test]
fn a_mask_goes_with_the_model() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let is_inside = |x: u32, y: u32| (x + y) % 40 > 6 && x > 4;
    let roi = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([255 * u8::from(is_inside(x, y))]));
    save(&bench.path("roi.png"), &roi);
    bench.train("model", "--set data.region={mask=\"roi.png\"} --set data.region_share=0.5");
    fs::remove_file(bench.path("roi.png")).unwrap();
    fs::rename(bench.path("model"), bench.path("moved")).unwrap();
    bench.run("predict moved cloth/test/hole/000.png --out found").done();
    let [outside, inside] = zeros(&bench, "found/000.tiff", |x, y| is_inside(x as u32, y as u32));
    assert!(outside > 100 && inside == 0, "{outside} {inside}");
    bench.run("calibrate moved").done();
    // Another content is not the one that the model was calibrated with.
    let masks = masks(&bench, "moved");
    assert_eq!(masks.len(), 1, "{masks:?}");
    save(
        &bench.path(&format!("moved/{}", masks[0])),
        &GrayImage::from_pixel(WIDTH, HEIGHT, Luma([255])),
    );
    let message = bench.error("predict moved cloth/test/hole/000.png --out found");
    assert!(
        message.contains(&format!("{}: expected the region of interest of SHA-256", masks[0])),
        "{message}"
    );
    let small = GrayImage::from_pixel(8, 8, Luma([255]));
    save(&bench.path("small.png"), &small);
    let options = format!("--out other {TINY} --set data.region={{mask=\"small.png\"}}");
    let message = bench.error(&format!("train --data cloth {options}"));
    assert!(
        message.contains("small.png: expected a region of interest of 48x40 pixels"),
        "{message}"
    );
}

/// The copies of masks in a model's folder.
fn masks(bench: &Bench, model: &str) -> Vec<String> {
    let mut names = bench.names(model);
    names.retain(|name| name.starts_with("region-mask"));
    names
}

/// A calibration that fails, here by a rule that the images cannot follow, leaves the model as it was; one that succeeds leaves nothing
/// of the earlier region.
#[test]
fn a_region_is_replaced_when_the_new_one_is_calibrated() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    for (name, edge) in [("left", 8), ("right", 24)] {
        let mask = GrayImage::from_fn(WIDTH, HEIGHT, |x, _| Luma([255 * u8::from(x >= edge)]));
        save(&bench.path(&format!("{name}.png")), &mask);
    }
    let region = |name: &str| format!("--set data.region={{mask=\"{name}.png\"}}");
    bench.train("model", &format!("{} --set data.region_share=0.5", region("left")));
    let predict = || {
        bench.run("predict model cloth/test/hole/000.png --out found --write map --quiet").done();
        zeros(&bench, "found/000.tiff", |_, _| true)[1] / HEIGHT as usize
    };
    assert_eq!(predict(), 8);
    let files = ["config.toml", "calibration.json", "region.png"];
    let bytes = || files.map(|name| bench.bytes(&format!("model/{name}")));
    let (before, copy) = (bytes(), masks(&bench, "model"));
    let rule = "--rule largest_region:100000";
    let message = bench.error(&format!("calibrate model {} {rule}", region("right")));
    assert!(message.contains("100000"), "{message}");
    assert!(bytes() == before, "the model is as it was");
    assert_eq!(predict(), 8);

    bench.run(&format!("calibrate model {}", region("right"))).done();
    assert_eq!(predict(), 24);
    assert!(bytes().iter().zip(&before).all(|(new, old)| new != old), "the picture, too");
    let new = masks(&bench, "model");
    assert!(new.len() == 1 && new != copy, "{new:?}");
    let polygon = polygon();
    let polygon = polygon.split(" --set data.region_share").next().unwrap();
    bench.run(&format!("calibrate model {polygon}")).done();
    assert!(masks(&bench, "model").is_empty());
    bench.train("model", "--overwrite");
    assert!(!bench.path("model/region.png").exists(), "a picture of no region");
}

#[test]
fn each_image_may_have_a_mask_of_its_own() {
    let bench = Bench::new();
    for index in 0..3 {
        save(&bench.path(&format!("parts/{index}.png")), &texture(index));
        let mask = GrayImage::from_fn(WIDTH, HEIGHT, |x, _| Luma([255 * u8::from(x >= 4 * index)]));
        save(&bench.path(&format!("roi/{index}_roi.bmp")), &mask);
    }
    let region = "--set data.region={masks=\"roi\",suffix=\"_roi\"}";
    bench.run(&format!("train --data parts --out model {TINY} {region}")).done();
    bench.run("predict model parts --out found --write map").done();
    for index in 0..3 {
        let [outside, inside] =
            zeros(&bench, &format!("found/{index}.tiff"), |x, _| x >= 4 * index);
        assert_eq!((outside, inside), (4 * index * HEIGHT as usize, 0));
    }
    save(&bench.path("parts/3.png"), &texture(3));
    let run = bench.run("predict model parts --out again --write map");
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("parts/3.png: expected its region of interest 3_roi.* in "),
        "{}",
        run.stderr
    );
}

/// A strip of cloth against a bright table, whose edge is elsewhere in each image.
fn strip(index: u32, edge: u32) -> GrayImage {
    GrayImage::from_fn(160, 60, |x, y| match x < edge {
        true => Luma([240]),
        false => Luma([60 + ((x * 13 + y * 7 + index * 5) % 32) as u8]),
    })
}

/// The frame of a camera is as dark as nothing else, and cut off by the margins.
#[test]
fn a_background_is_looked_for_within_the_margins() {
    let bench = Bench::new();
    for index in 0..4 {
        let cloth = strip(index, 0);
        let framed = |x, y| if x < 12 { Luma([0]) } else { *cloth.get_pixel(x, y) };
        save(&bench.path(&format!("strips/{index}.png")), &GrayImage::from_fn(160, 60, framed));
    }
    let train = format!("train --data strips --out model {TINY} --set data.region=auto");
    let run = bench.run(&train).done();
    assert!(run.stderr.contains("all but the background, which is darker"), "{}", run.stderr);
    let run = bench.run(&format!("{train} --overwrite --set data.margins.left=12")).done();
    assert!(run.stderr.contains("have no background that differs"), "{}", run.stderr);
}

#[test]
fn a_background_is_found_by_training_and_kept() {
    let bench = Bench::new();
    for index in 0..4 {
        save(&bench.path(&format!("strips/{index}.png")), &strip(index, 30 + 5 * index));
    }
    let run =
        bench.run(&format!("train --data strips --out model {TINY} --set data.region=auto")).done();
    assert!(
        run.stderr
            .contains("region of interest: all but the background, which is brighter than 0."),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("model/region.png shows the region of interest"), "{}", run.stderr);
    assert!(bench.text("model/config.toml").contains("background = \"brighter\""));
    // The table is at another place, and larger.
    save(&bench.path("new.png"), &strip(9, 80));
    bench.run("predict model new.png --out found --write map").done();
    let (map, _) = bench.map("found/new.tiff");
    let first = (0..160).find(|&x| map[30 * 160 + x] != 0.0).unwrap();
    assert!((88..=104).contains(&first), "{first}");
    // Nothing but table.
    save(&bench.path("table.png"), &GrayImage::from_pixel(160, 60, Luma([240])));
    let message = bench.error("predict model table.png --out found");
    assert!(
        message.contains("table.png")
            && message.contains("data.region leaves nothing of the image"),
        "{message}"
    );
    // Without a background, the whole image is inspected.
    write_cloth(&bench.path("cloth"));
    let run = bench.train("whole", "--set data.region=auto");
    assert!(run.stderr.contains("have no background that differs"), "{}", run.stderr);
    assert!(!bench.text("whole/config.toml").contains("region ="));
}

/// An image that is all background has no region; the others do.
#[test]
fn images_without_a_region_end_no_run() {
    let bench = Bench::new();
    let table = || GrayImage::from_pixel(160, 60, Luma([240]));
    for index in 0..6 {
        save(&bench.path(&format!("strips/train/good/{index}.png")), &strip(index, 30 + 5 * index));
    }
    save(&bench.path("strips/train/good/table.png"), &table());
    save(&bench.path("strips/test/good/0.png"), &strip(7, 40));
    let hole = |image: GrayImage, value: u8, left: u32| {
        let is_hole = move |x, y| (left..left + 6).contains(&x) && (30..40).contains(&y);
        GrayImage::from_fn(160, 60, move |x, y| match is_hole(x, y) {
            true => Luma([value]),
            false => *image.get_pixel(x, y),
        })
    };
    for (name, image, left) in
        [("part", strip(8, 40), 120), ("beside", strip(9, 40), 2), ("none", table(), 2)]
    {
        save(&bench.path(&format!("strips/test/hole/{name}.png")), &hole(image, 150, left));
        let mask = hole(GrayImage::new(160, 60), 255, left);
        save(&bench.path(&format!("strips/ground_truth/hole/{name}_mask.png")), &mask);
    }
    let options = "--set data.region=auto --set data.held_out=0";
    let run = bench.run(&format!("train --data strips --out model {TINY} {options}")).done();
    for said in
        ["table.png: left out: no patch", "table.png: left out: it has no region of interest"]
    {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    let calibration = bench.json("model/calibration.json");
    assert_eq!(calibration["images"], 6);
    assert!(calibration["left_out"][0].as_str().unwrap().ends_with("table.png"));
    // Places are those of whole images.
    assert!(calibration["scores"].as_array().unwrap().iter().all(|of| of["width"] == 160));
    let run = bench.run("evaluate model --out results").done();
    for said in [
        "none.png: left out: it has no region of interest",
        "beside.png: left out: all its defects lie outside of the region of interest",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    let metrics = bench.json("results/metrics.json");
    assert_eq!((&metrics["images"], &metrics["images_left_out"]), (&2.into(), &2.into()));
    assert_eq!(
        (&metrics["defective_images"], &metrics["defective_pixels"]),
        (&1.into(), &60.into())
    );
}

#[test]
fn masks_of_images_lie_in_folders_as_their_images_do() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let region = |edge: u32| {
        GrayImage::from_fn(WIDTH, HEIGHT, move |x, _| Luma([255 * u8::from(x >= edge)]))
    };
    for index in 0..4 {
        save(&bench.path(&format!("roi/00{index}_roi.png")), &region(4));
    }
    let options = format!(
        "{TINY} --set data.region={{masks=\"roi\",suffix=\"_roi\"}} --set data.region_share=0.5"
    );
    let message = bench.error(&format!("train --data cloth --out model {options}"));
    assert!(message.contains("expected a region of interest of its own, got"), "{message}");
    assert!(
        message.contains("roi/000_roi.png") && message.contains("train/good/000.png"),
        "{message}"
    );
    save(&bench.path("roi/test/good/000_roi.png"), &region(8));
    for index in 0..2 {
        save(&bench.path(&format!("roi/hole/00{index}_roi.png")), &region(12));
    }
    bench.run(&format!("train --data cloth --out model {options}")).done();
    bench.run("evaluate model --out results").done();
    // 48x40 pixels without 8 columns of the good image, and 12 of each of two others.
    assert_eq!(bench.json("results/metrics.json")["pixels"], (40 + 2 * 36) * 40);
}

#[test]
fn views_below_a_patch_need_a_mirrored_border() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let narrow = "data.region={polygons=[[[0,0],[20,0],[20,40],[0,40]]]}";
    for (setting, expected) in [
        ("data.size=[24,40]", "data.size must be at least 32x32, a patch, with inspection.border"),
        (narrow, "000.png: expected at least 32x32 pixels, a patch, in the region of interest"),
    ] {
        let options = format!("{TINY} --set inspection.border=none --set {setting}");
        let message = bench.error(&format!("train --data cloth --out model {options}"));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn regions_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    for (region, expected) in [
        ("{polygons=[]}", "expected at least one polygon"),
        ("{polygons=[[[0,0],[5,5]]]}", "polygons of at least three corners"),
        ("{background=\"brighter\",level=7}", "level must be in [0, 1], got 7"),
        ("middle", "expected \"auto\" or one of the tables { mask = \"FILE\" }"),
        ("{mask=\"none.png\"}", "none.png"),
        (
            "{polygons=[[[90,90],[99,90],[99,99]]]}",
            "000.png: no patch of which 0.9 lies in the region of interest (data.region_share), nor of any other image",
        ),
        (
            "{polygons=[[[0,0],[48,0],[0,40]]]}",
            "no patch of which 0.9 lies in the region of interest",
        ),
    ] {
        let message = bench
            .error(&format!("train --data cloth --out model {TINY} --set data.region={region}"));
        assert!(message.contains(expected), "{message}");
    }
    let message =
        bench.error(&format!("train --data cloth --out model {TINY} --set data.region_share=2"));
    assert!(message.contains("data.region_share must be in [0, 1], got 2"), "{message}");
}
