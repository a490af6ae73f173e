//! `bench-cli train`

use std::path::Path;

use crate::bench::{Bench, TINY, keys, number};
use crate::images::write_cloth;

fn bench() -> Bench {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench
}

#[test]
fn a_model_is_a_folder() {
    let bench = bench();
    let run = bench.train("model", "--patches 40 --json --device cpu");
    assert_eq!(
        bench.names("model"),
        [
            "calibration.json",
            "checkpoint.safetensors",
            "config.toml",
            "log.jsonl",
            "model.safetensors",
            "report.html",
            "training.json"
        ]
    );
    let [epoch, summary] = &run.json()[..] else { panic!("{}", run.stdout) };
    assert_eq!(
        keys(epoch),
        ["contrast", "epoch", "loss", "patches", "patches_per_second", "seconds"]
    );
    assert_eq!(&bench.json("model/log.jsonl"), epoch);
    assert_eq!(keys(summary), ["collapsed", "loss", "model", "patches", "seconds", "threshold"]);
    assert_eq!((&summary["patches"], &summary["model"]), (&40.into(), &"model".into()));
    // 1 - SSIM lies between 0 and 2.
    assert!((0.0..2.0).contains(&number(summary, "loss")) && number(summary, "seconds") > 0.0);
    assert_eq!(summary["threshold"], bench.json("model/calibration.json")["threshold"]);

    let record = bench.json("model/training.json");
    assert_eq!((&record["patches"], &record["images"]), (&40.into(), &4.into()));
    assert_eq!(record["loss"], summary["loss"]);
    assert_eq!(record["device"], "cpu");
    assert!(run.stderr.contains("training on cpu"), "{}", run.stderr);
    let config: toml::Table = bench.text("model/config.toml").parse().unwrap();
    assert_eq!(config["model"]["patch_size"].as_integer(), Some(32));
    // Absolute, so that the model can be used from any folder.
    let root = Path::new(config["data"]["root"].as_str().unwrap());
    assert!(root.is_absolute() && root.ends_with("cloth"), "{}", root.display());
}

#[test]
fn a_model_is_not_overwritten_by_accident() {
    let bench = bench();
    bench.train("model", "");
    let weights = bench.bytes("model/model.safetensors");
    let again = format!("train --data cloth --out model {TINY} --seed 1");
    let message = bench.error(&again);
    assert!(message.contains("model: ") && message.contains("--overwrite"), "{message}");
    assert_eq!(bench.bytes("model/model.safetensors"), weights);

    bench.run(&format!("{again} --overwrite")).done();
    assert_ne!(bench.bytes("model/model.safetensors"), weights);
}

#[test]
fn a_prolonged_training_equals_an_uninterrupted_one() {
    let bench = bench();
    bench.train("long", "--patches 16");
    bench.train("model", "");
    let summary = bench.run("train --out model --resume --patches 16 --json").done().last();
    assert_eq!(summary["patches"], 16);
    for file in ["model.safetensors", "config.toml", "calibration.json"] {
        assert!(
            bench.bytes(&format!("model/{file}")) == bench.bytes(&format!("long/{file}")),
            "{file}"
        );
    }
}

/// The line of an epoch that ended with the training is that of the whole epoch once the training goes on.
#[test]
fn a_prolonged_training_logs_what_an_uninterrupted_one_does() {
    let bench = bench();
    let epochs = "--set training.patches_per_epoch=12";
    bench.train("long", &format!("{epochs} --patches 20"));
    bench.train("model", epochs);
    bench.run("train --out model --resume --patches 20").done();
    let patches = |model: &str| -> Vec<String> {
        let log = bench.text(&format!("{model}/log.jsonl"));
        let lines = log.lines().map(|line| line.split(",\"seconds\"").next().unwrap().to_owned());
        lines.collect()
    };
    assert_eq!(patches("long").len(), 2);
    assert_eq!(patches("model"), patches("long"));
}

#[test]
fn a_training_can_be_resumed_only_as_it_was() {
    let bench = bench();
    let message = bench.error("train --out model --resume");
    assert!(message.contains("--resume") && message.contains("config.toml"), "{message}");
    bench.train("model", "");
    let message = bench.error("train --out model --resume --set optimiser.learning_rate=1");
    assert!(message.contains("--set"), "{message}");
    let config = bench.text("model/config.toml");
    let message = bench.error("train --out model --resume --patches 7");
    assert!(message.contains("at least the 8 that the run has seen already, got 7"), "{message}");
    assert_eq!(bench.text("model/config.toml"), config);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let bench = bench();
    bench.train("one", "--threads 1");
    bench.train("two", "--threads 2");
    for file in ["model.safetensors", "calibration.json"] {
        assert!(
            bench.bytes(&format!("one/{file}")) == bench.bytes(&format!("two/{file}")),
            "{file}"
        );
    }
    bench.train("other", "--seed 1");
    assert!(bench.bytes("other/model.safetensors") != bench.bytes("one/model.safetensors"));
}

#[test]
fn a_model_is_replaced_only_by_a_training_that_can_begin() {
    let bench = bench();
    bench.train("model", "");
    let names = bench.names("model");
    // The default's patches do not fit into the images.
    let message = bench.error("train --data cloth --out model --overwrite");
    assert!(message.contains("expected at least 64x64, half a patch"), "{message}");
    assert_eq!(bench.names("model"), names);
}

#[test]
fn a_configuration_file_and_settings_are_combined() {
    let bench = bench();
    let text = "method = \"l2\"\n[model]\npatch_size = 32\nlatent_dim = 8\n[training]\npatches = 8\nseed = 3\n";
    std::fs::write(bench.path("tiny.toml"), text).unwrap();
    bench
        .run("train --config tiny.toml --data cloth --out model --set training.seed=4 --set data.held_out=0.5 --set calibration.min_images=1")
        .done();
    let config: toml::Table = bench.text("model/config.toml").parse().unwrap();
    assert_eq!(config["method"].as_str(), Some("l2"));
    assert_eq!(config["training"]["seed"].as_integer(), Some(4));
    let calibration = bench.json("model/calibration.json");
    assert_eq!((&calibration["images"], &calibration["source"]), (&2.into(), &"held-out".into()));
    assert_eq!(bench.json("model/training.json")["images"], 2);
}
