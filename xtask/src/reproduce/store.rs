//! The work folder: models, and what was measured of them, each in a folder named by its settings' hash.

use super::cell::Cell;
use crate::files;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

/// A finished cell.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Finished {
    /// What `bench-cli evaluate` printed.
    pub metrics: Value,
    /// What training the model left: `training.json`.
    pub training: Value,
    pub provenance: Provenance,
}

/// How a result came about.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Provenance {
    /// Commands of bench-cli, with `DIR` for folders of this machine.
    pub commands: Vec<String>,
    pub commit: String,
    pub date: String,
    pub processor: String,
    pub threads: usize,
    /// What the images are, as the data set's manifest has it, or where they came from.
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

    /// The folder that `bench-cli evaluate` writes to.
    pub fn evaluation(&self, cell: &Cell) -> PathBuf {
        self.cell(cell).join("evaluation")
    }

    /// What came out, if the cell is finished.
    ///
    /// # Errors
    /// If the file is there but cannot be read.
    pub fn finished(&self, cell: &Cell) -> Result<Option<Finished>> {
        let path = self.result_path(cell);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let finished = serde_json::from_slice(&bytes);
        finished.map(Some).with_context(|| path.display().to_string())
    }

    /// Says that the cell is finished.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(&self, cell: &Cell, finished: &Finished) -> Result<()> {
        let json = serde_json::to_string_pretty(finished)?;
        files::replace(&self.result_path(cell), &format!("{json}\n"))?;
        remove(&self.failure_path(cell))
    }

    /// Why the cell failed when it last ran, if it did.
    pub fn failure(&self, cell: &Cell) -> Option<String> {
        fs::read_to_string(self.failure_path(cell)).ok()
    }

    /// Notes why the cell failed.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn fail(&self, cell: &Cell, reason: &str) -> Result<()> {
        files::replace(&self.failure_path(cell), reason)
    }

    fn result_path(&self, cell: &Cell) -> PathBuf {
        self.cell(cell).join("result.json")
    }

    fn failure_path(&self, cell: &Cell) -> PathBuf {
        self.cell(cell).join("failure.txt")
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
