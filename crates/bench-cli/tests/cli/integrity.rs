//! Models whose files do not belong together, or are not what they should be.

use crate::bench::{Bench, number};
use serde_json::Value;
use std::fs;

/// Edits the configuration by hand.
fn edit(bench: &Bench, from: &str, to: &str) {
    let config = bench.text("model/config.toml");
    assert!(config.contains(from), "{config}");
    fs::write(bench.path("model/config.toml"), config.replace(from, to)).unwrap();
}

const COMMANDS: [&str; 4] = [
    "info model",
    "calibrate model",
    "evaluate model --out results",
    "predict model cloth/test/good --out results --threshold 0.5",
];

#[test]
fn a_configuration_that_is_not_the_trainings_is_refused_by_all() {
    for (from, to, expected) in [
        ("method = \"ssim\"", "method = \"l2\"", "expected `method` to be \"ssim\", got \"l2\""),
        ("seed = 0", "seed = 1", "expected `training.seed` to be 0, got 1"),
        ("uniform:11", "uniform:7", "expected `ssim.window` to be \"uniform:11\""),
        ("held_out = 0.1", "held_out = 0.5", "expected `data.held_out` to be 0.1, got 0.5"),
        ("learning_rate = 0.0002", "learning_rate = 1", "expected `optimiser.learning_rate`"),
        (
            "patches_per_epoch = 10000",
            "patches_per_epoch = 7",
            "expected `training.patches_per_epoch`",
        ),
        (
            "held_out = 0.1",
            "held_out = 0.1\nsize = [64, 64]",
            "expected `data.size` to be nothing, got",
        ),
        (
            "held_out = 0.1",
            "held_out = 0.1\nbits = 12",
            "expected `data.bits` to be nothing, got 12",
        ),
    ] {
        let bench = Bench::with_model();
        edit(&bench, from, to);
        for command in COMMANDS {
            let message = bench.error(command);
            let start =
                "model/config.toml: not as the model was trained; put it back, or train anew";
            assert!(message.contains(start) && message.contains(expected), "{message}");
        }
    }
}

#[test]
fn what_decides_nothing_about_the_weights_can_be_edited() {
    let bench = Bench::with_model();
    bench.run("calibrate model --set preset=paper").done();
    fs::rename(bench.path("cloth"), bench.path("moved")).unwrap();
    edit(&bench, "/cloth\"", "/moved\"");
    edit(&bench, "batch_size = 96", "batch_size = 7");
    bench.run("predict model moved/test/good --out results").done();
    // It decides about the threshold.
    edit(&bench, "rule = \"max\"", "rule = \"quantile\"\nq = 0.5");
    let message = bench.error("predict model moved/test/good --out results");
    assert!(message.contains("`bench-cli calibrate model` makes it anew"), "{message}");
    assert!(
        message.contains("expected `calibration.threshold` to be {\"rule\":\"max\"}"),
        "{message}"
    );
    bench.run("calibrate model").done();
    bench.run("predict model moved/test/good --out results").done();
    edit(&bench, "min_area = 1", "min_area = 9");
    let message = bench.error("predict model moved/test/good --out results");
    assert!(message.contains("expected `calibration.min_area` to be 1, got 9"), "{message}");
    edit(&bench, "min_area = 9", "min_area = 1");
    edit(&bench, "[residual]", "[residual]\nwindow = \"uniform:7\"");
    let message = bench.error("predict model moved/test/good --out results");
    assert!(message.contains("expected `residual.window` to be nothing, got"), "{message}");
}

#[test]
fn weights_that_are_not_the_trainings_are_refused_by_all_and_mended_by_resuming() {
    let bench = Bench::with_model();
    let weights = bench.bytes("model/model.safetensors");
    bench.train("other", "--seed 1");
    fs::copy(bench.path("other/model.safetensors"), bench.path("model/model.safetensors")).unwrap();
    for command in COMMANDS {
        let message = bench.error(command);
        assert!(message.contains("model/model.safetensors: not as the training left"), "{message}");
        assert!(
            message.contains("`bench-cli train --out model --resume` writes them"),
            "{message}"
        );
    }
    bench.run("train --out model --resume").done();
    assert!(bench.bytes("model/model.safetensors") == weights);
    bench.run("info model").done();
}

/// Its configuration, checkpoint and record do not name the setting.
#[test]
fn a_model_of_before_there_was_corruption_goes_on_without() {
    let bench = Bench::with_model();
    bench.train("whole", "--set training.corruption=none --patches 24");
    bench.train("old", "--set training.corruption=none --patches 16");
    for (file, line) in
        [("config.toml", "corruption = \"none\"\n"), ("training.json", "\"training.corruption\"")]
    {
        let text = bench.text(&format!("old/{file}"));
        assert!(text.contains(line), "{file}");
        let without: String = match file {
            "config.toml" => text.replace(line, ""),
            _ => {
                let mut record: Value = serde_json::from_str(&text).unwrap();
                record["settings"].as_object_mut().unwrap().remove("training.corruption").unwrap();
                record.to_string()
            }
        };
        fs::write(bench.path(&format!("old/{file}")), without).unwrap();
    }
    bench.run("info old").done();
    bench.run("train --out old --resume --patches 24").done();
    assert!(bench.bytes("old/model.safetensors") == bench.bytes("whole/model.safetensors"));
    assert!(bench.text("old/config.toml").contains("corruption = \"none\""));
}

#[test]
fn a_finished_model_without_its_checkpoint_is_not_trained_anew_by_resuming() {
    let bench = Bench::with_model();
    fs::remove_file(bench.path("model/checkpoint.safetensors")).unwrap();
    let files =
        || bench.names("model").into_iter().map(|name| bench.bytes(&format!("model/{name}")));
    let before: Vec<_> = files().collect();
    let message = bench.error("train --out model --resume --patches 16");
    assert!(message.contains("model/checkpoint.safetensors: expected the state"), "{message}");
    assert!(files().eq(before));
    // Nor does it help with weights that are not the training's.
    fs::write(bench.path("model/model.safetensors"), "").unwrap();
    let message = bench.error("info model");
    assert!(
        message.contains("not as the training left them") && !message.contains("--resume"),
        "{message}"
    );
}

#[test]
fn a_model_without_its_record_is_tied_by_its_calibration() {
    let bench = Bench::with_model();
    fs::remove_file(bench.path("model/training.json")).unwrap();
    let predict = "predict model cloth/test/good --out results";
    bench.run(predict).done();
    bench.train("other", "--seed 1");
    fs::copy(bench.path("other/model.safetensors"), bench.path("model/model.safetensors")).unwrap();
    let message = bench.error(predict);
    assert!(message.contains("expected weights of SHA-256"), "{message}");
}

#[test]
fn records_of_before_there_were_hashes_are_read() {
    let bench = Bench::with_model();
    let mut record = bench.json("model/training.json");
    let fields = record.as_object_mut().unwrap();
    assert!(fields.remove("weights_sha256").is_some() && fields.remove("settings").is_some());
    fs::write(bench.path("model/training.json"), record.to_string()).unwrap();
    bench.run("info model").done();
}

/// A training whose loss is not finite ends, and leaves the last state that was.
#[test]
fn a_training_that_diverges_keeps_its_last_checkpoint() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    // The first step makes weights of 1e10, which is still a state; the second finds the loss to be no number.
    let train = "--set model.patch_size=32 --set model.latent_dim=8 --set training.batch_size=4 \
        --patches 16 --set optimiser.learning_rate=1e10 --checkpoint-every 0";
    let message =
        bench.error(&format!("train --data cloth --out model {train} --device cpu --quiet"));
    assert!(message.contains("checkpoint.safetensors is the state after 4 patches"), "{message}");
    assert!(message.contains("a lower learning rate may help"), "{message}");
    assert!(!bench.path("model/model.safetensors").exists());
    let message = bench.error("info model");
    assert!(message.contains("not finished"), "{message}");

    // Weights of 1e30 are no state to go on from.
    let train = train.replace("1e10", "1e30");
    let message =
        bench.error(&format!("train --data cloth --out other {train} --device cpu --quiet"));
    assert!(message.contains("the training ended without a checkpoint"), "{message}");
    assert!(message.contains("holds values that are not finite"), "{message}");
    assert!(!bench.path("other/checkpoint.safetensors").exists());
}

/// A training whose learning rate is far too large ends, but a constant does as well as its model.
#[test]
fn a_model_that_is_of_no_use_is_called_so() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    for method in ["ssim", "l2"] {
        let train = "--set model.patch_size=32 --set model.latent_dim=8 --set training.batch_size=4 \
            --set training.patches_per_epoch=8 --patches 32 --set optimiser.learning_rate=1";
        let run = bench.run(&format!(
            "train --data cloth --out {method} --method {method} {train} --device cpu --json"
        ));
        let said = &run.stderr;
        let is_warned = said
            .contains("warning: the model reconstructs good images no better than a constant grey");
        let is_ended = said.contains("error: ")
            && ["diverged", "the loss is inf"].iter().any(|end| said.contains(end));
        assert!(is_warned && run.code == 0 || is_ended && run.code == 2, "{}: {said}", run.code);
        let advice = ["smaller optimiser.learning_rate", "a lower learning rate"];
        assert!(advice.iter().any(|advice| said.contains(advice)), "{said}");
        if is_warned {
            let record = bench.json(&format!("{method}/training.json"));
            assert_eq!(record["collapsed"], true);
            assert!(
                number(&record["reconstruction"], "loss")
                    >= number(&record["reconstruction"], "constant_loss")
            );
            assert_eq!(run.last()["collapsed"], true);
            assert!(
                bench
                    .run(&format!("info {method}"))
                    .done()
                    .stdout
                    .contains("no better than constant grey")
            );
        }
    }
}

/// The checkpoint before, wherever in an epoch it lies.
#[test]
fn the_state_before_a_divergence_becomes_a_model() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    let train = "--set model.patch_size=32 --set model.latent_dim=8 --set training.batch_size=4 \
        --patches 16 --set optimiser.learning_rate=1e10 --checkpoint-every 0 --device cpu --quiet";
    let message = bench.error(&format!("train --data cloth --out model {train}"));
    let command = "train --out model --resume --patches 4";
    assert!(message.contains(&format!("`bench-cli {command}`")), "{message}");
    let run = bench.run(command);
    assert!(bench.path("model/model.safetensors").exists(), "{}", run.stderr);
    assert_eq!(bench.json("model/training.json")["patches"], 4);
    // Where the contrast is unknown.
    assert_eq!(bench.json("model/log.jsonl")["contrast"], Value::Null);
    let run = bench.run("train --out model --resume --patches 8");
    assert!(!run.stderr.contains("log.jsonl"), "{}", run.stderr);
}
