//! Folders as cameras and public data sets leave them.

use crate::bench::{Bench, Run, TINY};
use crate::images::{HEIGHT, WIDTH, defective, mask, save, texture};
use image::GrayImage;
use serde_json::Value;
use std::fs;

/// Trains on `data`, whose model is `model`.
fn train(bench: &Bench, data: &str, options: &str) -> Run {
    bench.run(&format!("train --data {data} --out model {TINY} {options}")).done()
}

/// Evaluates `model`, and returns its numbers.
fn evaluate(bench: &Bench) -> Value {
    bench.run("evaluate model --out results").done();
    bench.json("results/metrics.json")
}

fn trained_on(bench: &Bench) -> Value {
    bench.json("model/training.json")["images"].clone()
}

/// As KolektorSDD is published: a folder for each item, and beside each image its label, black if the image is good.
#[test]
fn kolektor_sdd_as_published() {
    let bench = Bench::new();
    let cracks = ["kos02/Part1", "kos05/Part0"];
    for item in 1..=10 {
        for part in 0..3 {
            let name = format!("kos{item:02}/Part{part}");
            let file = |ending: &str| bench.path(&format!("kolektor/{name}{ending}"));
            match cracks.contains(&&*name) {
                true => {
                    save(&file(".jpg"), &defective(item));
                    save(&file("_label.bmp"), &mask());
                }
                false => {
                    save(&file(".jpg"), &texture(3 * item + part));
                    save(&file("_label.bmp"), &GrayImage::new(WIDTH, HEIGHT));
                }
            }
        }
    }
    let run = train(&bench, "kolektor", "");
    // One of ten items is held out as a whole.
    let found = "(masks-beside): 25 good images to train on and 3 held out, 28 of 48x40 pixels; to test on, 0 good and 2 defective images";
    assert!(run.stderr.contains(found), "{}", run.stderr);
    assert!(run.warnings().is_empty(), "{}", run.stderr);
    let metrics = evaluate(&bench);
    assert_eq!((&metrics["images"], &metrics["defective_pixels"]), (&2.into(), &240.into()));
    assert_eq!(metrics["image_au_roc_good"], "held-out");
    assert!(bench.text("results/images.csv").contains("kos02_Part1,defective"));
}

/// As the magnetic tiles are published: JPEG images of different sizes, with PNG masks beside them.
#[test]
fn magnetic_tiles_as_published() {
    let bench = Bench::new();
    for index in 0..6 {
        let name =
            |ending: &str| bench.path(&format!("tiles/MT_Free/Imgs/exp1_num_{index}.{ending}"));
        let image =
            image::imageops::crop_imm(&texture(index), 0, 0, WIDTH - index, HEIGHT).to_image();
        save(&name("jpg"), &image);
        save(&name("png"), &GrayImage::new(image.width(), image.height()));
    }
    for defect in ["Blowhole", "Crack"] {
        let name =
            |ending: &str| bench.path(&format!("tiles/MT_{defect}/Imgs/exp3_num_7.{ending}"));
        save(&name("jpg"), &defective(7));
        save(&name("png"), &mask());
    }
    let run = train(&bench, "tiles", "");
    let found = "(magnetic-tiles): 6 good images to train on and 0 held out, 1 of 43x40, 1 of 44x40, 1 of 45x40 pixels and 3 of 3 other sizes";
    assert!(run.stderr.contains(found), "{}", run.stderr);
    let metrics = evaluate(&bench);
    let types = metrics["defect_types"].as_array().unwrap();
    let types: Vec<_> = types.iter().map(|of_type| of_type["defect"].as_str().unwrap()).collect();
    assert_eq!((types, &metrics["defective_pixels"]), (vec!["blowhole", "crack"], &240.into()));
}

/// As AITEX is published: good images in a folder for each fabric, defective ones of all fabrics in one, some with two masks.
#[test]
fn aitex_as_published() {
    let bench = Bench::new();
    let file = |name: &str| bench.path(&format!("aitex/{name}"));
    for index in 1..5 {
        save(
            &file(&format!("NODefect_images/2311694-1930c7u/000{index}_000_00.png")),
            &texture(index),
        );
        save(
            &file(&format!("NODefect_images/2608691-202020u/000{index}_000_06.png")),
            &texture(index),
        );
    }
    save(&file("Defect_images/0001_002_00.png"), &defective(8));
    save(&file("Mask_images/0001_002_00_mask.png"), &mask());
    save(&file("Defect_images/0044_019_00.png"), &defective(9));
    let half = |left: bool| {
        GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
            if (x < 24) == left { *mask().get_pixel(x, y) } else { image::Luma([0]) }
        })
    };
    save(&file("Mask_images/0044_019_00_mask1.png"), &half(true));
    save(&file("Mask_images/0044_019_00_mask2.png"), &half(false));
    save(&file("Defect_images/0100_025_00.png"), &defective(10));
    save(&file("Defect_images/0005_002_06.png"), &texture(11));
    let run = train(&bench, "aitex", "--set data.only=_00\\.");
    let found = "(aitex): 4 good images to train on and 0 held out, 4 of 48x40 pixels; to test on, 0 good and 3 defective images, 1 of them without a mask";
    assert!(run.stderr.contains(found), "{}", run.stderr);
    let evaluation = bench.run("evaluate model --out results").done();
    assert!(
        evaluation.stderr.contains("1 of 3 defective images have no mask, as "),
        "{}",
        evaluation.stderr
    );
    assert!(evaluation.stderr.contains("0100_025_00.png"), "{}", evaluation.stderr);
    let metrics = bench.json("results/metrics.json");
    assert_eq!(
        (&metrics["defective_pixels"], &metrics["images_without_mask"]),
        (&240.into(), &1.into())
    );
    let rows = bench.text("results/images.csv");
    assert!(
        rows.lines().any(|row| row.starts_with("0100_025_00,025,") && row.ends_with(',')),
        "{rows}"
    );
    let message =
        bench.error(&format!("train --data aitex --out other {TINY} --set data.only=_09"));
    assert!(message.contains("no name of a good image matches data.only \"_09\""), "{message}");
}

/// A model of several inputs, with a name of its own for good images, is calibrated, evaluated and drawn on other folders by the same
/// settings.
#[test]
fn other_data_are_read_with_the_settings_of_the_model() {
    let bench = Bench::new();
    for index in 0..4 {
        save(&bench.path(&format!("shift/{index}.png")), &texture(index));
        save(&bench.path(&format!("line/clean/{index}_left.png")), &texture(index + 4));
        save(&bench.path(&format!("line/clean/{index}_right.png")), &texture(index + 8));
        save(&bench.path(&format!("line/torn/{index}_left.png")), &defective(index));
        save(&bench.path(&format!("line/masks/torn/{index}_left.png")), &mask());
    }
    let options = format!("--set data.good=[\"clean\"] --set data.only=left|^[0-9].png {TINY}");
    bench.run(&format!("train --data shift/*.png --data shift --out model {options}")).done();
    bench.run("calibrate model --good line").done();
    let scores = bench.json("model/calibration.json")["scores"].clone();
    let names: Vec<&str> =
        scores.as_array().unwrap().iter().map(|of| of["image"].as_str().unwrap()).collect();
    assert_eq!(names, ["0_left.png", "1_left.png", "2_left.png", "3_left.png"]);
    bench.run("evaluate model --data line --out results").done();
    let metrics = bench.json("results/metrics.json");
    assert_eq!((&metrics["images"], &metrics["defective_pixels"]), (&4.into(), &480.into()));
    bench.run("figure model --data line --out figure.png").done();
}

/// Folders `OK` and `NG` without masks: all figures of images, and none of pixels.
#[test]
fn ok_and_ng_without_masks() {
    let bench = Bench::new();
    for index in 0..4 {
        save(&bench.path(&format!("line/OK/{index}.png")), &texture(index));
        save(&bench.path(&format!("line/NG/{index}.png")), &defective(index));
    }
    let run = train(&bench, "line", "--set data.held_out=0.5");
    assert!(
        run.stderr.contains("(folders): 2 good images to train on and 2 held out"),
        "{}",
        run.stderr
    );
    let metrics = evaluate(&bench);
    for key in ["pixel_au_roc", "pixel_f1_max", "au_pro", "oracle"] {
        assert!(metrics.get(key).is_none(), "{key}");
    }
    assert!(metrics["image_au_roc"].is_number() && metrics["at_threshold"]["recall"].is_null());
    assert_eq!((&metrics["images"], &metrics["images_without_mask"]), (&4.into(), &4.into()));
    let files = bench.names("results");
    assert_eq!(files, ["figure.png", "images.csv", "metrics.json", "report.html"]);
    assert!(bench.text("results/report.html").contains("no figures of pixels"));
    // Of each rule, what it says of images.
    let table = bench.run("evaluate model --out results").done().stdout;
    let row = table.lines().find(|line| line.starts_with("max ")).unwrap();
    assert!(row.contains("/4") && row.ends_with('–'), "{row}");
    // With a folder of masks, whatever it is called.
    for index in 0..4 {
        save(&bench.path(&format!("line/drawn/{index}-roi.png")), &mask());
    }
    let masks = "--set data.masks={folder=\"drawn\",suffix=\"-roi\"}";
    bench.run(&format!("evaluate model --out with-masks {masks}")).done();
    let metrics = bench.json("with-masks/metrics.json");
    assert_eq!((&metrics["images"], &metrics["defective_pixels"]), (&4.into(), &480.into()));
}

#[test]
fn names_of_good_folders_are_a_setting() {
    let bench = Bench::new();
    save(&bench.path("line/io/0.png"), &texture(0));
    save(&bench.path("line/scarto/0.png"), &defective(1));
    let message = bench.error(&format!("train --data line --out model {TINY}"));
    assert!(message.contains("a folder `good` or `OK` beside others"), "{message}");
    assert!(message.contains("line/io has images: name the folder"), "{message}");
    let run = train(&bench, "line", "--set data.good=[\"IO\"]");
    assert!(run.stderr.contains("(folders): 1 good images"), "{}", run.stderr);
}

#[test]
fn training_takes_folders_patterns_and_lists() {
    let bench = Bench::new();
    for (index, name) in
        ["monday/0.png", "monday/1.png", "tuesday/0.png", "more/a/0.png", "more/b.png"]
            .iter()
            .enumerate()
    {
        save(&bench.path(name), &texture(index as u32));
    }
    fs::write(bench.path("more/list.txt"), "b.png\n\n../tuesday\n").unwrap();
    let path = |name: &str| bench.path(name).to_string_lossy().into_owned();
    train(&bench, "monday more/**/*.png more/list.txt", "--set data.held_out=0");
    // The pattern finds both images of `more`, of which the list names one again.
    assert_eq!(trained_on(&bench), 5);
    let calibration = bench.run("calibrate model --good tuesday monday/1.png --json").done().last();
    assert_eq!((&calibration["images"], &calibration["source"]), (&2.into(), &"given".into()));
    // The command that a page offers keeps to these images.
    bench.run("predict model monday --out found").done();
    let command = format!("--good {} {} --rule manual:", path("tuesday"), path("monday/1.png"));
    assert!(bench.text("found/report.html").contains(&command), "{command}");
    bench.run("calibrate model").done();
    assert_eq!(bench.json("model/calibration.json")["source"], "trained-on");

    let list = b"monday/0.png\nmore/b.png\n";
    let arguments = format!("train --data - --out listed {TINY}");
    bench.run_with_input(&arguments, list).done();
    assert_eq!(bench.json("listed/training.json")["images"], 2);
    // The list is kept for later.
    bench.run("calibrate listed").done();
    let calibration = bench.run_with_input("calibrate listed --good - --json", list).done().last();
    assert_eq!(calibration["images"], 2);

    // It goes where the model goes.
    fs::rename(bench.path("listed"), bench.path("moved")).unwrap();
    let calibration = bench.run("calibrate moved --json").done().last();
    assert_eq!(calibration["source"], "trained-on");

    fs::write(bench.path("broken.txt"), "monday/0.png\nsunday\n").unwrap();
    for (data, expected) in [
        ("monday sunday", "sunday: expected an image"),
        ("broken.txt", "broken.txt: line 2: expected an image or a folder, got sunday"),
        ("x*.png", "expected images (PNG, TIFF, BMP, JPEG) that match, got none"),
    ] {
        let message = bench.error(&format!("train --data {data} --out other {TINY}"));
        assert!(message.contains(expected), "{message}");
        assert!(!bench.path("other").exists());
    }
}

/// The list of a model is replaced with the model, and not by a training that cannot begin.
#[test]
fn a_list_on_standard_input_is_kept_with_its_model() {
    let bench = Bench::new();
    for index in 0..4 {
        save(&bench.path(&format!("line/{index}.png")), &texture(index));
    }
    fs::write(bench.path("line/bad.png"), "no image").unwrap();
    let train = |list: &str, options: &str| {
        let arguments = format!("train --data - --out model {TINY} {options} --quiet");
        bench.run_with_input(&arguments, list.as_bytes())
    };
    train("line/0.png\nline/1.png\n", "").done();
    let lists = || {
        let mut names = bench.names("model");
        names.retain(|name| name.starts_with("images"));
        names
    };
    let list = lists();
    assert_eq!(list.len(), 1);
    let text = || bench.text(&format!("model/{}", lists()[0]));
    let before = text();
    for (images, options, expected) in [
        ("line/2.png\n", "", "there is a model already"),
        ("line/bad.png\n", "--overwrite", "bad.png"),
        ("line/2.png\n", "--overwrite --set data.held_out=2", "held_out"),
    ] {
        let run = train(images, options);
        assert!(run.code == 2 && run.stderr.contains(expected), "{}", run.stderr);
        assert_eq!((lists(), text()), (list.clone(), before.clone()), "{options}");
    }
    let message = bench.error("train --data - --out model --resume --patches 16");
    assert!(message.contains("expected no list on standard input"), "{message}");
    bench.run("train --out model --resume --patches 16 --quiet").done();
    assert_eq!(lists(), list);

    train("line/2.png\nline/3.png\n", "--overwrite").done();
    assert!(lists().len() == 1 && lists() != list, "{:?}", lists());
    assert!(text().contains("line/3.png") && !text().contains("line/0.png"));
}

/// Names that are not in UTF-8, through standard input and a list.
#[cfg(target_os = "linux")]
#[test]
fn names_of_lists_are_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    save(&bench.path("a.png"), &texture(1));
    let name = b"line/\xff\xfd.png";
    fs::create_dir(bench.path("line")).unwrap();
    fs::rename(bench.path("a.png"), bench.path(".").join(OsStr::from_bytes(name))).unwrap();
    let list = [&name[..], b"\r\n"].concat();
    bench.run_with_input(&format!("train --data - --out model {TINY}"), &list).done();
    bench.run("train --out model --resume --patches 16").done();
    fs::write(bench.path("list.txt"), &list).unwrap();
    bench.run("calibrate model --good list.txt").done();
    fs::write(bench.path("list.txt"), b"\xef\xbb\xbfline/\xfe.png").unwrap();
    let message = bench.error("calibrate model --good list.txt");
    assert!(
        message.contains("list.txt: line 1: expected an image or a folder, got line/\u{fffd}.png"),
        "{message}"
    );
}

/// Each stranger is named, and none ends the run.
#[test]
fn strangers_among_the_images_are_named() {
    let bench = Bench::new();
    for index in 0..20 {
        save(&bench.path(&format!("mixed/{index:02}.png")), &texture(index));
    }
    save(&bench.path("mixed/icon.png"), &GrayImage::new(10, 10));
    save(&bench.path("mixed/03_mask.png"), &mask());
    save(&bench.path("mixed/empty.png"), &GrayImage::from_pixel(WIDTH, HEIGHT, image::Luma([90])));
    let wide = GrayImage::from_fn(60, HEIGHT, |x, y| image::Luma([(x * 7 + y * 5) as u8 % 100]));
    save(&bench.path("mixed/wide.png"), &wide);
    let run = train(&bench, "mixed", "");
    for expected in [
        "(flat): 21 good images to train on and 2 held out, 22 of 48x40, 1 of 10x10, 1 of 60x40 pixels",
        "mixed/icon.png: left out: 10x10 pixels to train on, expected at least 16x16, half a patch; a smaller model.patch_size than 32",
        "mixed/03_mask.png: named as masks of other images, and used as images",
        "mixed/03_mask.png: black and white only, as masks are, and trained on",
        "mixed/empty.png: a single grey value, and trained on",
        "mixed/wide.png: of another size than all others, which have 48x40 pixels",
    ] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
    let quiet = bench.run(&format!("train --data mixed --out quiet --quiet {TINY}")).done();
    assert!(quiet.stderr.lines().all(|line| line.starts_with("warning: ")), "{}", quiet.stderr);
}

#[test]
fn small_images_are_mirrored_up_to_a_patch_or_left_out() {
    let bench = Bench::new();
    for index in 0..3 {
        let small = image::imageops::crop_imm(&texture(index), 0, 0, 20, 25).to_image();
        save(&bench.path(&format!("small/{index}.png")), &small);
    }
    train(&bench, "small", "");
    assert_eq!(trained_on(&bench), 3);
    // Inspection that mirrors nothing does not take them.
    let message = bench.error(&format!("train --data small --out paper --set preset=paper {TINY}"));
    assert!(
        message.contains("small/0.png: 20x25 pixels to train on, expected at least 32x32"),
        "{message}"
    );
    assert!(message.ends_with("all images are left out"), "{message}");
}
