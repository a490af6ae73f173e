//! Running an opponent.

use super::cases::Opponent;
use super::result::Measurement;
use crate::command::repository;
use crate::python::{Python, report};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The folder of the opponents' scripts.
pub fn scripts() -> PathBuf {
    repository().join("xtask").join("opponents")
}

/// Runs an opponent on the inputs in `exchange`.
///
/// # Errors
/// If it fails, or its results differ from ours; the error is its last line.
pub fn run(
    opponent: &Opponent,
    python: &Python,
    exchange: &Path,
    threads: usize,
    seconds: f64,
) -> Result<Measurement> {
    let threads = threads.to_string();
    let mut command = python.script(&scripts().join(opponent.script));
    command.args(opponent.args);
    command.args(["--seconds", &seconds.to_string(), "--threads", &threads]);
    command.arg("--exchange").arg(exchange);
    // Read when NumPy and PyTorch are loaded.
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(variable, &threads);
    }
    report(&mut command)
}
