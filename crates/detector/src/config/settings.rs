//! The parts of a configuration that weights and scores depend on.

use super::file::Config;
use super::tables::Measure;
use crate::records::Settings;
use crate::{Method, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// Settings that the weights of a model are not tied to: the places of the images and of the extractor's weights, the length of the
/// training, the region of interest, which may be another later, and all that comes after it. A name that ends with a dot is a table.
const NOT_LEARNT_FROM: [&str; 18] = [
    "preset",
    "data.root",
    "data.images",
    "data.only",
    "data.layout",
    "data.good",
    "data.masks.",
    "data.region",
    "data.region.",
    "data.region_share",
    "features.weights",
    "training.patches",
    "vae.samples",
    "vae.score",
    "vae.variance_floor",
    "residual.",
    "inspection.",
    "calibration.",
];

/// Settings that the scores of all methods depend on.
const SCORED_BY: [&str; 17] = [
    "method",
    "data.margins.",
    "data.region",
    "data.region.",
    "data.size",
    "data.bits",
    "data.range",
    "data.channel",
    "model.",
    "residual.",
    "inspection.stride",
    "inspection.border",
    "inspection.blend",
    "inspection.averaging",
    "inspection.smoothing",
    "inspection.scores",
    "inspection.opening_diameter",
];

/// Settings that a configuration may do without, which is a setting, too.
const OPTIONAL: [&str; 8] = [
    "data.size",
    "data.bits",
    "data.range",
    "data.channel",
    "data.groups",
    "residual.window",
    "residual.exponents",
    "inspection.stride",
];

impl Settings {
    /// The settings that weights depend on.
    ///
    /// # Errors
    /// If a path is not Unicode.
    pub fn of_learning(config: &Config) -> Result<Self> {
        let others = tables_of_other_methods(config.method);
        let decides = |name: &str| !covers(&NOT_LEARNT_FROM, name) && !covers(others, name);
        Self::chosen(config, decides)
    }

    /// The settings that an interrupted training is tied to.
    ///
    /// # Errors
    /// If a path is not Unicode.
    pub fn of_training(config: &Config) -> Result<Self> {
        let Self(mut settings) = Self::of_learning(config)?;
        let region = Self::chosen(config, |name| name.starts_with("data.region"))?;
        settings.extend(region.0);
        Ok(Self(settings))
    }

    /// The settings that scores depend on.
    ///
    /// # Errors
    /// If a path is not Unicode.
    pub fn of_scoring(config: &Config) -> Result<Self> {
        let of_method: &[&str] = match config.method {
            // The seed is also that of the latent samples.
            Method::Vae => &["vae.", "training.seed"],
            Method::Ssim | Method::L2 | Method::FeatureMatching => &[],
        };
        let by_ssim = config.method == Method::Ssim || config.residual.measure == Measure::Ssim;
        let of_measure: &[&str] = if by_ssim { &["ssim."] } else { &[] };
        Self::chosen(config, |name| {
            [&SCORED_BY, of_method, of_measure].iter().any(|names| covers(names, name))
        })
    }

    fn chosen(config: &Config, is_chosen: impl Fn(&str) -> bool) -> Result<Self> {
        let mut settings = BTreeMap::new();
        flatten("", serde_json::to_value(config)?, &mut settings);
        // The place of a copy; its content has a hash.
        settings.remove("data.region.mask");
        for name in OPTIONAL {
            settings.entry(name.to_owned()).or_insert(Value::Null);
        }
        if config.data.region.is_none() {
            settings.insert("data.region".to_owned(), Value::Null);
        }
        settings.retain(|name, _| is_chosen(name));
        Ok(Self(settings))
    }
}

/// Whether a setting is one of the given names, or in one of the tables among them.
fn covers(names: &[&str], setting: &str) -> bool {
    let is_covered =
        |name: &&str| setting == *name || (name.ends_with('.') && setting.starts_with(name));
    names.iter().any(is_covered)
}

/// The tables that a method does not look at in training.
fn tables_of_other_methods(method: Method) -> &'static [&'static str] {
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
