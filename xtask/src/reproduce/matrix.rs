//! The matrix of experiments: a TOML file, and the cells that it stands for.

use super::cell::{Cell, Config};
use crate::{datasets, files};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, Value};

/// A file in `results/matrix`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Its purpose, for the report.
    pub description: String,
    pub seeds: Vec<u64>,
    /// Settings of all cells, as in bench-cli's configuration; they prevail over those of the data set.
    #[serde(default)]
    pub config: Table,
    #[serde(rename = "experiment")]
    pub experiments: Vec<Experiment>,
}

/// Data sets × methods × values of one key, all with the same seeds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Names its files.
    pub key: String,
    pub title: String,
    /// Keys of data sets, as `cargo xtask datasets list` names them.
    pub sets: Vec<String>,
    pub methods: Vec<String>,
    /// Other seeds than the matrix's.
    pub seeds: Option<Vec<u64>>,
    /// Settings that prevail over the matrix's.
    #[serde(default)]
    pub config: Table,
    /// The preset that its models are inspected and calibrated by, if it is another than the paper's.
    pub preset: Option<String>,
    /// The key that differs from row to row.
    pub vary: Option<Vary>,
}

/// An ablation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// A key of the configuration with its table, for example `model.latent_dim`; or `preset`, whose rows share their models.
    pub key: String,
    pub values: Vec<Value>,
}

/// One line of an experiment's table: cells that differ by their seed only.
#[derive(Clone, Debug)]
pub struct Row {
    pub set: String,
    pub method: String,
    /// The value of the key that varies.
    pub value: Option<Value>,
    pub cells: Vec<Cell>,
}

impl Experiment {
    /// Whether its rows are inspected by different presets.
    pub fn compares_presets(&self) -> bool {
        self.vary.as_ref().is_some_and(|vary| vary.key == "preset")
    }

    /// Whether its rows are inspected as they are calibrated.
    pub fn is_decided(&self) -> bool {
        !self.vary.as_ref().is_some_and(|vary| vary.key.starts_with("inspection."))
    }

    /// The preset of a row, if it is another than the paper's.
    fn preset(&self, value: Option<&Value>) -> Option<String> {
        let compared = value.filter(|_| self.compares_presets()).and_then(Value::as_str);
        compared.or(self.preset.as_deref()).filter(|&preset| preset != "paper").map(str::to_owned)
    }
}

impl Matrix {
    /// # Errors
    /// If the file cannot be read, or is no matrix.
    pub fn read(path: &Path) -> Result<Self> {
        let matrix: Self = files::read_toml(path)?;
        matrix.check().with_context(|| path.display().to_string())?;
        Ok(matrix)
    }

    fn check(&self) -> Result<()> {
        let is_plain = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        for (index, experiment) in self.experiments.iter().enumerate() {
            let Experiment { key, seeds, preset, vary, .. } = experiment;
            ensure!(
                !key.is_empty() && is_plain(key) && !["data", "provenance"].contains(&key.as_str()),
                "expected a key of letters, digits and hyphens, not `data` or `provenance`, got `{key}`"
            );
            let others = &self.experiments[..index];
            ensure!(
                others.iter().all(|other| other.key != *key),
                "two experiments have the key `{key}`"
            );
            let seeds = seeds.as_ref().unwrap_or(&self.seeds);
            let distinct: BTreeSet<_> = seeds.iter().collect();
            ensure!(
                !seeds.is_empty() && distinct.len() == seeds.len(),
                "experiment {key}: expected different seeds, at least one, got {seeds:?}"
            );
            ensure!(
                vary.as_ref()
                    .is_none_or(|vary| !["method", "training.seed"].contains(&vary.key.as_str())),
                "experiment {key}: methods and seeds have lists of their own"
            );
            ensure!(
                !experiment.compares_presets()
                    || vary.iter().flat_map(|vary| &vary.values).all(Value::is_str),
                "experiment {key}: expected names of presets"
            );
            let tables = ["preset", "residual", "inspection", "calibration"];
            let is_of_preset =
                |key: &str| tables.iter().any(|table| key.split('.').next() == Some(table));
            let mut set = vary.iter().map(|vary| &vary.key).chain(experiment.config.keys());
            ensure!(
                preset.is_none() || !set.any(|key| is_of_preset(key)),
                "experiment {key}: the preset sets `residual`, `inspection` and `calibration`"
            );
        }
        Ok(())
    }

    /// The lines of an experiment's table, in the order of the file. `defaults` are bench-cli's settings. Data sets lie in
    /// `images`, if given, otherwise in the usual place. `features` is the SHA-256 of the weights of the matched features.
    ///
    /// # Errors
    /// If a data set is unknown, or settings contradict each other.
    pub fn rows(
        &self,
        experiment: &Experiment,
        defaults: &Config,
        images: Option<&Path>,
        features: Option<&str>,
    ) -> Result<Vec<Row>> {
        let values = match &experiment.vary {
            None => vec![None],
            Some(vary) => vary.values.iter().cloned().map(Some).collect(),
        };
        let mut rows = Vec::new();
        for set in &experiment.sets {
            let images = datasets::identity(set, images)?;
            for method in &experiment.methods {
                for value in &values {
                    let (set, method, value) = (set.clone(), method.clone(), value.clone());
                    let preset = experiment.preset(value.as_ref());
                    let configs = self
                        .configs(experiment, defaults, &set, &method, value.as_ref())
                        .with_context(|| format!("experiment {}", experiment.key))?;
                    let cell = |config: Config| {
                        let (set, images) = (set.clone(), images.clone());
                        let features = features.filter(|_| config.matches_features());
                        let features = features.map(str::to_owned);
                        Cell { set, images, features, preset: preset.clone(), config }
                    };
                    let cells = configs.into_iter().map(cell).collect();
                    rows.push(Row { set, method, value, cells });
                }
            }
        }
        Ok(rows)
    }

    /// The settings of a row, for each seed.
    fn configs(
        &self,
        experiment: &Experiment,
        defaults: &Config,
        set: &str,
        method: &str,
        value: Option<&Value>,
    ) -> Result<Vec<Config>> {
        let mut config = defaults.clone();
        for settings in [&datasets::config(set)?, &self.config, &experiment.config] {
            config.overlay(settings)?;
        }
        config.set("method", method.into())?;
        let vary = experiment.vary.as_ref().filter(|_| !experiment.compares_presets());
        if let Some((vary, value)) = vary.zip(value) {
            config.set(&vary.key, value.clone())?;
        }
        let seeds = experiment.seeds.as_ref().unwrap_or(&self.seeds);
        let with_seed = |&seed: &u64| {
            let mut config = config.clone();
            config.set("training.seed", Value::Integer(i64::try_from(seed)?))?;
            Ok(config)
        };
        seeds.iter().map(with_seed).collect()
    }
}
