//! `cargo xtask reproduce`: the paper's tables and figures.

mod cell;
mod html;
mod matrix;
mod measured;
mod pictures;
mod plan;
mod published;
mod report;
mod run;
mod slurm;
mod store;
mod table;
#[cfg(test)]
mod tests;

use crate::command::{built_bench_cli, last_json_line, output_of, repository, text};
use crate::datasets;
use crate::machine::commit;
use crate::terminal::{note, tell};
use anyhow::{Context, Result, bail, ensure};
use cell::{Cell, Config};
use detector::Shard;
use detector::files::sha256_of_file;
use matrix::Matrix;
use plan::Plan;
use run::{Outcome, Runner};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use store::Store;

/// Train and evaluate everything that a matrix of experiments names, and write tables, plots and a page of it all.
///
/// Cells that are finished in the work folder are not run again, and interrupted trainings are resumed. A cell that fails is
/// reported, and the others run: the command can be interrupted and repeated.
#[derive(clap::Args, Clone)]
pub struct Args {
    /// Matrix in `results/matrix`: `quick` (minutes, synthetic data), `nanotwice`, `gpu`, `surfaces` (other real sets), `recipes` (ways
    /// to train), `paper-cpu`, `standard` (hours) or `paper` (to the letter), or another file there.
    #[arg(long, value_name = "NAME", default_value = "quick")]
    preset: String,
    /// Matrix file somewhere else.
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    matrix: Option<PathBuf>,
    /// List the cells with their state and the time that the open ones will take, and run nothing.
    #[arg(long)]
    plan: bool,
    /// Run part I of N only, and write no report: with a work folder that all machines see, each takes a part.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["plan", "cell", "report"])]
    shard: Option<Shard>,
    /// Run the cell whose hash begins so only, and write no report.
    #[arg(long, value_name = "HASH", conflicts_with_all = ["plan", "report"])]
    cell: Option<String>,
    /// Write the report of the finished cells, and run nothing.
    #[arg(long, conflicts_with = "plan")]
    report: bool,
    /// Submit the parts to Slurm as an array of jobs, and a job for the report.
    #[arg(long, conflicts_with_all = ["plan", "shard", "cell", "report"])]
    slurm: bool,
    /// Jobs of the array.
    #[arg(long, value_name = "N", default_value_t = 8, requires = "slurm")]
    jobs: usize,
    /// Option of the jobs, for example `--sbatch=--gres=gpu:1`.
    #[arg(long, value_name = "OPTION", requires = "slurm", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Folder for models and evaluations.
    #[arg(long, value_name = "DIR", default_value = "target/reproduce")]
    work: PathBuf,
    /// Folder of data sets, if not the repository's `datasets/images`.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Weights for the method `feature-matching`, which is left out without.
    #[arg(long, value_name = "FILE")]
    features_weights: Option<PathBuf>,
    /// Program to run instead of building `bench-cli`.
    #[arg(long, value_name = "FILE")]
    bench_cli: Option<PathBuf>,
    /// Commit that the program of `--bench-cli` was built from, for the provenance.
    #[arg(long, value_name = "ID", requires = "bench_cli")]
    commit: Option<String>,
    /// Device that trains and inspects, as bench-cli takes it: `auto`, `cpu`, `cuda` or `cuda:N`. For `cuda`, bench-cli is built
    /// with that feature.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Folder of the report; by default `results/reproduce/PRESET`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show photographs in the report, too. Those of most sets may not be passed on.
    #[arg(long)]
    photographs: bool,
}

impl Args {
    /// Cells and jobs run in other folders.
    fn with_absolute_paths(&self) -> Result<Self> {
        let mut args = self.clone();
        args.work = std::path::absolute(&args.work)?;
        let paths = [
            &mut args.matrix,
            &mut args.images,
            &mut args.features_weights,
            &mut args.bench_cli,
            &mut args.out,
        ];
        for path in paths.into_iter().flatten() {
            *path = std::path::absolute(&*path)?;
        }
        Ok(args)
    }
}

/// # Errors
/// If the matrix cannot be read, the report cannot be written, or a cell has failed.
pub fn reproduce(args: &Args) -> Result<()> {
    let args = &args.with_absolute_paths()?;
    let path = args.matrix.clone().unwrap_or_else(|| {
        repository().join("results/matrix").join(&args.preset).with_extension("toml")
    });
    let matrix = Matrix::read(&path)?;
    let weights = args.features_weights.as_deref().map(sha256_of_file).transpose()?;
    let (bench_cli, commit) = program(args)?;
    let defaults = defaults(&bench_cli)?;
    let plan = Plan::new(&matrix, &defaults, args.images.as_deref(), weights.as_deref())?;
    let name = path.file_stem().and_then(|stem| stem.to_str()).context("expected a name")?;
    if args.slurm {
        make_synthetic_sets(&plan, args.images.as_deref())?;
        tell!("{}", slurm::submit(&jobs(args, name, &bench_cli, &commit)?)?);
        return Ok(());
    }
    let runner = Runner {
        store: Store::new(&args.work),
        bench_cli,
        commit,
        images: args.images.clone(),
        features_weights: args.features_weights.clone(),
        device: args.device.clone(),
    };
    let failed = if args.report { 0 } else { run(args, &plan, &runner)? };
    if !(args.plan || args.shard.is_some() || args.cell.is_some()) {
        let report = report::Report { name, command: command(args), matrix: &matrix, plan: &plan };
        tell!("{}", write(&report, args, &runner)?.display());
    }
    match failed {
        0 => Ok(()),
        count => bail!("cells that failed: {count}; the same command tries them again"),
    }
}

/// The program that runs, and the commit that it was built from.
fn program(args: &Args) -> Result<(PathBuf, String)> {
    let unknown = || "unknown".to_owned();
    match &args.bench_cli {
        Some(program) => Ok((program.clone(), args.commit.clone().unwrap_or_else(unknown))),
        None => {
            // Before it is built, and whatever is committed while it runs.
            let commit = commit().unwrap_or_else(|_| unknown());
            Ok((built_bench_cli(features(args.device.as_deref()))?, commit))
        }
    }
}

/// The settings that bench-cli uses where nothing is set.
fn defaults(bench_cli: &Path) -> Result<Config> {
    let mut command = Command::new(bench_cli);
    let printed =
        output_of(command.args(["config", "--set", "preset=paper", "--json", "--quiet"]))?;
    Config::from_json(last_json_line(&printed)?)
}

/// Writes the report of the finished cells and returns the path of its page.
fn write(report: &report::Report<'_>, args: &Args, runner: &Runner) -> Result<PathBuf> {
    let is_finished = |cell: &Cell| runner.store.finished(cell).is_some();
    ensure!(
        report.plan.cells().into_iter().any(is_finished),
        "{}: expected a finished cell, got none, so that there is nothing to report; `--plan` says what they lack",
        args.work.display()
    );
    let usual = || repository().join("results/reproduce").join(report.name);
    report.write(runner, &args.out.clone().unwrap_or_else(usual), args.photographs)
}

/// Runs the selected cells and returns the number that failed.
fn run(args: &Args, plan: &Plan<'_>, runner: &Runner) -> Result<usize> {
    let cells = match &args.cell {
        Some(hash) => vec![plan.cell(hash)?],
        None => plan.shard(args.shard.unwrap_or(Shard::WHOLE)),
    };
    if args.plan {
        tell!("{}", plan.list(runner, &cells)?.trim_end());
    }
    note!("{}", plan.describe(runner, &cells)?.trim_end());
    if args.plan {
        return Ok(0);
    }
    let (started, mut failed) = (Instant::now(), 0);
    for (index, cell) in cells.iter().enumerate() {
        if runner.store.finished(cell).is_some() {
            continue;
        }
        let (number, count) = (index + 1, cells.len());
        let elapsed = plan::short(started.elapsed());
        note!("{number}/{count} after {elapsed}: {}", plan.name(cell));
        match runner.run(cell, plan.earlier(cell))? {
            Outcome::Finished => {}
            Outcome::Skipped(missing) => note!("  left out; it takes {missing}"),
            Outcome::Failed(reason) => {
                failed += 1;
                note!("  failed: {reason}");
            }
        }
    }
    Ok(failed)
}

/// Makes the synthetic sets once, before several jobs need them.
fn make_synthetic_sets(plan: &Plan<'_>, images: Option<&Path>) -> Result<()> {
    let sets: BTreeSet<&str> = plan.cells().iter().map(|cell| cell.set.as_str()).collect();
    for set in sets {
        if datasets::is_available(set, images)? {
            datasets::open(set, images)?;
        }
    }
    Ok(())
}

fn jobs(args: &Args, name: &str, bench_cli: &Path, commit: &str) -> Result<slurm::Jobs> {
    let program = std::env::current_exe()?;
    let mut command = vec![text(&program)?, "reproduce".into(), "--bench-cli".into()];
    command.extend([text(bench_cli)?, "--commit".into(), commit.to_owned()]);
    match &args.matrix {
        Some(matrix) => command.extend(["--matrix".into(), text(matrix)?]),
        None => command.extend(["--preset".into(), args.preset.clone()]),
    }
    let folders = [
        ("--work", Some(&args.work)),
        ("--images", args.images.as_ref()),
        ("--features-weights", args.features_weights.as_ref()),
        ("--out", args.out.as_ref()),
    ];
    for (option, folder) in folders {
        if let Some(folder) = folder {
            command.extend([option.into(), text(folder)?]);
        }
    }
    let device = args.device.iter();
    command.extend(device.flat_map(|device| ["--device".to_owned(), device.clone()]));
    command.extend(args.photographs.then(|| "--photographs".to_owned()));
    let folder = args.work.join("slurm");
    let (count, options) = (args.jobs.max(1), args.sbatch.clone());
    Ok(slurm::Jobs { name: format!("reproduce-{name}"), count, options, command, folder })
}

/// The command of the report, without the machine's paths.
fn command(args: &Args) -> String {
    let matrix = match &args.matrix {
        Some(_) => "--matrix FILE".to_owned(),
        None => format!("--preset {}", args.preset),
    };
    let weights = if args.features_weights.is_some() { " --features-weights FILE" } else { "" };
    let device = args.device.as_ref().map_or_else(String::new, |name| format!(" --device {name}"));
    format!("cargo xtask reproduce {matrix}{weights}{device}")
}

/// The features of bench-cli that a device needs.
fn features(device: Option<&str>) -> &'static [&'static str] {
    match device {
        Some(name) if name.starts_with("cuda") => &["cuda"],
        _ => &[],
    }
}
