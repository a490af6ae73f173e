//! Cases without an opponent: the start of the program, and builds.

use super::Plan;
use super::result::Measurement;
use super::statistics::median;
use crate::command::{output_of, repository};
use crate::files;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Starts of the program in a round, after one that is not counted.
const STARTS: usize = 20;
const ROUNDS: usize = 5;

/// The time that `bench-cli --help` takes as a process.
///
/// # Errors
/// If it fails.
pub fn start_up(program: &Path) -> Result<Vec<Measurement>> {
    let start = || timed(Command::new(program).arg("--help"));
    start()?;
    let round = |_| {
        let times = (0..STARTS).map(|_| start()).collect::<Result<Vec<f64>>>()?;
        let min_ms = times.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(measurement(median(&times), min_ms))
    };
    (0..ROUNDS).map(round).collect()
}

/// The time to build a package and what it depends on into an empty folder, once.
///
/// # Errors
/// If cargo fails.
pub fn build(package: &str, plan: &Plan) -> Result<Measurement> {
    // Downloads are no part of a build.
    output_of(Command::new("cargo").args(["fetch", "--quiet"]).current_dir(repository()))?;
    let target = plan.work.join("build");
    files::remove(&target)?;
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--package", package, "--jobs", &plan.threads.to_string()]);
    let time = timed(command.arg("--target-dir").arg(&target).current_dir(repository()));
    files::remove(&target)?;
    time.map(|time| measurement(time, time))
}

fn measurement(median_ms: f64, min_ms: f64) -> Measurement {
    let (checks, versions) = (Vec::new(), BTreeMap::new());
    Measurement { median_ms, min_ms, peak_rss_mb: None, checks, versions }
}

/// Milliseconds that a process takes.
fn timed(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    output_of(command)?;
    Ok(1e3 * start.elapsed().as_secs_f64())
}
