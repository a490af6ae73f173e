//! The settings of a run as its checkpoints keep them.

use crate::loss::FeatureMatching;
use crate::objective::Objective;
use crate::trainer::TrainingConfig;
use crate::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The settings that decide how a run goes on, by dotted names such as `adam.learning_rate`.
pub(super) type Settings = BTreeMap<String, Value>;

/// All settings but the length of the run, which may be changed when it goes on.
pub(super) fn of(config: &TrainingConfig) -> Result<Settings> {
    let TrainingConfig { architecture, objective, adam, schedule } = config;
    let mut settings = Settings::new();
    let parts = [
        ("architecture", serde_json::to_value(architecture)),
        ("objective", Ok(describe(objective))),
        ("adam", serde_json::to_value(adam)),
        ("schedule", serde_json::to_value(schedule)),
    ];
    for (part, value) in parts {
        let value =
            value.map_err(|error| Error::setting("checkpoint", "of plain settings", error))?;
        flatten(part, value, &mut settings);
    }
    settings.remove("schedule.patches");
    if schedule.corruption.is_none() {
        // As in checkpoints of before there was the setting.
        settings.remove("schedule.corruption");
    }
    Ok(settings)
}

fn describe(objective: &Objective) -> Value {
    match objective {
        Objective::L2 => json!({ "loss": "l2" }),
        Objective::Ssim(ssim::Params { window, border, constants, exponents }) => json!({
            "loss": "ssim",
            "window": window.to_string(),
            "border": border.to_string(),
            "constants": [constants.c1, constants.c2, constants.c3],
            "exponents": [exponents.alpha, exponents.beta, exponents.gamma],
        }),
        Objective::Elbo(elbo) => {
            json!({ "loss": "elbo", "kl_weight": elbo.kl_weight, "variance": elbo.variance })
        }
        Objective::FeatureMatching(FeatureMatching { features, weight }) => json!({
            "loss": "feature-matching",
            "extractor": features.extractor(),
            "sha256": features.sha256(),
            "weight": weight,
        }),
    }
}

fn flatten(name: &str, value: Value, settings: &mut Settings) {
    match value {
        Value::Object(fields) => {
            for (key, value) in Map::into_iter(fields) {
                flatten(&format!("{name}.{key}"), value, settings);
            }
        }
        value => {
            settings.insert(name.to_owned(), value);
        }
    }
}

/// Compares the settings of a checkpoint with those of the run that is to go on from it.
///
/// # Errors
/// [`Error::CheckpointMismatch`] with the first setting that differs.
pub(super) fn compare(expected: &Settings, got: &Settings) -> Result<()> {
    let mut names = expected.keys().chain(got.keys());
    let Some(name) = names.find(|&name| expected.get(name) != got.get(name)) else {
        return Ok(());
    };
    let shown = |settings: &Settings| settings.get(name).map_or("none".into(), Value::to_string);
    let (expected, got) = (shown(expected), shown(got));
    Err(Error::CheckpointMismatch { name: name.clone(), expected, got })
}
