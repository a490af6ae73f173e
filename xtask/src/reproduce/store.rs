//! The work folder: models and their evaluations, each in a folder named by the hash of its settings.

use super::cell::Cell;
use crate::files;
use crate::terminal::note;
use anyhow::{Context, Result};
use detector::files::write_json;
use detector::records::{EvaluationRecord, TrainingRecord};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that `bench-cli train --resume` reads.
const STATE: [&str; 3] = ["config.toml", "checkpoint.safetensors", "log.jsonl"];

/// The work folder.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

/// A finished cell.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Finished {
    /// The record that `bench-cli evaluate` prints.
    pub metrics: EvaluationRecord,
    /// `training.json` of the model.
    pub training: TrainingRecord,
    /// Provenance of the training.
    pub trained: Provenance,
    /// Provenance of the evaluation.
    pub evaluated: Provenance,
}

/// Command, program, date, machine and images of a result.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Provenance {
    /// A command of bench-cli, with `DIR` and `FILE` for those of this machine.
    pub command: String,
    pub commit: String,
    pub date: String,
    pub processor: String,
    pub threads: usize,
    /// Where the images come from, and how many of them were there if not all.
    pub source: String,
}

impl Store {
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The folder of a cell.
    pub fn cell(&self, cell: &Cell) -> PathBuf {
        self.0.join("cells").join(cell.hash())
    }

    /// The folder of the cell's model, which other cells may share.
    pub fn model(&self, cell: &Cell) -> PathBuf {
        self.0.join("models").join(cell.model_hash())
    }

    /// Copies the cell's trained model, so that it can be calibrated otherwise, without the state for more training. Returns the
    /// folder of the copy.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn copy_model(&self, cell: &Cell) -> Result<PathBuf> {
        let (model, copy) = (self.model(cell), self.cell(cell).join("model"));
        for file in
            fs::read_dir(&model).with_context(|| format!("cannot read {}", model.display()))?
        {
            let name = file?.file_name();
            if name != STATE[1] && name != ".lock" {
                files::copy(&model.join(&name), &copy.join(&name))?;
            }
        }
        Ok(copy)
    }

    /// The folder that `bench-cli evaluate` writes to.
    pub fn evaluation(&self, cell: &Cell) -> PathBuf {
        self.cell(cell).join("evaluation")
    }

    /// The result of the cell, if it is finished. A file that cannot be read as one counts as absent.
    pub fn finished(&self, cell: &Cell) -> Option<Finished> {
        read(&self.result_path(cell))
    }

    /// Copies the state of the finished training of `earlier`, if there is one, so that the cell's training continues it. An
    /// interrupted training of the cell itself stays as it is.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn begin_training(&self, cell: &Cell, earlier: Option<&Cell>) -> Result<()> {
        let model = self.model(cell);
        let Some(earlier) = earlier.filter(|earlier| self.trained(earlier).is_some()) else {
            return Ok(());
        };
        if model.join(STATE[0]).exists() {
            return Ok(());
        }
        // The first file last: it says that there is something to go on with.
        STATE
            .iter()
            .rev()
            .try_for_each(|name| files::copy(&self.model(earlier).join(name), &model.join(name)))
    }

    /// The provenance of the cell's model, if it is trained.
    pub fn trained(&self, cell: &Cell) -> Option<Provenance> {
        read(&self.trained_path(cell))
    }

    /// Records that the cell's model is trained.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish_training(&self, cell: &Cell, provenance: &Provenance) -> Result<()> {
        Ok(write_json(&self.trained_path(cell), provenance)?)
    }

    /// Records the result of the cell.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(&self, cell: &Cell, finished: &Finished) -> Result<()> {
        write_json(&self.result_path(cell), finished)?;
        files::remove(&self.failure_path(cell))
    }

    /// Why the cell failed when it last ran, unless it is finished.
    pub fn failure(&self, cell: &Cell) -> Option<String> {
        let reason = fs::read_to_string(self.failure_path(cell)).ok()?;
        self.finished(cell).is_none().then_some(reason)
    }

    /// Notes why the cell failed.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn fail(&self, cell: &Cell, reason: &str) -> Result<()> {
        files::replace(&self.failure_path(cell), reason)
    }

    fn trained_path(&self, cell: &Cell) -> PathBuf {
        self.model(cell).with_extension("json")
    }

    fn result_path(&self, cell: &Cell) -> PathBuf {
        self.cell(cell).join("result.json")
    }

    fn failure_path(&self, cell: &Cell) -> PathBuf {
        self.cell(cell).join("failure.txt")
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = fs::read(path).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            note!("warning: {} is not taken over: {error}", path.display());
            None
        }
    }
}
