//! Models for other programs. `cargo xtask interop` lets these use them.

use crate::bench::{Bench, keys};
use serde_json::json;

#[test]
fn a_network_is_exported_beside_the_model_or_elsewhere() {
    let bench = Bench::with_model();
    let report = bench.run("export model --json").done().last();
    assert_eq!(keys(&report), ["inputs", "latent_dim", "onnx", "patch_size"]);
    assert_eq!(report["onnx"], "model/model.onnx");
    assert_eq!(report["inputs"], json!(["patches"]));
    assert_eq!((&report["patch_size"], &report["latent_dim"]), (&json!(32), &json!(8)));
    // Still a model.
    bench.run("info model").done();

    let run = bench.run("export model --out elsewhere/net.onnx").done();
    assert_eq!(run.stdout, "elsewhere/net.onnx: takes patches, gives reconstructions\n");
    assert_eq!(bench.bytes("elsewhere/net.onnx"), bench.bytes("model/model.onnx"));
    let weights = bench.bytes("model/model.safetensors").len();
    assert!(bench.bytes("model/model.onnx").len() > weights - 4096, "all weights are in it");
}

#[test]
fn a_variational_autoencoder_takes_noise() {
    let bench = Bench::new();
    crate::images::write_cloth(&bench.path("cloth"));
    bench.train("model", "--method vae");
    let report = bench.run("export model --json").done().last();
    assert_eq!(report["inputs"], json!(["patches", "noise"]));
}

#[test]
fn what_cannot_be_exported_is_named() {
    let bench = Bench::with_model();
    let error = bench.error("export nothing");
    assert!(error.contains("nothing"), "{error}");
    let error = bench.error("export model --out cloth");
    assert_eq!(error, "error: cloth: is a folder; expected the name of a file");
}

#[test]
fn shells_and_man_know_every_subcommand() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.run(&format!("completions {shell}")).done().stdout;
        for word in ["bench-cli", "calibrate", "threshold"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    bench.run("man --out man").done();
    let pages = bench.names("man");
    for page in ["bench-cli.1", "bench-cli-predict.1", "bench-cli-bench-train-step.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} is not among {pages:?}");
    }
    let page = bench.text("man/bench-cli-predict.1");
    assert!(page.contains("Find defects in images") && page.contains("\\-\\-threshold"), "{page}");
}
