//! The part of a configuration that decides what a network learns.

use super::{Config, Method};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What weights depend on beside images, by the names that `--set` takes. Weights are of these settings only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearningSettings(BTreeMap<String, Value>);

/// Where the images and the extractor's weights lie, how long the training is, and all that comes after it.
const OTHERS: [&str; 9] = [
    "data.root",
    "data.layout",
    "features.weights",
    "training.patches",
    "vae.samples",
    "vae.score",
    "vae.variance_floor",
    "inspection.",
    "calibration.",
];

impl LearningSettings {
    /// # Errors
    /// If a path is not Unicode.
    pub fn of(config: &Config) -> Result<Self> {
        let mut settings = BTreeMap::new();
        flatten("", serde_json::to_value(config)?, &mut settings);
        let of_other_methods = other_methods(config.method);
        settings.retain(|name, _| {
            !OTHERS.iter().chain(of_other_methods).any(|other| name.starts_with(other))
        });
        Ok(Self(settings))
    }

    /// Compares with the settings of a configuration.
    ///
    /// Settings that the record lacks are newer than it, and are not compared.
    ///
    /// # Errors
    /// If they differ; the error names what does, and both values.
    pub fn expect(&self, config: &Config) -> Result<()> {
        let Self(theirs) = Self::of(config)?;
        match self.0.iter().find(|(name, value)| theirs.get(*name) != Some(value)) {
            None => Ok(()),
            Some((name, expected)) => {
                let got = theirs.get(name).map_or("nothing".to_owned(), Value::to_string);
                bail!("expected `{name}` to be {expected}, got {got}")
            }
        }
    }
}

/// The tables that a method does not look at in training.
fn other_methods(method: Method) -> &'static [&'static str] {
    match method {
        Method::L2 => &["ssim.", "vae.", "features."],
        Method::Ssim => &["vae.", "features."],
        Method::Vae => &["ssim.", "features."],
        Method::FeatureMatching => &["ssim.", "vae."],
    }
}

fn flatten(name: &str, value: Value, settings: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{dot}{key}"), value, settings);
            }
        }
        value => {
            settings.insert(name.to_owned(), value);
        }
    }
}
