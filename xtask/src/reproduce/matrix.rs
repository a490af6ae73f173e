//! The matrix of experiments: a TOML file, and the cells that it stands for.

use super::cell::{Cell, Config};
use crate::datasets;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// A file in `results/matrix`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// What it is for.
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
    /// The key that differs from row to row.
    pub vary: Option<Vary>,
}

/// An ablation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// A key of the configuration with its table, for example `model.latent_dim`.
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

impl Matrix {
    /// # Errors
    /// If the file cannot be read, or is no matrix.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let matrix: Self = toml::from_str(&text).with_context(|| name.to_string())?;
        let is_plain = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        for experiment in &matrix.experiments {
            let key = &experiment.key;
            ensure!(
                !key.is_empty() && is_plain(key),
                "{name}: expected a key of letters, digits and hyphens, got `{key}`"
            );
            ensure!(
                matrix.experiments.iter().filter(|other| other.key == *key).count() == 1,
                "{name}: two experiments have the key `{key}`"
            );
        }
        Ok(matrix)
    }

    /// The lines of an experiment's table, in the order of the file.
    ///
    /// # Errors
    /// If a data set is unknown, or settings contradict each other.
    pub fn rows(&self, experiment: &Experiment) -> Result<Vec<Row>> {
        let values = match &experiment.vary {
            None => vec![None],
            Some(vary) => vary.values.iter().cloned().map(Some).collect(),
        };
        let mut rows = Vec::new();
        for set in &experiment.sets {
            for method in &experiment.methods {
                for value in &values {
                    let (set, method, value) = (set.clone(), method.clone(), value.clone());
                    let cells = self
                        .cells(experiment, &set, &method, value.as_ref())
                        .with_context(|| format!("experiment {}", experiment.key))?;
                    rows.push(Row { set, method, value, cells });
                }
            }
        }
        Ok(rows)
    }

    fn cells(
        &self,
        experiment: &Experiment,
        set: &str,
        method: &str,
        value: Option<&Value>,
    ) -> Result<Vec<Cell>> {
        let mut config = Config::default();
        for settings in [&datasets::config(set)?, &self.config, &experiment.config] {
            config.overlay(settings)?;
        }
        config.set("method", method.into())?;
        if let Some((vary, value)) = experiment.vary.as_ref().zip(value) {
            config.set(&vary.key, value.clone())?;
        }
        let seeds = experiment.seeds.as_ref().unwrap_or(&self.seeds);
        let cell = |&seed: &u64| {
            let mut config = config.clone();
            config.set("training.seed", Value::Integer(i64::try_from(seed)?))?;
            Ok(Cell { set: set.to_owned(), config })
        };
        seeds.iter().map(cell).collect()
    }
}
