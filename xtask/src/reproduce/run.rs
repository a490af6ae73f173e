//! Runs cells.

use super::cell::Cell;
use super::store::{Finished, Provenance, Store};
use crate::command::{last_json_line, repository, strings, text};
use crate::datasets::{self, Set};
use crate::files;
use crate::machine::{commit, date, processor};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

/// What cells are run with.
pub struct Runner {
    pub store: Store,
    /// The program.
    pub bench_cli: PathBuf,
    /// Where data sets lie, unless in the usual place.
    pub images: Option<PathBuf>,
    /// Weights for the method `feature-matching`.
    pub features_weights: Option<PathBuf>,
}

/// What became of a cell.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Finished,
    /// For the reason that is noted in its folder.
    Failed(String),
    /// Something is missing; what would bring it.
    Skipped(String),
}

impl Runner {
    /// Trains and evaluates a cell, as far as that is not done; a failure is noted.
    ///
    /// # Errors
    /// If the data set is unknown, or the work folder cannot be written.
    pub fn run(&self, cell: &Cell) -> Result<Outcome> {
        if let Some(missing) = self.missing(cell)? {
            return Ok(Outcome::Skipped(missing));
        }
        match self.train_and_evaluate(cell) {
            Ok(finished) => {
                self.store.finish(cell, &finished)?;
                Ok(Outcome::Finished)
            }
            Err(error) => {
                let store = text(self.store.folder())?;
                let reason = format!("{error:#}").replace(&format!("{store}/"), "");
                self.store.fail(cell, &reason)?;
                Ok(Outcome::Failed(reason))
            }
        }
    }

    /// What would bring that which the cell needs and is not there.
    ///
    /// # Errors
    /// If the data set is unknown.
    pub fn missing(&self, cell: &Cell) -> Result<Option<String>> {
        if !datasets::is_available(&cell.set, self.images.as_deref())? {
            return Ok(Some(format!("cargo xtask datasets fetch {}", cell.set)));
        }
        let needs_weights = cell.matches_features() && self.features_weights.is_none();
        Ok(needs_weights
            .then(|| "weights, from `cargo xtask weights`, and --features-weights FILE".to_owned()))
    }

    fn train_and_evaluate(&self, cell: &Cell) -> Result<Finished> {
        let set = datasets::open(&cell.set, self.images.as_deref())?;
        let model = self.store.model(cell);
        let config = model.with_extension("toml");
        let train = self.training(cell, &set, &config, &model)?;
        let evaluate = self.evaluation(cell, &set, &model)?;
        // Written last by a training.
        if !model.join("calibration.json").exists() {
            files::replace(&config, &cell.training_config().to_toml()?)?;
            let is_begun = model.join("config.toml").exists();
            let resume = self.resumption(cell, &model)?;
            self.call(if is_begun { &resume } else { &train })?;
        }
        let metrics = self.call(&evaluate)?;
        ensure!(metrics["pixel_au_roc"].is_number(), "bench-cli evaluate gave no `pixel_au_roc`");
        let commands = [train, evaluate].map(|words| self.described(&words, &set)).to_vec();
        let provenance = Provenance {
            commands,
            commit: commit()?,
            date: date(),
            processor: processor(),
            threads: available_parallelism()?.get(),
            source: set.source,
        };
        Ok(Finished { metrics, training: read(&model.join("training.json"))?, provenance })
    }

    fn training(&self, cell: &Cell, set: &Set, config: &Path, model: &Path) -> Result<Vec<String>> {
        let mut words = strings(["train", "--json", "--quiet", "--config"]);
        words.extend([text(config)?, "--data".into(), text(&set.root)?]);
        words.extend(["--out".into(), text(model)?]);
        words.extend(self.weights(cell)?);
        Ok(words)
    }

    /// Going on with a training that was interrupted.
    fn resumption(&self, cell: &Cell, model: &Path) -> Result<Vec<String>> {
        let mut words = strings(["train", "--json", "--quiet", "--resume", "--out"]);
        words.push(text(model)?);
        words.extend(self.weights(cell)?);
        Ok(words)
    }

    fn weights(&self, cell: &Cell) -> Result<Vec<String>> {
        let weights = self.features_weights.as_ref().filter(|_| cell.matches_features());
        let words = weights.map(|file| Ok(vec!["--features-weights".into(), text(file)?]));
        words.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn evaluation(&self, cell: &Cell, set: &Set, model: &Path) -> Result<Vec<String>> {
        let mut words = strings(["evaluate", "--json", "--quiet", "--data"]);
        words.extend([text(&set.root)?, "--out".into(), text(&self.store.evaluation(cell))?]);
        words.extend(cell.inspection_settings());
        words.push(text(model)?);
        Ok(words)
    }

    /// The last line of what bench-cli prints as JSON. If it fails, its last line on standard error says why.
    fn call(&self, words: &[String]) -> Result<Value> {
        let program = self.bench_cli.display();
        let output = Command::new(&self.bench_cli).args(words).current_dir(repository()).output();
        let output = output.with_context(|| format!("cannot run {program}"))?;
        let messages = String::from_utf8_lossy(&output.stderr);
        eprint!("{messages}");
        let last = messages.lines().last().unwrap_or("no message");
        let task = words.first().map_or("", String::as_str);
        ensure!(output.status.success(), "bench-cli {task}: {last} ({})", output.status);
        last_json_line(std::str::from_utf8(&output.stdout)?).context("bench-cli")
    }

    /// A command line without the folders of this machine.
    fn described(&self, words: &[String], set: &Set) -> String {
        let store = text(self.store.folder()).unwrap_or_default();
        let root = text(&set.root).unwrap_or_default();
        let weights = self.features_weights.as_deref().and_then(|file| text(file).ok());
        let word = |word: &String| {
            if *word == root {
                "DIR".to_owned()
            } else if weights.as_ref() == Some(word) {
                "FILE".to_owned()
            } else {
                word.strip_prefix(&format!("{store}/")).unwrap_or(word).to_owned()
            }
        };
        let words: Vec<String> = words.iter().map(word).collect();
        format!("bench-cli {}", words.join(" "))
    }
}

fn read(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}
