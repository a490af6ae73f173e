//! `bench-cli predict`

use crate::bench::{Bench, keys, number};
use crate::images::{HEIGHT, WIDTH, defective, save, texture};
use image::GrayImage;
use serde_json::Value;
use std::fs;

/// A model and the folder `line` with two images.
fn bench() -> Bench {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    save(&bench.path("line/b.png"), &defective(8));
    bench
}

#[test]
fn maps_masks_overlays_and_tables_are_written() {
    let bench = bench();
    let run = bench.run("predict model line/b.png --out results --threshold 0.05 --json").done();
    assert_eq!(
        bench.names("results"),
        [
            "b.tiff",
            "b_mask.png",
            "b_overlay.png",
            "predictions.csv",
            "predictions.jsonl",
            "regions.csv",
            "report.html",
            "run.json"
        ]
    );
    assert_eq!(bench.text("results/predictions.jsonl"), run.stdout);
    let prediction = run.last();
    assert_eq!(
        keys(&prediction),
        [
            "bytes",
            "changed",
            "defective",
            "files",
            "id",
            "image",
            "modified",
            "regions",
            "score",
            "seconds",
            "settings",
            "sha256",
            "size",
            "threshold"
        ]
    );
    assert_eq!(number(&prediction, "bytes") as usize, bench.bytes("line/b.png").len());
    assert_eq!((&prediction["image"], &prediction["id"]), (&"line/b.png".into(), &"b".into()));

    let (map, size) = bench.map("results/b.tiff");
    assert_eq!(size, (WIDTH as usize, HEIGHT as usize));
    let largest = map.iter().copied().fold(f32::MIN, f32::max);
    assert_eq!(number(&prediction, "score") as f32, largest);
    let mask = image::open(bench.path("results/b_mask.png")).unwrap().into_luma8();
    let flagged: Vec<u8> = map.iter().map(|&score| if score >= 0.05 { 255 } else { 0 }).collect();
    assert_eq!(mask.into_raw(), flagged);
    let overlay = image::open(bench.path("results/b_overlay.png")).unwrap().into_rgb8();
    assert!(overlay.width() == WIDTH && overlay.height() > HEIGHT, "score and threshold below");
    let modified = fs::metadata(bench.path("line/b.png")).unwrap().modified().unwrap();
    let seconds = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert_eq!(number(&prediction, "modified"), seconds);
}

/// The pixels of an object of COCO's, by columns.
fn decode(annotation: &Value) -> Vec<bool> {
    let runs = annotation["segmentation"]["counts"].as_array().unwrap().iter();
    let runs = runs.map(|run| run.as_u64().unwrap() as usize).enumerate();
    runs.flat_map(|(i, run)| std::iter::repeat_n(i % 2 == 1, run)).collect()
}

#[test]
fn coco_has_every_region_of_every_image() {
    let bench = bench();
    bench.run("predict model line --out results --threshold 0.05 --write mask,coco").done();
    let coco = bench.json("results/coco.json");
    assert_eq!(keys(&coco), ["annotations", "categories", "images", "info", "licenses"]);
    let images = coco["images"].as_array().unwrap();
    let names: Vec<_> = images.iter().map(|image| image["file_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["line/a.png", "line/b.png"]);
    for (image, id) in images.iter().zip(["a", "b"]) {
        let mask = image::open(bench.path(&format!("results/{id}_mask.png"))).unwrap().into_luma8();
        let mut painted = vec![false; mask.len()];
        for object in coco["annotations"].as_array().unwrap() {
            if object["image_id"] != image["id"] {
                continue;
            }
            let pixels = decode(object);
            assert_eq!(pixels.len(), painted.len());
            assert_eq!(object["area"], pixels.iter().filter(|&&inside| inside).count());
            painted.iter_mut().zip(pixels).for_each(|(painted, inside)| *painted |= inside);
        }
        let height = mask.height();
        let expected = (0..mask.width())
            .flat_map(|x| (0..height).map(move |y| (x, y)))
            .map(|(x, y)| mask.get_pixel(x, y).0 == [255]);
        assert!(expected.eq(painted), "{id}");
    }
    let error = bench.error("predict model --watch line --out watched --write coco");
    assert_eq!(error, "error: --write coco is for runs that end, not for --watch");
}

#[test]
fn only_what_is_asked_for_is_kept() {
    let bench = bench();
    let predict = |folder: &str, list: &str| {
        bench.run(&format!("predict model line/a.png --out {folder} --write {list}")).done();
        bench.names(folder)
    };
    let records = ["predictions.csv", "predictions.jsonl", "run.json"];
    assert_eq!(predict("none", "none"), records);
    let tables = ["predictions.csv", "predictions.jsonl", "regions.csv", "run.json"];
    assert_eq!(predict("tables", "regions"), tables);
    let pictures = ["a_heatmap.png", "a_mask.png", "a_reconstruction.png"];
    let kept = predict("pictures", "heatmap,mask,reconstruction");
    assert_eq!(kept, [&pictures[..], &records].concat());
    let reconstruction = image::open(bench.path("pictures/a_reconstruction.png")).unwrap();
    assert_eq!((reconstruction.width(), reconstruction.height()), (WIDTH, HEIGHT));
    let message = bench.error("predict model line --out found --write none,mask");
    assert!(message.contains("--write none"), "{message}");
    assert!(!bench.path("found").exists());
    let run = bench.run("predict model line --out found --write masks");
    assert!(run.code == 2 && run.stderr.contains("overlay"), "{}", run.stderr);
}

#[test]
fn every_image_is_a_row() {
    let bench = bench();
    let run = bench.run("predict model line --out results --threshold 0.05 --json").done();
    let table = bench.text("results/predictions.csv");
    let mut rows = table.lines();
    assert_eq!(rows.next(), Some("image,id,score,threshold,defective,regions,seconds"));
    for prediction in run.json() {
        let text = |key: &str| prediction[key].as_str().unwrap().to_owned();
        let expected = [
            text("image"),
            text("id"),
            (number(&prediction, "score") as f32).to_string(),
            "0.05".to_owned(),
            prediction["defective"].to_string(),
            prediction["regions"].as_array().unwrap().len().to_string(),
        ];
        let row = rows.next().unwrap();
        assert!(row.starts_with(&(expected.join(",") + ",")), "{row}: {expected:?}");
    }
    assert_eq!(rows.next(), None);
}

/// Colours run from half of the score that one of 20 good images reaches, 1 for relative scores, to twice of it, whatever the
/// threshold is.
#[test]
fn a_colour_means_the_same_score_in_all_images_and_a_clean_image_does_not_glow() {
    let bench = bench();
    let run = |threshold: f32| {
        let options = format!("--threshold {threshold} --write heatmap,map,overlay --out results");
        bench.run(&format!("predict model line {options}")).done();
    };
    let picture = |name: &str| image::open(bench.path(&format!("results/{name}.png"))).unwrap();
    let (mut dark, mut coloured) = (0, 0);
    for preset in ["recommended", "paper"] {
        bench.run(&format!("calibrate model --set preset={preset}")).done();
        let calibration = bench.json("model/calibration.json");
        let rules = calibration["rules"].as_array().unwrap();
        let unit = rules.iter().find(|rule| rule["rule"]["rule"] == "false_alarms").unwrap();
        let unit = number(unit, "threshold") as f32;
        run(0.05);
        let before = ["a", "b"].map(|id| bench.bytes(&format!("results/{id}_heatmap.png")));
        run(1e9);
        for ((id, image), before) in [("a", texture(7)), ("b", defective(8))].iter().zip(before) {
            assert!(before == bench.bytes(&format!("results/{id}_heatmap.png")), "{id}");
            let (map, _) = bench.map(&format!("results/{id}.tiff"));
            let heatmap = picture(&format!("{id}_heatmap")).into_rgb8();
            let overlay = picture(&format!("{id}_overlay")).into_luma8();
            let pixels = map.iter().zip(heatmap.pixels()).zip(image.enumerate_pixels());
            for ((&score, pixel), (x, y, grey)) in pixels {
                let is_dark = score <= 0.5 * unit;
                dark += usize::from(is_dark);
                coloured += usize::from(score > 0.6 * unit);
                assert!(!is_dark || pixel.0 == [0, 0, 4], "{score}");
                assert!(score <= 0.6 * unit || pixel.0 != [0, 0, 4], "{score}");
                assert_eq!(pixel.0 == [252, 255, 164], score >= 2.0 * unit, "{score}");
                assert!(!is_dark || overlay.get_pixel(x, y) == grey, "{score}");
            }
        }
    }
    assert!(dark > 0 && coloured > 0, "{dark} dark pixels and {coloured} coloured ones");
}

#[test]
fn a_new_run_leaves_no_tables_of_an_earlier_one() {
    let bench = bench();
    let predict = |write: &str| {
        bench.run(&format!("predict model line --out results --write {write}")).done();
        bench.names("results")
    };
    let records = ["predictions.csv", "predictions.jsonl", "run.json"];
    let with = |first: &[&'static str], last: &[&'static str]| {
        [first, &records[..2], last, &records[2..]].concat()
    };
    assert_eq!(predict("regions,coco"), with(&["coco.json"], &["regions.csv"]));
    assert_eq!(predict("report"), with(&[], &["report.html"]));
    assert_eq!(predict("none"), records);
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let bench = bench();
    let message = bench.error("predict model line --out results --null");
    assert!(message.contains("--null is for a list on standard input"), "{message}");
    let message = bench.error("predict model --watch nowhere --out results");
    assert!(message.contains("nowhere: expected a folder to watch"), "{message}");
    let run = bench.run("predict model --watch line --out results --exit-code");
    assert!(run.code == 2 && run.stderr.contains("cannot be used with"), "{}", run.stderr);
    let message = bench.error("demo --out results --methods l2 --features-weights weights.pth");
    assert!(message.contains("not among --methods"), "{message}");
    assert!(!bench.path("results").exists());
}

#[test]
fn a_list_on_standard_input_is_inspected() {
    let bench = bench();
    save(&bench.path("line/*.png"), &texture(9));
    let list = |list: &str, options: &str| {
        let arguments = format!("predict model {options} --out results --json --quiet");
        bench.run_with_input(&arguments, list.as_bytes())
    };
    let ids = |run: &crate::bench::Run| -> Vec<String> {
        run.json().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
    };
    let run = list("line/b.png\n\nline/*.png\n", "-").done();
    assert_eq!(ids(&run), ["b", "*"], "a list has no patterns");
    let run = list("line/b.png\0line/a.png", "line/a.png - --null").done();
    assert_eq!(ids(&run), ["a", "b", "a-2"]);
    assert_eq!(list("line", "-").done().json().len(), 3);

    let run = list("line/missing.png\nline/a.png\n", "-");
    assert_eq!((run.code, ids(&run)), (2, vec!["a".to_owned()]));
    let expected = "error: line/missing.png: expected an image or a folder, got nothing\n";
    assert_eq!(run.stderr, expected);
    let run = list("", "-");
    assert_eq!(
        (run.code, &*run.stderr),
        (2, "error: expected images on standard input, got none\n")
    );
    let run = list("results/x.png\n", "-");
    assert!(run.code == 2 && run.stdout.is_empty(), "{}", run.stderr);
}

/// Once, with the first one.
#[test]
fn an_image_that_is_scaled_otherwise_than_the_good_ones_is_warned_of() {
    let bench = Bench::with_model();
    bench.train("scaled", "--set data.size=[48,40]");
    let predict =
        |images: &str| bench.run(&format!("predict scaled {images} --out results")).done();
    assert!(predict("cloth/test/good").warnings().is_empty());
    for name in ["wide", "wider"] {
        save(&bench.path(&format!("{name}.png")), &GrayImage::new(96, 40));
    }
    let run = predict("wide.png wider.png cloth/test/good");
    let warnings = run.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let expected =
        "wide.png: an image of 96x40 is scaled to 48x40 otherwise than the good ones of 48x40";
    assert!(warnings[0].contains(expected), "{warnings:?}");
}

#[test]
fn regions_are_a_table_too() {
    let bench = bench();
    let run = bench.run("predict model line --out results --threshold 0.05 --json").done();
    let text = bench.text("results/regions.csv");
    let mut rows = text.lines();
    let columns = "id,label,area,x0,y0,x1,y1,centroid_x,centroid_y,mean_score,max_score";
    assert_eq!(rows.next(), Some(columns));
    let predictions = run.json();
    let regions = predictions.iter().flat_map(|prediction| {
        let regions = prediction["regions"].as_array().unwrap();
        regions.iter().map(|region| (prediction["id"].as_str().unwrap(), region))
    });
    let mut total = 0;
    for (row, (id, region)) in rows.by_ref().zip(regions) {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells[0], id);
        for (cell, column) in cells.iter().zip(columns.split(',')).skip(1) {
            let (cell, expected) = (cell.parse::<f64>().unwrap(), number(region, column));
            assert_eq!(cell, expected, "{column}");
        }
        total += region["area"].as_u64().unwrap();
    }
    assert_eq!(rows.next(), None);
    let flagged = ["a", "b"].map(|id| {
        let mask = image::open(bench.path(&format!("results/{id}_mask.png"))).unwrap();
        mask.into_luma8().iter().filter(|&&value| value == 255).count() as u64
    });
    assert!(total > 0);
    assert_eq!(total, flagged.iter().sum::<u64>());
}

#[test]
fn files_folders_and_patterns_are_inspected() {
    let bench = bench();
    save(&bench.path("more/a.png"), &texture(9));
    let run = bench.run("predict model line *ore/?.png line/b.png --out results --json").done();
    let ids: Vec<String> =
        run.json().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["a", "b", "a-2", "b-2"]);
    assert_eq!(bench.bytes("results/b.tiff"), bench.bytes("results/b-2.tiff"));
    assert_ne!(bench.bytes("results/a.tiff"), bench.bytes("results/a-2.tiff"));
}

#[test]
fn the_exit_code_can_tell_good_from_defective() {
    let bench = bench();
    // No score is that far from normal.
    for (options, code, verdict) in [
        ("--threshold -1e9 --exit-code", 1, "line/a.png: 1 defect, score "),
        ("--threshold -1e9", 0, "line/a.png: 1 defect, score "),
        ("--threshold 1e9 --exit-code", 0, "line/a.png: good, score "),
    ] {
        let run = bench.run(&format!("predict model line/a.png --out results {options}"));
        assert_eq!(
            (run.code, run.stdout.starts_with(verdict)),
            (code, true),
            "{options}: {}",
            run.stdout
        );
    }
    assert_eq!(bench.text("results/regions.csv").lines().count(), 1, "the header");
    for threshold in ["nan", "inf", "high"] {
        let run = bench.run(&format!("predict model line --out results --threshold {threshold}"));
        assert!(run.code == 2 && run.stderr.contains("--threshold"), "{}", run.stderr);
    }
}

#[test]
fn one_bad_file_does_not_keep_the_others_from_being_inspected() {
    let bench = bench();
    fs::write(bench.path("line/aa.png"), "no image").unwrap();
    let run = bench.run("predict model line --out results --threshold 0 --exit-code --quiet");
    assert_eq!(run.code, 2, "a failure weighs more than a defect");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("error: cannot read image line/aa.png: "), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 2);
    assert_eq!(bench.text("results/predictions.jsonl").lines().count(), 2);
    assert!(!bench.path("results/aa.tiff").exists());
}

#[test]
fn a_pixel_has_one_score() {
    let bench = bench();
    bench.run("evaluate model --out measured --maps").done();
    bench.run("predict model cloth/test/hole/001.png --out found").done();
    assert_eq!(
        bench.bytes("measured/maps/cloth/test/hole/001.tiff"),
        bench.bytes("found/001.tiff")
    );
}

#[test]
fn results_never_replace_the_images() {
    let bench = bench();
    save(&bench.path("line/c.tiff"), &texture(9));
    let image = bench.bytes("line/c.tiff");
    let message = bench.error("predict model line --out line");
    assert!(message.contains("line"), "{message}");
    let message = bench.error("predict model line/c.tiff --out ./line");
    assert!(message.contains("line/c.tiff"), "{message}");
    assert_eq!(bench.bytes("line/c.tiff"), image);
}
