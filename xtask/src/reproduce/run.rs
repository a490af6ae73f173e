//! Runs cells.

use super::cell::Cell;
use super::store::{Finished, Provenance, Store};
use crate::command::{last_json_line, repository, strings, text};
use crate::datasets::{self, Set};
use crate::files;
use crate::machine::{date, processor};
use crate::terminal::note;
use anyhow::{Context, Result, ensure};
use detector::records::{TrainingRecord, TrainingSummary};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

/// Program, folders and device that cells are run with.
pub struct Runner {
    pub store: Store,
    /// The program, and the commit that it was built from.
    pub bench_cli: PathBuf,
    pub commit: String,
    /// Where data sets lie, unless in the usual place.
    pub images: Option<PathBuf>,
    /// Weights for the method `feature-matching`.
    pub features_weights: Option<PathBuf>,
    /// The argument of `--device`, if any.
    pub device: Option<String>,
}

/// The outcome of running a cell.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Finished,
    /// With the reason, which is also noted in its folder.
    Failed(String),
    /// Data or weights are missing; with the command or option that provides them.
    Skipped(String),
}

impl Runner {
    /// Trains and evaluates a cell, unless that is done already, and notes a failure. If the model of `earlier` is trained, the
    /// training continues that one.
    ///
    /// # Errors
    /// If the data set is unknown, or the work folder cannot be written.
    pub fn run(&self, cell: &Cell, earlier: Option<&Cell>) -> Result<Outcome> {
        if let Some(missing) = self.missing(cell)? {
            return Ok(Outcome::Skipped(missing));
        }
        match self.train_and_evaluate(cell, earlier) {
            Ok(finished) => {
                self.store.finish(cell, &finished)?;
                Ok(Outcome::Finished)
            }
            Err(error) => {
                let reason = self.without_folders(&format!("{error:#}"), cell)?;
                self.store.fail(cell, &reason)?;
                Ok(Outcome::Failed(reason))
            }
        }
    }

    /// The command or option that provides missing data or weights, if any are missing.
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

    fn train_and_evaluate(&self, cell: &Cell, earlier: Option<&Cell>) -> Result<Finished> {
        let set = datasets::open(&cell.set, self.images.as_deref())?;
        let model = self.store.model(cell);
        let trained = match self.store.trained(cell) {
            Some(trained) => trained,
            None => {
                self.store.begin_training(cell, earlier)?;
                self.train(cell, &set, &model)?
            }
        };
        let training = read(&model.join("training.json"))?;
        let mut commands = Vec::new();
        let model = match &cell.preset {
            None => model,
            Some(preset) => {
                let copy = self.store.copy_model(cell)?;
                let mut calibrate = strings(["calibrate", "--json", "--quiet", "--set"]);
                calibrate.extend([format!("preset={preset}"), text(&copy)?]);
                self.call::<IgnoredAny>(&calibrate)?;
                commands.push(calibrate);
                copy
            }
        };
        let evaluate = self.evaluation(cell, &set, &model)?;
        let metrics = self.call(&evaluate)?;
        commands.push(evaluate);
        Ok(Finished { metrics, training, trained, evaluated: self.provenance(&commands, &set)? })
    }

    /// Trains the cell's model, or resumes its training.
    fn train(&self, cell: &Cell, set: &Set, model: &Path) -> Result<Provenance> {
        let config = model.with_extension("toml");
        files::replace(&config, &cell.training_config().to_toml()?)?;
        let train = self.training(cell, set, &config, model)?;
        if model.join("config.toml").exists() {
            self.call::<TrainingSummary>(&self.resumption(cell, set, model)?)?;
        } else {
            self.call::<TrainingSummary>(&train)?;
        }
        let provenance = self.provenance(&[train], set)?;
        self.store.finish_training(cell, &provenance)?;
        Ok(provenance)
    }

    fn provenance(&self, commands: &[Vec<String>], set: &Set) -> Result<Provenance> {
        let described = commands.iter().map(|words| self.described(&self.on_device(words), set));
        Ok(Provenance {
            command: described.collect::<Vec<_>>().join(" && "),
            commit: self.commit.clone(),
            date: date(),
            processor: processor(),
            threads: available_parallelism()?.get(),
            source: set.source.clone(),
        })
    }

    fn training(&self, cell: &Cell, set: &Set, config: &Path, model: &Path) -> Result<Vec<String>> {
        let mut words = strings(["train", "--json", "--quiet", "--config"]);
        words.extend([text(config)?, "--data".into(), text(&set.root)?]);
        words.extend(["--out".into(), text(model)?]);
        words.extend(self.weights(cell)?);
        Ok(words)
    }

    /// Arguments that resume an interrupted or continue a shorter training.
    fn resumption(&self, cell: &Cell, set: &Set, model: &Path) -> Result<Vec<String>> {
        let mut words = strings(["train", "--json", "--quiet", "--resume", "--data"]);
        words.extend([text(&set.root)?, "--out".into(), text(model)?]);
        words.extend(["--patches".into(), cell.patches().to_string()]);
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

    /// Runs bench-cli and returns the last line of its JSON. The error of a failure is its last line on standard error.
    ///
    /// # Errors
    /// If it cannot be run, fails, or prints no such record.
    pub fn call<T: DeserializeOwned>(&self, words: &[String]) -> Result<T> {
        let program = self.bench_cli.display();
        let mut command = Command::new(&self.bench_cli);
        let output = command.args(self.on_device(words)).current_dir(repository()).output();
        let output = output.with_context(|| format!("cannot run {program}"))?;
        let messages = String::from_utf8_lossy(&output.stderr);
        if !messages.is_empty() {
            note!("{}", messages.trim_end());
        }
        let last = messages.lines().last().unwrap_or("no message");
        let task = words.first().map_or("", String::as_str);
        ensure!(output.status.success(), "bench-cli {task}: {last} ({})", output.status);
        let printed = std::str::from_utf8(&output.stdout)?;
        last_json_line(printed).with_context(|| format!("bench-cli {task}"))
    }

    fn on_device(&self, words: &[String]) -> Vec<String> {
        let device = self.device.iter().flat_map(|name| ["--device".to_owned(), name.clone()]);
        words.iter().cloned().chain(device).collect()
    }

    /// A command line without the folders of this machine.
    fn described(&self, words: &[String], set: &Set) -> String {
        let root = text(&set.root).unwrap_or_default();
        let name =
            |word: &String| if *word == root { "DIR".to_owned() } else { self.relative(word) };
        let words: Vec<String> = words.iter().map(name).collect();
        format!("bench-cli {}", words.join(" "))
    }

    /// A message without the folders of this machine.
    fn without_folders(&self, message: &str, cell: &Cell) -> Result<String> {
        let set = datasets::open(&cell.set, self.images.as_deref());
        let root = set.and_then(|set| text(&set.root)).ok().filter(|root| !root.is_empty());
        let message = root.map_or_else(|| message.to_owned(), |root| message.replace(&root, "DIR"));
        let repository = text(&repository())?;
        Ok(self.relative(&message).replace(&format!("{repository}/"), ""))
    }

    /// A text with paths from the work folder on, and `FILE` for the weights.
    fn relative(&self, words: &str) -> String {
        let store = text(self.store.folder()).unwrap_or_default();
        let words = words.replace(&format!("{store}/"), "");
        let weights = self.features_weights.as_deref().and_then(|file| text(file).ok());
        weights.map_or_else(|| words.clone(), |weights| words.replace(&weights, "FILE"))
    }
}

fn read(path: &Path) -> Result<TrainingRecord> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}
