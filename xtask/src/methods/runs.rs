//! One method with one seed: trained and evaluated, unless that is done.

use super::{Args, config};
use crate::command::{bench_cli, strings, text};
use crate::files;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What a run reached.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub method: String,
    pub seed: u64,
    pub synthetic: bool,
    pub images: u64,
    pub patches: u64,
    pub pixel_au_roc: f64,
    pub au_pro: f64,
    /// Absent unless there are good and defective images.
    pub image_au_roc: Option<f64>,
    /// The good images that this compares with: `test` or `held-out`.
    pub image_au_roc_good: Option<String>,
    pub loss: f64,
    pub collapsed: bool,
    pub training_seconds: f64,
    /// Hash of the weights of the features that were matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features_sha256: Option<String>,
}

/// The folder of a run.
pub fn folder(args: &Args, method: &str, seed: u64) -> PathBuf {
    args.work.join(&args.name).join(format!("{method}-{seed}"))
}

/// # Errors
/// If training or evaluation fail, or the work folder holds a run with other settings.
pub fn run(args: &Args, data: &Path, method: &str, seed: u64) -> Result<Run> {
    let folder = folder(args, method, seed);
    let (model, evaluation) = (folder.join("model"), folder.join("evaluation"));
    let metrics = evaluation.join("metrics.json");
    check_settings(args, method, &folder)?;
    if !metrics.exists() {
        bench_cli(&training(args, data, method, seed, &model)?)?;
        let mut evaluate = strings(["evaluate", "--json"]);
        evaluate.extend([text(&model)?, "--out".into(), text(&evaluation)?]);
        bench_cli(&evaluate)?;
    }
    let (metrics, record) = (read(&metrics)?, read(&model.join("training.json"))?);
    summary(method, seed, &metrics, &record).with_context(|| folder.display().to_string())
}

/// Writes down what decides about a run, or compares it with what an earlier command has written.
fn check_settings(args: &Args, method: &str, folder: &Path) -> Result<()> {
    let config = config(args);
    let name = config.display();
    let config = std::fs::read_to_string(&config).with_context(|| format!("cannot read {name}"))?;
    let Args { patches, settings, extractor, .. } = args;
    let extractor = if method == "feature-matching" { extractor } else { "" };
    let wanted = format!("{patches} patches\n{settings:?}\n{extractor}\n{config}");
    let path = folder.join("settings.txt");
    if !path.exists() {
        return files::replace(&path, &wanted);
    }
    let found = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        found == wanted,
        "{}: expected the settings of this command, got others; name another --work",
        path.display()
    );
    Ok(())
}

/// The arguments of a training, or of going on with it.
fn training(
    args: &Args,
    data: &Path,
    method: &str,
    seed: u64,
    model: &Path,
) -> Result<Vec<String>> {
    let mut train = strings(["train", "--json", "--out"]);
    train.extend([text(model)?, "--patches".into(), args.patches.to_string()]);
    if model.join("config.toml").exists() && model.join("checkpoint.safetensors").exists() {
        train.push("--resume".into());
    } else {
        train.extend(strings(["--overwrite", "--method", method, "--seed", &seed.to_string()]));
        train.extend(["--config".into(), text(&config(args))?, "--data".into(), text(data)?]);
        let extractor = format!("features.extractor={}", args.extractor);
        train.extend(strings(["--set", &extractor]));
        train.extend(args.settings.iter().flat_map(|setting| strings(["--set", setting])));
    }
    if let Some(weights) = args.features_weights.as_ref().filter(|_| method == "feature-matching") {
        train.extend(["--features-weights".into(), text(weights)?]);
    }
    Ok(train)
}

fn read(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}

fn summary(method: &str, seed: u64, metrics: &Value, record: &Value) -> Result<Run> {
    let number = |value: &Value, key: &str| {
        value[key].as_f64().with_context(|| format!("expected a number `{key}`"))
    };
    let count =
        |key: &str| metrics[key].as_u64().with_context(|| format!("expected a count `{key}`"));
    Ok(Run {
        method: method.to_owned(),
        seed,
        synthetic: metrics["synthetic"] == true,
        images: count("images")?,
        patches: count("patches")?,
        pixel_au_roc: number(metrics, "pixel_au_roc")?,
        au_pro: number(metrics, "au_pro")?,
        image_au_roc: metrics["image_au_roc"].as_f64(),
        image_au_roc_good: metrics["image_au_roc_good"].as_str().map(String::from),
        loss: number(record, "loss")?,
        collapsed: record["collapsed"] == true,
        training_seconds: number(record, "seconds")?,
        features_sha256: record["features"]["sha256"].as_str().map(String::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_is_read_from_what_bench_cli_writes() {
        let metrics = json!({
            "synthetic": true, "images": 4, "patches": 8, "pixel_au_roc": 0.9, "au_pro": 0.5, "image_au_roc": null
        });
        let record = json!({"loss": 0.25, "collapsed": false, "seconds": 3.5});
        let run = summary("l2", 1, &metrics, &record).expect("all fields are there");
        assert_eq!((run.pixel_au_roc, run.image_au_roc, run.patches), (0.9, None, 8));
        let error = summary("l2", 1, &json!({"images": 4}), &record).map_err(|e| e.to_string());
        assert!(error.is_err_and(|error| error.contains("patches")));
    }
}
