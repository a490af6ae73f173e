//! `bench-cli calibrate` and `bench-cli info`

use crate::bench::{Bench, TINY, keys, number};
use crate::images::{save, texture, write_cloth};
use std::fs;

#[test]
fn another_rule_gives_another_threshold_and_changes_nothing_else() {
    let bench = Bench::with_model();
    bench.run("calibrate model --set preset=paper").done();
    let before = bench.json("model/calibration.json");
    let config = bench.text("model/config.toml");
    let others = ["model.safetensors", "checkpoint.safetensors", "training.json", "log.jsonl"];
    let bytes = || others.map(|name| bench.bytes(&format!("model/{name}")));
    let unchanged = bytes();

    let run = bench
        .run("calibrate model --set calibration.threshold={rule=\"quantile\",q=0.5} --json")
        .done();
    let after = bench.json("model/calibration.json");
    assert_eq!(run.last(), after);
    assert_eq!(
        keys(&after),
        [
            "data_sha256",
            "drawn",
            "good_max",
            "images",
            "min_area",
            "rule",
            "rules",
            "scores",
            "scoring",
            "source",
            "threshold",
            "weights_sha256"
        ]
    );
    assert_eq!(after["rule"]["rule"], "quantile");
    assert!(number(&after, "threshold") < number(&before, "threshold"));
    for key in ["good_max", "images", "source", "data_sha256", "scoring", "weights_sha256"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert!(bytes() == unchanged);
    let config_after = bench.text("model/config.toml");
    let (of_others, of_calibration) = config_after.split_once("[calibration").unwrap();
    assert_eq!(config.split_once("[calibration").unwrap().0, of_others);
    assert!(of_calibration.contains("q = 0.5"), "{of_calibration}");
}

#[test]
fn no_pixel_of_the_calibration_images_is_flagged_by_the_papers_rule() {
    let bench = Bench::with_model();
    bench.run("calibrate model --set preset=paper").done();
    let run = bench.run("predict model cloth/train/good --out results --exit-code --json");
    assert_eq!(run.code, 0, "{}", run.stdout);
    let scores = run.json();
    let largest = scores.iter().map(|line| number(line, "score")).fold(0.0, f64::max);
    let calibration = bench.json("model/calibration.json");
    assert_eq!(number(&calibration, "good_max"), largest);
    assert_eq!(number(&calibration, "threshold") as f32, (largest as f32).next_up());
}

#[test]
fn other_good_images_can_be_used() {
    let bench = Bench::with_model();
    save(&bench.path("new/0.png"), &texture(11));
    let calibration = bench.run("calibrate model --data new --json").done().last();
    assert_eq!((&calibration["images"], &calibration["source"]), (&1.into(), &"given".into()));
    let info = bench.run("info model").done().stdout;
    assert!(info.contains("from 1 good images, given for the calibration"), "{info}");
    let same = bench.run("calibrate model --good new --json").done().last();
    assert_eq!(same, calibration, "--data by another name");
    let message = bench.error("calibrate model --set training.seed=1");
    assert!(message.contains("training.seed=1") && message.contains("calibration"), "{message}");
    let message =
        bench.error("calibrate model --set calibration.threshold={rule=\"quantile\",q=2}");
    assert!(message.contains('q'), "{message}");
}

#[test]
fn what_was_held_out_is_claimed_of_the_trainings_images_only() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench.train("model", "--set data.held_out=0.5 --set calibration.min_images=2");
    let source = || {
        let run = bench.run("calibrate model --json").done();
        (run.last()["source"].clone(), run.last()["images"].clone(), run.stderr)
    };
    let (held_out, images, note) = source();
    assert_eq!((held_out, images), ("held-out".into(), 2.into()));
    assert!(!note.contains("too low"), "{note}");
    // Another image moves those that the same rule would hold out.
    save(&bench.path("cloth/train/good/a.png"), &texture(12));
    let (unknown, images, note) = source();
    assert_eq!((unknown, images), ("unknown".into(), 5.into()));
    assert!(note.contains("not known to be held out") && note.contains("too low"), "{note}");
    bench.train("all", "--set data.held_out=0");
    assert_eq!(bench.json("all/calibration.json")["source"], "trained-on");
}

/// The threshold is 1 by whatever rule, and images that training has seen join the few that it has not.
#[test]
fn relative_scores_are_measured_against_good_images() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench.train("model", "--set data.held_out=0.5");
    let calibration = bench.json("model/calibration.json");
    assert_eq!(calibration["source"], "held-out-and-trained-on");
    assert_eq!((&calibration["images"], &calibration["min_area"]), (&4.into(), &1.into()));
    assert_eq!(calibration["rule"], serde_json::json!({"rule": "false_alarms", "images": 20.0}));
    assert!(number(&calibration, "standard_error") > 0.0);
    for rule in ["false_alarms:20", "max", "largest_region:20"] {
        let run = bench.run(&format!("calibrate model --rule {rule} --json")).done();
        let threshold = number(&run.last(), "threshold");
        assert!((threshold - 1.0).abs() < 1e-5, "{rule}: {threshold}");
    }
    // A region of 20 pixels is none yet, so that no image of the calibration is defective.
    assert_eq!(bench.json("model/calibration.json")["min_area"], 21);
    let predict = "predict model cloth/train/good --out results --exit-code";
    assert_eq!(bench.run(predict).code, 0);
    assert_eq!(bench.run(&format!("{predict} --min-area 1")).code, 1);
    // Other maps than those of the calibration have no scores.
    let run = bench.run("evaluate model --out results --set inspection.smoothing=[1.0]");
    assert!(
        run.code == 2 && run.stderr.contains("`bench-cli calibrate` makes it"),
        "{}",
        run.stderr
    );
    bench.run("calibrate model --set inspection.smoothing=[1.0]").done();
    bench.run("evaluate model --out results").done();
}

/// Two images of each of two items, which a warning asks to keep together.
#[test]
fn images_of_one_item_are_held_out_together() {
    let bench = Bench::new();
    for (seed, name) in ["a_0", "a_1", "b_0", "b_1"].iter().enumerate() {
        save(&bench.path(&format!("items/{name}.png")), &texture(seed as u32));
    }
    let train = |options: &str| {
        bench
            .run(&format!("train --data items --out model --overwrite {TINY} --set data.held_out=0.5 --set calibration.min_images=1 {options}"))
            .done()
            .stderr
    };
    let warning = train("");
    assert!(warning.contains("of one item (a)") && warning.contains("data.groups"), "{warning}");
    assert!(!train("--set data.groups=^[a-z]").contains("data.groups"));
    assert_eq!(bench.json("model/calibration.json")["images"], 2);
    let message = bench.error("train --data items --out model --overwrite --set data.groups=(");
    assert!(message.contains("data.groups: expected a regular expression"), "{message}");
}

#[test]
fn a_calibration_says_what_other_rules_give() {
    let bench = Bench::with_model();
    bench.run("calibrate model --set preset=paper").done();
    let rules = |calibration: &serde_json::Value| calibration["rules"].as_array().unwrap().clone();
    let before = bench.json("model/calibration.json");
    assert_eq!(before["rules"][0]["threshold"], before["threshold"]);
    let run = bench.run("calibrate model --rule quantile:0.99").done();
    assert!(run.stdout.starts_with("threshold "), "{}", run.stdout);
    assert!(run.stdout.contains(" by quantile:0.99 from 4 good images"), "{}", run.stdout);
    assert!(run.stdout.contains("\nlargest_region:20 "), "{}", run.stdout);
    let after = bench.json("model/calibration.json");
    assert_eq!(after["rule"], serde_json::json!({"rule": "quantile", "q": 0.99}));
    assert_eq!(after["rules"][0]["threshold"], after["threshold"]);
    let sorted = |mut rules: Vec<serde_json::Value>| {
        rules.sort_by_key(ToString::to_string);
        rules
    };
    assert_eq!(sorted(rules(&before)), sorted(rules(&after)), "in another order");
    assert!(bench.text("model/config.toml").contains("q = 0.99"));

    let run = bench.run("calibrate model --rule quantil:0.99");
    assert!(run.code == 2 && run.stderr.contains("expected max, quantile:Q"), "{}", run.stderr);
    assert!(bench.error("calibrate model --rule quantile:2").contains('q'));
}

#[test]
fn a_folder_says_what_it_holds() {
    let bench = Bench::with_model();
    let info = bench.run("info model --json").done().last();
    assert_eq!(keys(&info), ["calibration", "config", "parameters", "training"]);
    assert_eq!(info["calibration"], bench.json("model/calibration.json"));
    assert_eq!(info["training"], bench.json("model/training.json"));
    assert_eq!(info["config"]["model"]["latent_dim"], 8);
    // A record of before there was a choice.
    let mut record = info["training"].clone();
    record.as_object_mut().unwrap().remove("device");
    fs::write(bench.path("model/training.json"), record.to_string()).unwrap();
    assert_eq!(bench.run("info model --json").done().last()["training"]["device"], "cpu");
    let text = bench.run("info model").done().stdout;
    assert!(
        text.contains("trained on 8 patches of 4 images") && text.contains("[model]"),
        "{text}"
    );

    fs::remove_file(bench.path("model/calibration.json")).unwrap();
    assert!(bench.run("info model").done().stdout.contains("not calibrated"));
    let message = bench.error("predict model cloth/train/good --out results");
    assert!(message.contains("bench-cli calibrate model"), "{message}");
    fs::write(bench.path("model/calibration.json"), "{").unwrap();
    assert!(bench.error("info model").contains("model/calibration.json"));
}

#[test]
fn a_threshold_is_of_its_weights_and_settings_only() {
    let bench = Bench::with_model();
    bench.run("calibrate model --set preset=paper").done();
    let config = bench.text("model/config.toml");
    assert!(config.contains("stride = 30"), "{config}");
    fs::write(bench.path("model/config.toml"), config.replace("stride = 30", "stride = 16"))
        .unwrap();
    let predict = "predict model cloth/test/hole --out results";
    let message = bench.error(predict);
    assert!(message.contains("model/calibration.json: not of this model"), "{message}");
    assert!(message.contains("expected `inspection.stride` to be 30, got 16"), "{message}");
    // A threshold of one's own needs no calibration, and a new one mends it.
    bench.run(&format!("{predict} --threshold 0.5")).done();
    bench.run("calibrate model").done();
    bench.run(predict).done();

    bench.train("other", "--seed 1");
    let weights = "model.safetensors";
    fs::copy(bench.path(&format!("other/{weights}")), bench.path(&format!("model/{weights}")))
        .unwrap();
    let message = bench.error("evaluate model --out results");
    assert!(message.contains("expected weights of SHA-256"), "{message}");
}
