//! The methods that need more than a loss and a residual.

use crate::bench::{Bench, TINY, number};
use crate::extractor::{squeezenet, write_pytorch, write_safetensors};
use crate::images::write_cloth;
use std::fs;

const VAE: &str = "--method vae --set vae.samples=3";

/// Feature matching, but for the weights.
const MATCHING: &str = "--method feature-matching --set features.extractor=squeezenet";

fn bench() -> Bench {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench
}

#[test]
fn a_variational_autoencoder_goes_all_the_way() {
    let bench = bench();
    bench.train("model", VAE);
    let info = bench.run("info model --json").done().last();
    assert_eq!(info["config"]["method"], "vae");
    // Table 1 for patches of 32 pixels, and 8 outputs of the encoder more than a plain network of 8 dimensions.
    let plain = bench.train("plain", "").code;
    let plain_info = bench.run("info plain --json").done().last();
    let more = number(&info, "parameters") - number(&plain_info, "parameters");
    assert_eq!((plain, more), (0, f64::from(8 * (8 * 8 * 32 + 1))));

    let metrics = bench.run("evaluate model --out results --maps --json").done().last();
    assert_eq!(metrics["method"], "vae");
    let (map, _) = bench.map("results/maps/cloth/test/hole/001.tiff");
    assert!(map.iter().all(|&score| score.is_finite()));
    bench.run("predict model cloth/test/hole/001.png --out found").done();
    assert_eq!(bench.map("found/001.tiff").0, map);
    bench.run("calibrate model").done();
}

#[test]
fn a_variational_autoencoder_scores_a_pixel_once_and_for_all() {
    let bench = bench();
    bench.train("model", VAE);
    let map = |options: &str| {
        bench.run(&format!("evaluate model --out results --maps {options}")).done();
        bench.map("results/maps/cloth/test/hole/001.tiff").0
    };
    for averaging in ["reconstruction", "residual"] {
        let averaging = format!("--set inspection.averaging={averaging}");
        let expected = map(&averaging);
        assert_eq!(map(&format!("{averaging} --threads 1")), expected);
        assert_eq!(map(&format!("{averaging} --set inspection.batch_size=1")), expected);
        assert_ne!(map(&format!("{averaging} --set vae.samples=4")), expected);
        assert_ne!(map(&format!("{averaging} --set vae.score=mse")), expected);
    }
}

#[test]
fn a_prolonged_variational_training_equals_an_uninterrupted_one() {
    let bench = bench();
    bench.train("long", &format!("{VAE} --patches 16"));
    bench.train("model", VAE);
    bench.run("train --out model --resume --patches 16").done();
    for file in ["model.safetensors", "calibration.json"] {
        let [model, long] =
            ["model", "long"].map(|folder| bench.bytes(&format!("{folder}/{file}")));
        assert!(model == long, "{file}");
    }
}

#[test]
fn a_figure_shows_what_models_make_of_the_same_defects() {
    let bench = bench();
    bench.train("one", VAE);
    bench.train("two", "");
    let report =
        bench.run("figure one two --images 2 --crop 20 --out out/figure.png --json").done().last();
    assert_eq!((&report["models"], &report["images"]), (&2.into(), &2.into()));
    let figure = image::open(bench.path("out/figure.png")).unwrap();
    // Six cells of 20 pixels in a row, and 4 pixels between cells; headings above.
    assert_eq!(figure.width(), 6 * 20 + 5 * 4);
    assert!(figure.height() > 2 * 20 + 4);
    bench.train("narrow", "--set data.margins={left=3}");
    // What a model does not look at is grey.
    bench.run("figure one narrow --crop 48 --images 1 --out out/other.png").done();
    let figure = image::open(bench.path("out/other.png")).unwrap().into_rgb8();
    assert!((0..figure.height()).any(|y| figure.get_pixel(4 * (48 + 4), y).0 == [128; 3]));
}

#[test]
fn the_demo_shows_the_methods_that_are_wanted() {
    let bench = Bench::new();
    let run = bench.run("demo --patches 8 --methods l2,ssim,l2 --out out --json").done();
    let methods: Vec<_> = run.json().iter().map(|row| row["method"].to_string()).collect();
    assert_eq!(methods[methods.len() - 2..], ["\"ℓ2-AE\"", "\"SSIM-AE\""]);
    assert!(bench.path("out/ssim/model.safetensors").exists());
    assert!(!bench.path("out/vae").exists());
    let report = bench.text("out/report.html");
    for method in ["SSIM-AE", "ℓ2-AE"] {
        assert_eq!(report.matches(&format!("<h2>{method}</h2>")).count(), 1, "{method}");
        assert!(report.contains(&format!("{method} (AUC 0.")), "{method}");
    }
    assert!(report.contains("The images are synthetic"));
}

#[test]
fn feature_matching_goes_all_the_way_and_needs_its_weights_for_training_only() {
    let bench = bench();
    write_safetensors(&bench.path("squeezenet.safetensors"), &squeezenet());
    bench.train("model", &format!("{MATCHING} --features-weights squeezenet.safetensors"));
    let features = &bench.json("model/training.json")["features"];
    assert_eq!(features["extractor"], "squeezenet");
    let sha256 = features["sha256"].as_str().unwrap().to_owned();
    assert_eq!(sha256.len(), 64);
    let info = bench.run("info model").done();
    assert!(info.stdout.contains(&sha256), "{}", info.stdout);

    fs::rename(bench.path("squeezenet.safetensors"), bench.path("elsewhere.safetensors")).unwrap();
    let metrics = bench.run("evaluate model --out results --json").done().last();
    assert_eq!(metrics["method"], "feature-matching");
    bench.run("predict model cloth/test/hole/001.png --out found").done();
    bench.run("calibrate model").done();

    // Another place, and the same weights.
    let resume = "train --out model --resume --patches 16";
    assert!(bench.error(resume).contains("squeezenet.safetensors"));
    bench.run(&format!("{resume} --features-weights elsewhere.safetensors")).done();
    let mut other = squeezenet();
    other[0].1 = (&other[0].1 * 2.0).unwrap();
    write_safetensors(&bench.path("other.safetensors"), &other);
    let message =
        bench.error("train --out model --resume --patches 24 --features-weights other.safetensors");
    assert!(message.contains("checkpoint") && message.contains(&sha256), "{message}");
}

#[test]
fn weights_are_the_same_from_pytorch_and_safetensors() {
    let bench = bench();
    write_safetensors(&bench.path("weights.safetensors"), &squeezenet());
    write_pytorch(&bench.path("weights.pth"), &squeezenet());
    bench.train("one", &format!("{MATCHING} --features-weights weights.safetensors"));
    bench.train("two", &format!("{MATCHING} --features-weights weights.pth"));
    bench.train("l2", "--method l2");
    let weights = |folder: &str| bench.bytes(&format!("{folder}/model.safetensors"));
    assert!(weights("one") == weights("two"));
    assert!(weights("one") != weights("l2"), "the features do nothing");
}

#[test]
fn files_that_are_not_the_extractors_weights_are_refused_by_name() {
    let bench = bench();
    let refused = |file: &str, options: &str, expected: &str| {
        let train = format!("train --data cloth --out model {TINY} {MATCHING} {options}");
        let message = bench.error(&format!("{train} --features-weights {file}"));
        assert!(message.contains(file) && message.contains(expected), "{message}");
    };
    let weights = squeezenet();
    let path = |name: &str| bench.path(name);
    write_pytorch(&path("whole.pth"), &weights);
    write_safetensors(&path("whole.safetensors"), &weights);
    refused("none.pth", "", "cannot read");
    for (file, part) in [("whole.pth", "part.pth"), ("whole.safetensors", "part.safetensors")] {
        let bytes = bench.bytes(file);
        for length in [0, 3, 100, bytes.len() / 2, bytes.len() - 1] {
            fs::write(path(part), &bytes[..length]).unwrap();
            refused(part, "", "expected a");
        }
    }
    // The name says that the file's hash begins otherwise.
    fs::copy(path("whole.pth"), path("squeezenet1_1-b8a52dc0.pth")).unwrap();
    refused("squeezenet1_1-b8a52dc0.pth", "", "SHA-256 begins with b8a52dc0");
    fs::write(path("old.pth"), b"\x80\x02\x8a\nl\xfc").unwrap();
    refused("old.pth", "", "1.6");
    refused("whole.pth", "--set features.extractor=alexnet", "[64, 3, 11, 11]");
    let mut fewer = weights.clone();
    fewer.retain(|(name, _)| name != "features.6.squeeze.bias");
    write_pytorch(&path("fewer.pth"), &fewer);
    refused("fewer.pth", "", "features.6.squeeze.bias");
    let mut other = weights;
    other[5].1 = other[4].1.clone();
    write_safetensors(&path("other.safetensors"), &other);
    refused("other.safetensors", "", &other[5].0);

    let message = bench.error(&format!("train --data cloth --out model {TINY} {MATCHING}"));
    assert!(message.contains("--features-weights"), "{message}");
    let ssim = format!("train --data cloth --out model {TINY} --features-weights whole.pth");
    assert!(bench.error(&ssim).contains("feature-matching"));
    assert!(!path("model").exists());
}
