//! One training and evaluation.

use anyhow::{Context, Result, bail};
use detector::files::sha256;
use serde::Serialize;
use toml::{Table, Value};

/// A data set with all settings. Equal cells have equal results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Key of the data set.
    pub set: String,
    /// Tells its images from those of another version or part of the set.
    pub images: String,
    /// SHA-256 of the weights of the features that are matched, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<String>,
    /// The preset that the trained model is inspected and calibrated by, if it is another than the paper's. It prevails over the
    /// tables `residual`, `inspection` and `calibration` of `config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    pub config: Config,
}

/// All settings of bench-cli, defaults included, so that a setting left out equals its default.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Config(Table);

impl Cell {
    /// The name of the cell's folder.
    pub fn hash(&self) -> String {
        hash(&Self { config: self.config.as_hashed(), ..self.clone() })
    }

    /// The name of the model's folder: equal for cells that differ in their inspection only.
    pub fn model_hash(&self) -> String {
        self.hash_with(&self.training_config())
    }

    /// Equal for cells whose trainings differ in their length only.
    pub fn lineage_hash(&self) -> String {
        let mut config = self.training_config();
        // Without its length.
        if let Some(Value::Table(training)) = config.0.get_mut("training") {
            training.remove("patches");
        }
        self.hash_with(&config)
    }

    /// The hash of the images, the features if there are some, and settings.
    fn hash_with(&self, config: &Config) -> String {
        let config = &config.as_hashed();
        match &self.features {
            Some(features) => hash(&(&self.set, &self.images, features, config)),
            None => hash(&(&self.set, &self.images, config)),
        }
    }

    /// The settings that the training depends on.
    pub fn training_config(&self) -> Config {
        let mut config = self.config.clone();
        config.0.remove("inspection");
        config
    }

    /// The settings of the inspection, as arguments of `bench-cli evaluate`; none if the preset has them.
    pub fn inspection_settings(&self) -> Vec<String> {
        let config = self.preset.is_none().then_some(&self.config);
        let inspection = config.and_then(|config| config.get("inspection")?.as_table());
        let settings = inspection.into_iter().flatten();
        settings
            .flat_map(|(key, value)| ["--set".into(), format!("inspection.{key}={value}")])
            .collect()
    }

    pub fn method(&self) -> &str {
        self.config.text("method")
    }

    /// Whether it needs the weights of a network whose features are matched.
    pub fn matches_features(&self) -> bool {
        self.config.matches_features()
    }

    /// The length of its training.
    pub fn patches(&self) -> i64 {
        self.config.integer("training.patches")
    }

    pub fn seed(&self) -> i64 {
        self.config.integer("training.seed")
    }
}

/// The first digits of the SHA-256 of the content as JSON with sorted keys.
fn hash(content: &impl Serialize) -> String {
    // A table of TOML has no key that JSON has not, and sorts them.
    let text = serde_json::to_string(content).unwrap_or_default();
    sha256(text.as_bytes())[..12].to_owned()
}

impl Config {
    pub fn matches_features(&self) -> bool {
        self.text("method") == "feature-matching"
    }

    /// The settings that a hash is of: without those that older programs did not have, where they do as these did.
    fn as_hashed(&self) -> Self {
        let mut config = self.clone();
        if let Some(Value::Table(training)) = config.0.get_mut("training")
            && training.get("corruption").and_then(Value::as_str) == Some("none")
        {
            training.remove("corruption");
        }
        config
    }

    /// The settings that bench-cli prints as JSON.
    ///
    /// # Errors
    /// If it is no table.
    pub fn from_json(settings: serde_json::Value) -> Result<Self> {
        serde_json::from_value(settings).map(Self).context("expected the settings of bench-cli")
    }

    /// Replaces settings by others.
    ///
    /// # Errors
    /// If a table stands against a value.
    pub fn overlay(&mut self, settings: &Table) -> Result<()> {
        overlay(&mut self.0, settings)
    }

    /// Sets `key`, which names its table: `training.patches`.
    ///
    /// # Errors
    /// If a value stands where its table should be.
    pub fn set(&mut self, key: &str, value: Value) -> Result<()> {
        let mut names = key.rsplit('.');
        let last = names.next().unwrap_or(key).to_owned();
        let table = Table::from_iter([(last, value)]);
        let wrap = |inner, name: &str| Table::from_iter([(name.to_owned(), Value::Table(inner))]);
        self.overlay(&names.fold(table, wrap))
    }

    /// The value of `key`, if it is set.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut names = key.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// A whole number; 0 if there is none.
    pub fn integer(&self, key: &str) -> i64 {
        self.get(key).and_then(Value::as_integer).unwrap_or_default()
    }

    /// A text; empty if there is none.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// As a configuration file.
    ///
    /// # Errors
    /// If there is something that TOML has no form for.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string(&self.0)?)
    }
}

fn overlay(under: &mut Table, over: &Table) -> Result<()> {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over)?,
            (Some(Value::Table(_)), _) | (Some(_), Value::Table(_)) => {
                bail!("`{key}` is a table in one place and a value in another");
            }
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Settings of the names that bench-cli has.
    pub fn defaults() -> Config {
        let settings = serde_json::json!({
            "method": "ssim",
            "data": { "held_out": 0.1 },
            "model": { "patch_size": 128, "latent_dim": 100 },
            "ssim": { "window": "uniform:11", "constants": "squared", "exponents": [1.0, 1.0, 1.0] },
            "features": { "extractor": "alexnet" },
            "training": { "patches": 2_000_000, "batch_size": 16, "precision": "f32", "seed": 0 },
            "inspection": { "stride": 30, "averaging": "reconstruction", "opening_diameter": 4 },
        });
        Config::from_json(settings).expect("a table")
    }

    fn cell(text: &str) -> Cell {
        let mut config = defaults();
        config
            .overlay(&toml::from_str(text).expect("it is TOML"))
            .expect("keys are of their kinds");
        Cell { set: "plain".into(), images: String::new(), features: None, preset: None, config }
    }

    #[test]
    fn settings_prevail_over_those_below() {
        let mut cell = cell("method = \"l2\"\n[model]\nlatent_dim = 100\npatch_size = 64");
        cell.config.set("model.latent_dim", Value::Integer(500)).expect("it is a value");
        cell.config.set("training.seed", Value::Integer(3)).expect("there is none yet");
        assert_eq!(cell.config.integer("model.latent_dim"), 500);
        assert_eq!(cell.config.integer("model.patch_size"), 64);
        assert_eq!(cell.config.integer("training.batch_size"), 16);
        assert_eq!((cell.method(), cell.seed()), ("l2", 3));
        assert!(cell.config.set("model", Value::Integer(1)).is_err());
        assert!(cell.config.set("method.name", Value::Integer(1)).is_err());
    }

    #[test]
    fn cells_that_inspect_otherwise_share_a_model() {
        let plain = cell("[model]\nlatent_dim = 100");
        let other =
            cell("[inspection]\nstride = 64\naveraging = \"residual\"\n[model]\nlatent_dim = 100");
        assert_eq!(plain.model_hash(), other.model_hash());
        assert_ne!(plain.hash(), other.hash());
        assert_eq!(plain.hash().len(), 12);
        let settings = other.inspection_settings();
        assert!(settings.contains(&"inspection.averaging=\"residual\"".to_owned()), "{settings:?}");
        assert!(settings.contains(&"inspection.stride=64".to_owned()), "{settings:?}");
        assert_ne!(plain.model_hash(), cell("[model]\nlatent_dim = 50").model_hash());
        assert_eq!(
            plain.hash(),
            cell("[inspection]\nstride = 30").hash(),
            "defaults said and left out"
        );
    }

    #[test]
    fn a_longer_training_is_of_the_same_lineage() {
        let short = cell("[training]\npatches = 10");
        let long = cell("[training]\npatches = 20\n[inspection]\nstride = 64");
        assert_eq!(short.lineage_hash(), long.lineage_hash());
        assert_ne!(short.model_hash(), long.model_hash());
        let other = cell("[training]\npatches = 10\nseed = 1");
        assert_ne!(short.lineage_hash(), other.lineage_hash());
    }
}
