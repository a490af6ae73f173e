//! `bench-cli evaluate`

use crate::bench::{Bench, TINY, number};
use crate::images::{HEIGHT, WIDTH, is_hole, write_fibres};
use std::fs;

#[test]
fn numbers_tables_and_pictures_are_written() {
    let bench = Bench::with_model();
    let run = bench.run("evaluate model --data cloth --out results --json").done();
    assert_eq!(
        bench.names("results"),
        [
            "figure.png",
            "histogram.png",
            "images.csv",
            "metrics.json",
            "pr.csv",
            "pr.png",
            "pr.svg",
            "pro.csv",
            "pro.png",
            "pro.svg",
            "report.html",
            "roc.csv",
            "roc.png",
            "roc.svg"
        ]
    );
    let metrics = bench.json("results/metrics.json");
    assert_eq!(run.last(), metrics);
    for key in ["pixel_au_roc", "pixel_au_roc_raw", "pixel_f1_max", "au_pro", "image_au_roc"] {
        assert!((0.0..=1.0).contains(&number(&metrics, key)), "{key}: {metrics}");
    }
    assert_eq!((&metrics["synthetic"], &metrics["method"]), (&false.into(), &"ssim".into()));
    assert_eq!((&metrics["images"], &metrics["defective_images"]), (&3.into(), &2.into()));
    assert_eq!((&metrics["pixels"], &metrics["defective_pixels"]), (&5760.into(), &240.into()));
    assert_eq!(metrics["at_threshold"]["regions"], 2);
    for (name, start) in
        [("figure.png", &b"\x89PNG"[..]), ("roc.png", b"\x89PNG"), ("roc.svg", b"<svg")]
    {
        assert!(bench.bytes(&format!("results/{name}")).starts_with(start), "{name}");
    }
}

/// Curves of an earlier data set beside the figures of one without masks would pass for its own.
#[test]
fn results_of_pixels_do_not_outlive_their_masks() {
    let bench = Bench::with_model();
    bench.run("evaluate model --out results").done();
    fs::write(bench.path("results/notes.txt"), "").unwrap();
    fs::remove_dir_all(bench.path("cloth/ground_truth")).unwrap();
    bench.run("evaluate model --out results").done();
    let left = ["figure.png", "images.csv", "metrics.json", "notes.txt", "report.html"];
    assert_eq!(bench.names("results"), left);
}

/// Thresholds of good images beside the one that only the labels tell.
#[test]
fn rules_are_compared() {
    let bench = Bench::with_model();
    let run = bench.run("evaluate model --out results").done();
    let metrics = bench.json("results/metrics.json");
    let rules = metrics["rules"].as_array().unwrap();
    let calibration = bench.json("model/calibration.json");
    assert_eq!(rules.len(), calibration["rules"].as_array().unwrap().len());
    for (rule, calibrated) in rules.iter().zip(calibration["rules"].as_array().unwrap()) {
        assert_eq!(
            (&rule["rule"], &rule["threshold"]),
            (&calibrated["rule"], &calibrated["threshold"])
        );
        assert!(rule["f1"].as_f64() <= metrics["oracle"]["f1"].as_f64(), "{rule}");
    }
    for key in ["precision", "recall", "f1", "iou", "regions_found", "false_alarms"] {
        assert_eq!(rules[0][key], metrics["at_threshold"][key], "{key}");
    }
    assert_eq!(metrics["oracle"]["threshold"], metrics["pixel_f1_max_threshold"]);
    assert_eq!(metrics["oracle"]["f1"], metrics["pixel_f1_max"]);
    for name in ["false_alarms:20 (calibrated) ", "max ", "quantile:0.999 ", "test labels in view "]
    {
        assert!(run.stdout.contains(&format!("\n{name}")), "{}", run.stdout);
    }
    let types = metrics["defect_types"].as_array().unwrap();
    let names: Vec<&str> = types.iter().map(|found| found["defect"].as_str().unwrap()).collect();
    assert_eq!(names, ["good", "hole"]);
    assert_eq!((&types[1]["images"], &types[1]["defective_pixels"]), (&2.into(), &240.into()));

    // A calibration of an earlier version knows its own rule only.
    let mut earlier = calibration.clone();
    earlier.as_object_mut().unwrap().remove("rules");
    fs::write(bench.path("model/calibration.json"), earlier.to_string()).unwrap();
    bench.run("evaluate model --out results").done();
    let rules = &bench.json("results/metrics.json")["rules"];
    assert_eq!((rules.as_array().unwrap().len(), &rules[0]["rule"]), (1, &calibration["rule"]));
}

#[test]
fn maps_are_where_the_official_evaluation_looks_for_them() {
    let bench = Bench::with_model();
    bench.run("evaluate model --data cloth --out results --maps").done();
    assert_eq!(bench.names("results/maps"), ["cloth"]);
    assert_eq!(bench.names("results/maps/cloth/test/hole"), ["000.tiff", "001.tiff"]);
    let table = bench.text("results/images.csv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("image,defect,score,flagged_pixels,defective_pixels"));
    let threshold = number(&bench.json("model/calibration.json"), "threshold") as f32;
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 3);
    for (line, (defect, id)) in
        lines.into_iter().zip([("good", "000"), ("hole", "000"), ("hole", "001")])
    {
        let (map, size) = bench.map(&format!("results/maps/cloth/test/{defect}/{id}.tiff"));
        assert_eq!(size, (WIDTH as usize, HEIGHT as usize));
        let score = map.iter().copied().fold(f32::MIN, f32::max);
        let flagged = map.iter().filter(|&&score| score >= threshold).count();
        let defective = if defect == "good" { 0 } else { 120 };
        assert_eq!(line, format!("{id},{defect},{score},{flagged},{defective}"));
    }
}

#[test]
fn the_area_under_the_curve_is_that_of_the_maps() {
    let bench = Bench::with_model();
    bench.run("evaluate model --out results --maps").done();
    let (mut good, mut defective) = (Vec::new(), Vec::new());
    for image in ["good/000", "hole/000", "hole/001"] {
        let (map, (width, _)) = bench.map(&format!("results/maps/cloth/test/{image}.tiff"));
        for (i, score) in map.into_iter().enumerate() {
            let hole = is_hole((i % width) as u32, (i / width) as u32) && image != "good/000";
            if hole { &mut defective } else { &mut good }.push(score);
        }
    }
    // The Mann-Whitney statistic: pairs in the right order, ties as halves.
    let mut wins = 0.0;
    for high in &defective {
        for low in &good {
            wins += if high > low {
                1.0
            } else if high == low {
                0.5
            } else {
                0.0
            };
        }
    }
    let expected = wins / (good.len() * defective.len()) as f64;
    let got = number(&bench.json("results/metrics.json"), "pixel_au_roc");
    assert!((got - expected).abs() < 1e-12, "{got} for {expected}");
}

/// The numbers of a CSV file, after its header.
fn rows(bench: &Bench, name: &str, header: &str) -> Vec<[f64; 3]> {
    let table = bench.text(name);
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some(header));
    let numbers =
        |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect::<Vec<_>>();
    lines.map(|line| numbers(line).try_into().unwrap()).collect()
}

/// By trapezoids.
fn area(rows: &[[f64; 3]]) -> f64 {
    rows.windows(2).map(|pair| (pair[1][0] - pair[0][0]) * (pair[0][1] + pair[1][1]) / 2.0).sum()
}

#[test]
fn curves_can_be_drawn_from_their_files() {
    let bench = Bench::with_model();
    bench.run("evaluate model --out results").done();
    let metrics = bench.json("results/metrics.json");
    let roc = rows(&bench, "results/roc.csv", "fpr,tpr,threshold");
    let pr = rows(&bench, "results/pr.csv", "recall,precision,threshold");
    let pro = rows(&bench, "results/pro.csv", "fpr,pro,threshold");
    for (curve, start, (x, y)) in [(&roc, 0.0, (1.0, 1.0)), (&pr, 1.0, (1.0, 240.0 / 5760.0))] {
        assert_eq!(curve[0], [0.0, start, f64::INFINITY]);
        assert_eq!(curve.last().map(|row| (row[0], row[1])), Some((x, y)));
    }
    assert_eq!(pro[0], [0.0, 0.0, f64::INFINITY]);
    assert_eq!(pro.last().map(|row| row[0]), Some(0.3));
    for curve in [&roc, &pr, &pro] {
        assert!(curve.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][2] >= pair[1][2]));
    }
    for curve in [&roc, &pro] {
        assert!(curve.windows(2).all(|pair| pair[0][1] <= pair[1][1]));
    }
    assert!(bench.text("results/roc.csv").contains("0.0,0.0,inf\n"));
    // A monotone curve is at most 2 long and 1/4096 from its thinned one.
    for (area, key) in [(area(&roc), "pixel_au_roc"), (area(&pro) / 0.3, "au_pro")] {
        let expected = number(&metrics, key);
        assert!((area - expected).abs() < 1e-3, "{key}: {area} for {expected}");
    }
}

#[test]
fn maps_have_the_size_of_the_image_whatever_is_inspected() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    bench.train("model", "--set data.size=[36,34] --set data.margins={left=3,top=5}");
    bench.run("evaluate model --out results --maps").done();
    let (map, size) = bench.map("results/maps/cloth/test/hole/001.tiff");
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    assert_eq!(size, (width, height));
    let in_margins = |i: usize| i % width < 3 || i / width < 5;
    assert!((0..map.len()).filter(|&i| in_margins(i)).all(|i| map[i] == 0.0));
    assert!((0..map.len()).any(|i| !in_margins(i) && map[i] > 0.0));
    // The margins count neither as good nor as defective.
    assert_eq!(bench.json("results/metrics.json")["pixels"], 3 * (width - 3) * (height - 5));
}

#[test]
fn nanotwice_has_its_own_layout() {
    let bench = Bench::new();
    write_fibres(&bench.path("fibres"));
    bench.run(&format!("train --data fibres --out model {TINY}")).done();
    bench.run("evaluate model --out results --maps").done();
    assert_eq!(bench.names("results/maps/fibres/test/anomalous"), ["A0.tiff", "A1.tiff"]);
    let metrics = bench.json("results/metrics.json");
    assert_eq!((&metrics["images"], &metrics["defective_pixels"]), (&2.into(), &240.into()));
    // There are no good images to tell the defective ones from.
    assert!(metrics["image_au_roc"].is_null() && metrics["image_au_roc_good"].is_null());
}

#[test]
fn good_images_that_training_held_out_stand_for_those_that_a_test_set_lacks() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    bench.train("model", "--set data.held_out=0.5");
    bench.run("evaluate model --out results").done();
    assert_eq!(bench.json("results/metrics.json")["image_au_roc_good"], "test");
    fs::remove_dir_all(bench.path("cloth/test/good")).unwrap();
    // What was trained on is not held out afterwards.
    let run = bench.run("evaluate model --out others --set data.held_out=0.9").done();
    assert!(run.stdout.contains("good: held out"), "{}", run.stdout);
    let metrics = bench.json("others/metrics.json");
    assert_eq!(
        (&metrics["images"], &metrics["image_au_roc_good"]),
        (&2.into(), &"held-out".into())
    );

    let scores = |images: &str| -> Vec<f64> {
        let run =
            bench.run(&format!("predict model {images} --out {} --json", images.len())).done();
        run.json().iter().map(|line| number(line, "score")).collect()
    };
    let good = scores("cloth/train/good/001.png cloth/train/good/003.png");
    let defective = scores("cloth/test/hole");
    let pairs = defective.iter().flat_map(|high| good.iter().map(move |low| high > low));
    let expected = pairs.filter(|&right| right).count() as f64 / 4.0;
    assert_eq!(number(&metrics, "image_au_roc"), expected);

    // With other images, nobody knows.
    fs::remove_file(bench.path("cloth/train/good/000.png")).unwrap();
    let run = bench.run("evaluate model --out fewer").done();
    assert!(
        run.stderr.contains("not the good images that the model was trained"),
        "{}",
        run.stderr
    );
    assert!(bench.json("fewer/metrics.json")["image_au_roc_good"].is_null());
}

#[test]
fn results_on_synthetic_images_say_so() {
    let bench = Bench::new();
    bench.run("synthesize plain --out fabric --good 3 --defective 2").done();
    assert!(bench.text("fabric/SYNTHETIC.md").starts_with("# Synthetic"));
    bench.run(&format!("train --data fabric --out model {TINY} --set data.size=[64,64]")).done();
    let run = bench.run("evaluate model --out results").done();
    assert_eq!(bench.json("results/metrics.json")["synthetic"], true);
    assert!(run.stdout.starts_with("fabric (synthetic): 2 images"), "{}", run.stdout);
    assert!(bench.text("results/roc.svg").contains("synthetic"));
}

#[test]
fn settings_of_the_inspection_can_be_tried_out() {
    let bench = Bench::with_model();
    bench.run("calibrate model --set preset=paper").done();
    bench.run("evaluate model --out default").done();
    let run = bench.run("evaluate model --out flat --set inspection.opening_diameter=0").done();
    assert!(run.stderr.contains("threshold"), "{}", run.stderr);
    let says_so = |folder: &str| {
        bench.text(&format!("{folder}/report.html")).contains("calibrated with other settings")
    };
    assert!(says_so("flat") && !says_so("default"));
    let metrics = bench.json("flat/metrics.json");
    assert_eq!(metrics["pixel_au_roc"], metrics["pixel_au_roc_raw"]);
    assert_eq!(metrics["pixel_au_roc_raw"], bench.json("default/metrics.json")["pixel_au_roc_raw"]);
    let message = bench.error("evaluate model --out other --set model.latent_dim=9");
    assert!(message.contains("model.latent_dim=9"), "{message}");
}

#[test]
fn a_data_set_elsewhere_may_have_another_layout() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    bench.train("model", "--set data.layout=mvtec-ad");
    write_fibres(&bench.path("fibres"));
    bench.run("evaluate model --data fibres --out results").done();
    let message =
        bench.error("evaluate model --data fibres --set data.layout=woven-textures --out results");
    assert!(message.contains("train/good"), "{message}");
    bench.run("calibrate model --data fibres").done();
}

#[test]
fn a_data_set_without_defects_cannot_be_evaluated_on() {
    let bench = Bench::with_model();
    for folder in ["cloth/test/hole", "cloth/test"] {
        fs::remove_dir_all(bench.path(folder)).unwrap();
        let message = bench.error("evaluate model --data cloth --out results");
        assert!(message.contains("cloth: expected test images with defects"), "{message}");
    }
}
