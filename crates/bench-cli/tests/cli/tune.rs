//! `bench-cli tune`

use crate::bench::{Bench, keys, number};
use crate::images::{save, texture, write_cloth};
use serde_json::{Value, json};
use std::fs;

/// Two candidates that train in a moment.
const SMALL: &str = "--set model.patch_size=32 --set model.latent_dim=8 --patch-sizes 32 --latent-dims 8 --scales 1 --budget 0.02";

fn bench() -> Bench {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench
}

fn without_time(mut record: Value) -> Value {
    record.as_object_mut().unwrap().remove("seconds");
    record
}

#[test]
fn a_tuning_chooses_a_configuration_that_train_takes() {
    let bench = bench();
    let tune = format!("tune --data cloth --out tuned {SMALL} --json");
    let run = bench.run(&tune).done();
    let record = run.last();
    assert_eq!(record, bench.json("tuned/tune.json"));
    assert_eq!((&record["is_complete"], &record["agreement"]), (&true.into(), &Value::Null));
    // Images of 48×40 pixels have room for one defect each.
    assert_eq!((&record["good_images"], &record["drawn_defects"]), (&4.into(), &4.into()));
    assert_eq!(record["rungs"][0]["candidates"], 2);
    let candidates = record["candidates"].as_array().unwrap();
    let names: Vec<&str> = candidates.iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"ssim-x1-d8-p32") || names.contains(&"l2-x1-d8-p32"), "{names:?}");
    let best = &candidates[0];
    assert_eq!(best["patches"], record["rungs"][0]["patches"]);
    let choices = best["choices"].as_array().unwrap();
    assert_eq!((choices.len(), &best["is_thorough"]), (275, &true.into()));
    assert_eq!(keys(&choices[0]), ["au_roc", "choice", "found", "kinds", "pixel_au_roc"]);
    let areas: Vec<f64> = choices.iter().map(|choice| number(choice, "pixel_au_roc")).collect();
    assert!(
        areas.is_sorted_by(|a, b| a >= b) && areas.iter().all(|area| (0.0..=1.0).contains(area))
    );

    let page = bench.text("tuned/tune.html");
    for expected in ["<h2>Models</h2>", names[0], "data:image/jpeg;base64,", "How far to trust it"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    // What was chosen is what is trained, by the schedule of a whole training.
    bench.run("train --config tuned/tuned.toml --out model --patches 8").done();
    let config = bench.run("config --config tuned/tuned.toml --json").done().last();
    assert_eq!(config["residual"], choices[0]["choice"]["residual"]);
    assert_eq!(config["inspection"]["smoothing"], choices[0]["choice"]["smoothing"]);
    assert_eq!(config["training"]["patches"], 2_000_000);

    // Once more: nothing is left to do.
    let again = bench.run(&tune).done();
    assert_eq!(without_time(again.last()), without_time(record));
    let message = bench.error(&format!("{tune} --seed 1"));
    assert!(message.contains("tuned/plan.toml") && message.contains("--overwrite"), "{message}");
    let other = bench.run(&format!("{tune} --seed 1 --overwrite")).done().last();
    assert_eq!(other["is_complete"], true);
}

#[test]
fn a_tuning_goes_on_where_it_stopped() {
    let bench = bench();
    let tune = format!("tune --data cloth --out tuned {SMALL} --methods ssim,l2 --json");
    let record = bench.run(&tune).done().last();
    // As if it had been killed after its first model.
    let mut stopped = record.clone();
    let candidates = stopped["candidates"].as_array_mut().unwrap();
    let measured = candidates.len();
    candidates.truncate(1);
    stopped["is_complete"] = false.into();
    fs::write(bench.path("tuned/tune.json"), stopped.to_string()).unwrap();
    let resumed = bench.run(&tune).done().last();
    assert_eq!(resumed["candidates"].as_array().unwrap().len(), measured);
    assert_eq!(resumed["candidates"][0], record["candidates"][0]);
}

#[test]
fn residuals_of_a_trained_model_are_compared_and_labels_only_judge() {
    let bench = Bench::with_model();
    let blind = bench.run("tune --model model --out blind --json").done().last();
    let run = bench.run("tune --model model --out judged --labels --json").done();
    let record = run.last();
    assert_eq!((&record["budget"], &record["rungs"]), (&Value::Null, &json!([])));
    let agreement = &record["agreement"];
    assert_eq!(keys(agreement), ["best", "chosen", "default", "over_candidates", "over_choices"]);
    assert!(number(agreement, "best") >= number(agreement, "chosen"));
    assert!((-1.0..=1.0).contains(&number(agreement, "over_choices")), "{agreement}");
    assert_eq!(agreement["over_candidates"], Value::Null, "of one model");
    let chosen = |record: &Value| record["candidates"][0]["choices"][0]["choice"].clone();
    assert_eq!(chosen(&record), chosen(&blind));
    let text = bench.run("tune --model model --out blind").done().stdout;
    let command = text.lines().find(|line| line.starts_with("bench-cli calibrate MODEL ")).unwrap();
    assert!(command.contains("--set 'residual.measure="), "{command}");
}

#[test]
fn what_cannot_be_tuned_is_said() {
    let bench = bench();
    save(&bench.path("good/0.png"), &texture(0));
    for (arguments, expected) in [
        (
            "--data cloth --budget 0",
            "--budget must be a number of minutes above 0 and at most 525600, got 0",
        ),
        (
            "--data cloth --patch-sizes 32 --set model.patch_size=32 --scales 2",
            "--scales must be above 0 and at most 1, got 2",
        ),
        (
            "--data cloth --patch-sizes 32 --set model.patch_size=32 --scales 0.5",
            "would be smaller than a patch",
        ),
        ("--data none", "none"),
        (
            "--data good --patch-sizes 32 --set model.patch_size=32 --labels",
            "good: expected defective test images for --labels, got none",
        ),
        ("--model none", "none: expected the folder of a model"),
        (
            "--data cloth --patch-sizes 32 --set model.patch_size=32 --methods feature-matching",
            "weights",
        ),
        ("--out missing", "--data names the folder"),
    ] {
        let out = if arguments.contains("--out") { "" } else { "--out tuned" };
        let message = bench.error(&format!("tune {arguments} {out}"));
        assert!(message.contains(expected), "{arguments}: {message}");
    }
}
