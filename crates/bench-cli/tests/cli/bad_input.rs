//! Everything that can be wrong with what a user gives: one line that says so, and exit code 2.

use crate::bench::{Bench, TINY};
use crate::images::{defective, save, texture, write_cloth};
use image::GrayImage;
use std::fs;

/// Replaces a file by its first half.
fn truncate(bench: &Bench, name: &str) {
    let bytes = bench.bytes(name);
    fs::write(bench.path(name), &bytes[..bytes.len() / 2]).unwrap();
}

fn bench() -> Bench {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench
}

/// Trains on `data`, which is to fail, and asserts that no model is left.
fn training_error(bench: &Bench, data: &str) -> String {
    let message = bench.error(&format!("train --data {data} --out model {TINY}"));
    assert!(!bench.path("model").exists(), "{message}");
    message
}

#[test]
fn a_truncated_image() {
    let bench = Bench::with_model();
    truncate(&bench, "cloth/train/good/002.png");
    truncate(&bench, "cloth/test/hole/001.png");
    for (arguments, file) in [
        (&*format!("train --data cloth --out other {TINY}"), "cloth/train/good/002.png"),
        ("calibrate model", "cloth/train/good/002.png"),
        ("evaluate model --out results", "cloth/test/hole/001.png"),
        ("predict model cloth/test/hole/001.png --out results", "cloth/test/hole/001.png"),
        ("ssim cloth/test/hole/001.png cloth/test/hole/001.png", "cloth/test/hole/001.png"),
    ] {
        let message = bench.error(arguments);
        assert!(message.contains(file), "{message}");
        assert!(message.contains("expected a complete PNG image"), "{message}");
    }
}

/// It is read for the calibration only, which comes after the training.
#[test]
fn a_truncated_image_that_is_held_out() {
    let bench = bench();
    let good = bench.names("cloth/train/good");
    let last = format!("cloth/train/good/{}", good.last().unwrap());
    truncate(&bench, &last);
    let options = format!("{TINY} --set data.held_out=0.5");
    let run = bench.run(&format!("train --data cloth --out model {options}"));
    assert!(run.code == 2 && run.stderr.contains(&last), "{}", run.stderr);
    assert!(!bench.path("model/model.safetensors").exists(), "{}", run.stderr);
}

#[test]
fn the_folder_of_a_model_takes_no_results() {
    let bench = Bench::with_model();
    let page = bench.bytes("model/report.html");
    for arguments in ["predict model cloth/test/good --out model", "evaluate model --out model"] {
        let message = bench.error(arguments);
        assert!(message.contains("model: the folder of a model"), "{message}");
    }
    assert!(bench.bytes("model/report.html") == page);
}

#[test]
fn images_scaled_to_less_than_half_a_patch() {
    let bench = bench();
    let message =
        bench.error(&format!("train --data cloth --out model {TINY} --set data.size=[15,40]"));
    assert!(
        message
            .contains("data.size: expected at least 16 pixels a side for patches of 32, got 15x40"),
        "{message}"
    );
}

#[test]
fn a_mask_of_another_size() {
    let bench = Bench::with_model();
    GrayImage::new(40, 40).save(bench.path("cloth/ground_truth/hole/001_mask.png")).unwrap();
    let message = bench.error("evaluate model --out results");
    assert!(message.contains("ground_truth/hole/001_mask.png has 40x40 pixels"), "{message}");
    assert!(message.contains("test/hole/001.png has 48x40"), "{message}");
}

#[test]
fn masks_that_mark_nothing() {
    let bench = Bench::with_model();
    for id in ["000", "001"] {
        save(
            &bench.path(&format!("cloth/ground_truth/hole/{id}_mask.png")),
            &GrayImage::new(48, 40),
        );
    }
    let message = bench.error("evaluate model --out results");
    assert!(message.contains("cloth"), "{message}");
}

#[test]
fn an_empty_folder() {
    let bench = Bench::with_model();
    fs::create_dir(bench.path("empty")).unwrap();
    for (arguments, expected) in [
        (
            &*format!("train --data empty --out other {TINY}"),
            "empty: expected a data set, got an empty folder",
        ),
        ("evaluate model --data empty --out results", "empty: expected a data set"),
        ("calibrate model --data empty", "empty: expected a data set"),
        ("predict model empty --out results", "empty: expected images"),
        ("info empty", "empty: expected `model.safetensors`"),
        ("train --out empty --resume", "empty/config.toml"),
    ] {
        let message = bench.error(arguments);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_folder_without_good() {
    let bench = bench();
    fs::rename(bench.path("cloth/train/good"), bench.path("cloth/train/fine")).unwrap();
    let message = training_error(&bench, "cloth");
    assert!(message.contains("cloth: expected a folder `train/good`"), "{message}");
    let message = training_error(&bench, "nowhere");
    assert!(
        message.contains("nowhere: expected the folder of a data set, got nothing"),
        "{message}"
    );
}

#[test]
fn an_unwritable_output_folder() {
    let bench = Bench::with_model();
    fs::write(bench.path("taken"), "").unwrap();
    for arguments in [
        &*format!("train --data cloth --out taken {TINY}"),
        "evaluate model --out taken",
        "evaluate model --out taken/results",
        "predict model cloth/test/good cloth/test/hole --out taken",
        "ssim cloth/test/good/000.png cloth/test/hole/000.png --maps taken",
        "synthesize plain --good 1 --defective 0 --out taken",
        "demo --out taken",
    ] {
        let message = bench.error(&format!("{arguments} --quiet"));
        assert!(message.contains("cannot") && message.contains("taken"), "{message}");
    }
}

#[test]
fn an_output_folder_is_checked_before_the_work() {
    // Nothing is said about the images, which are worse.
    let bench = Bench::with_model();
    fs::write(bench.path("taken"), "").unwrap();
    truncate(&bench, "cloth/test/good/000.png");
    for command in ["evaluate model", "predict model cloth/test/good"] {
        let message = bench.error(&format!("{command} --out taken"));
        assert!(message.contains("taken") && !message.contains("000.png"), "{message}");
    }
}

#[test]
fn a_configuration_with_a_typo() {
    let bench = bench();
    for (text, line, key) in [
        ("[training]\npatches = 8\nsead = 1\n", "line 3", "sead"),
        ("[trainig]\n", "line 1", "trainig"),
        ("method = \"l3\"\n", "line 1", "l3"),
        ("[model]\n\nlatent_dim = \"8\"\n", "line 3", "expected usize"),
        ("[model\n", "line 1", "line 1"),
    ] {
        fs::write(bench.path("typo.toml"), text).unwrap();
        let message = bench.error("train --config typo.toml --data cloth --out model");
        assert!(message.contains("typo.toml") && message.contains(line), "{message}");
        assert!(message.contains(key), "{message}");
    }
    let message = bench.error("train --config none.toml --data cloth --out model");
    assert!(message.contains("none.toml"), "{message}");
    let message = bench.error("train --data cloth --out model --set training.sead=1");
    assert!(message.contains("sead"), "{message}");
    assert!(!bench.path("model").exists());
}

#[test]
fn a_setting_out_of_range() {
    let bench = bench();
    for (setting, key) in [
        ("inspection.stride=0", "inspection.stride"),
        ("model.patch_size=100", "patch_size"),
        ("optimiser.learning_rate=-1", "learning_rate"),
        ("ssim.window=uniform:8", "ssim.window"),
        ("data.margins.left=-1", "data.margins.left"),
        ("data.size=[0,9]", "data.size"),
        ("training.seed=99999999999999999999", "training.seed"),
    ] {
        let message = bench.error(&format!("train --data cloth --out model --set {setting}"));
        assert!(message.contains(key), "{message}");
    }
    let message = bench.error("train --data cloth --out model --seed 18446744073709551615");
    assert!(message.contains("seed"), "{message}");
    assert!(!bench.path("model").exists());
}

#[test]
fn an_image_smaller_than_a_patch() {
    let bench = Bench::with_model();
    save(&bench.path("small.png"), &GrayImage::new(31, 40));
    // It is mirrored beyond its border.
    bench.run("predict model small.png --out results").done();
    bench.run("calibrate model --set preset=paper").done();
    save(&bench.path("cloth/train/good/003.png"), &GrayImage::new(48, 15));
    let run = bench.run(&format!("train --data cloth --out other {TINY}")).done();
    let expected = "good/003.png: left out: 48x15 pixels to train on, expected at least 16x16";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    let message = bench.error("predict model small.png --out results");
    assert!(message.contains("small.png") && message.contains("31"), "{message}");
}

#[test]
fn margins_that_leave_nothing() {
    let bench = bench();
    let margins = "--set data.margins={left=24,right=24}";
    let message = bench.error(&format!("train --data cloth --out model {TINY} {margins}"));
    assert!(message.contains("000.png: margins of 24 + 24 columns"), "{message}");
}

#[test]
fn a_device_that_is_not_there() {
    let bench = bench();
    let train = format!("train --data cloth --out model {TINY} --device");
    // Whether or not the program was built for GPUs, and whether there are some.
    let message = bench.error(&format!("{train} cuda:99"));
    assert!(message.contains("cannot compute on cuda:99: "), "{message}");
    assert!(!bench.path("model").exists());
    let run = bench.run(&format!("{train} tpu"));
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("device must be auto, cpu, cuda or cuda:N, got tpu"),
        "{}",
        run.stderr
    );
    assert!(
        bench
            .error(&format!("train --data cloth --out model {TINY} --threads 0"))
            .contains("--threads")
    );
}

#[test]
fn a_flag_or_a_command_that_does_not_exist() {
    let bench = Bench::new();
    for arguments in
        ["train --out model --epochs 3", "tain", "", "predict model", "train --out m --method gan"]
    {
        let run = bench.run(arguments);
        assert_eq!((run.code, &*run.stdout), (2, ""), "{arguments}");
        assert!(run.stderr.contains("--help"), "{arguments}: {}", run.stderr);
    }
}

#[test]
fn a_folder_that_is_no_model() {
    let bench = bench();
    for command in ["info", "evaluate --out results", "calibrate", "predict cloth --out results"] {
        for (folder, expected) in [
            ("cloth", "cloth: expected `model.safetensors`"),
            ("none", "none: expected the folder"),
        ] {
            let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
            let message = bench.error(&format!("{name} {folder} {rest}"));
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
fn a_damaged_model() {
    for (file, arguments) in [
        ("model.safetensors", "predict model cloth/test/good --out results"),
        ("config.toml", "info model"),
        ("training.json", "evaluate model --out results"),
        ("calibration.json", "predict model cloth/test/good --out results"),
        ("checkpoint.safetensors", "train --out model --resume --patches 16"),
    ] {
        let bench = Bench::with_model();
        truncate(&bench, &format!("model/{file}"));
        let message = bench.error(arguments);
        assert!(message.contains(&format!("model/{file}")), "{message}");
    }
}

#[test]
fn weights_of_another_network() {
    let bench = Bench::with_model();
    bench.train("wide", "--set model.latent_dim=9");
    fs::copy(bench.path("wide/model.safetensors"), bench.path("model/model.safetensors")).unwrap();
    let message = bench.error("info model");
    assert!(message.contains("model/model.safetensors") && message.contains('9'), "{message}");
}

#[test]
fn an_input_that_does_not_exist() {
    let bench = Bench::with_model();
    save(&bench.path("b.png"), &defective(3));
    save(&bench.path("a.png"), &texture(3));
    for (inputs, expected) in [
        ("a.png none.png", "none.png"),
        ("*.bmp", "*.bmp"),
        ("model", "model: expected images"),
        ("[", "malformed"),
    ] {
        let message = bench.error(&format!("predict model {inputs} --out results"));
        assert!(message.contains(expected), "{message}");
        assert!(!bench.path("results").exists(), "{inputs}");
    }
}
