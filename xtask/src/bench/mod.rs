//! `cargo xtask bench`: measures, compares with other programs, and writes `results/benchmarks/`.

mod cases;
mod opponent;
mod page;
mod plain;
mod result;
mod rounds;
mod statistics;

use crate::command::{built_bench_cli, output, repository};
use crate::python::{Python, PythonArgs};
use crate::terminal::{note, tell};
use crate::{files, machine};
use anyhow::{Context, Result, bail, ensure};
use cases::{Case, Device, Kind};
use detector::files::write_json;
use result::{Finding, Outcome, Provenance};
use std::path::{Path, PathBuf};

/// Measure the speed of everything and compare it with other programs, alternately and on the same numbers.
///
/// Writes `results/benchmarks/CASE.json` and a table of all of them. Other work on the machine spoils the numbers.
#[derive(clap::Args)]
pub struct Args {
    /// Cases, or how their names begin, for example `ssim`; all by default.
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// Name the cases and their opponents, and do nothing.
    #[arg(long)]
    list: bool,
    /// Device that computes; each has cases of its own. GPUs take the CUDA toolkit to build for.
    #[arg(long, value_enum, default_value_t)]
    device: Device,
    /// Threads of each program; all processors by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Rounds; each opponent runs once in each. Those that take minutes run three times at most.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// How long a program repeats its work in a round, at least three times.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    #[command(flatten)]
    python: PythonArgs,
    /// Folder for the results; by default the repository's `results/benchmarks`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A load above this is other work.
const QUIET: f64 = 0.5;

/// The cases to measure, and all that they have in common.
struct Plan {
    cases: Vec<&'static Case>,
    program: PathBuf,
    /// `None` if no case has opponents.
    python: Option<Python>,
    /// Folder for files that are needed only while measuring.
    work: PathBuf,
    rounds: usize,
    seconds: f64,
    threads: usize,
    provenance: Provenance,
}

/// # Errors
/// If the arguments are wrong, Python is missing, we fail or an opponent does; all other results are then written.
pub fn bench(args: &Args) -> Result<()> {
    if args.list {
        list();
        return Ok(());
    }
    let out = match &args.out {
        Some(folder) => std::path::absolute(folder)?,
        None => repository().join("results").join("benchmarks"),
    };
    // To be told after the work that a file is in the way is too late.
    outcomes(&out)?;
    let plan = plan(args)?;
    let mut failures = 0;
    for case in &plan.cases {
        note!("{}", case.name);
        let outcome = rounds::measure(case, &plan).with_context(|| case.name)?;
        failures += say(&outcome);
        write_json(&out.join(format!("{}.json", case.name)), &outcome)?;
        files::replace(&out.join("README.md"), &page::page(&outcomes(&out)?, &other_pages(&out)?))?;
    }
    tell!("{}", out.join("README.md").display());
    ensure!(failures == 0, "{failures} of the opponents failed; the table says why");
    Ok(())
}

fn list() {
    for case in cases::all() {
        let opponents = match case.kind {
            Kind::Compared { opponents, .. } => opponents,
            Kind::StartUp | Kind::Build { .. } => &[],
        };
        let opponents: Vec<&str> = opponents.iter().map(|opponent| opponent.name).collect();
        tell!("{}", format!("{:<34}  {}", case.name, opponents.join("; ")).trim_end());
    }
}

fn plan(args: &Args) -> Result<Plan> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    ensure!(args.seconds > 0.0 && args.seconds.is_finite(), "--seconds must be positive");
    let cases = match cases::select(args.device, &args.cases) {
        Ok(cases) => cases,
        Err(name) => bail!(
            "no case of this device begins with `{name}`; `cargo xtask bench --list` names all"
        ),
    };
    let threads = match args.threads {
        Some(0) => bail!("--threads must be at least 1"),
        Some(threads) => threads,
        None => std::thread::available_parallelism()?.get(),
    };
    // Before the build, which is a load of its own.
    let provenance = provenance(threads)?;
    let work = repository().join("target").join("bench");
    let is_compared = |case: &&Case| matches!(case.kind, Kind::Compared { .. });
    let requirements = opponent::scripts().join("requirements.txt");
    let python = || Python::of(&args.python, &work.join("venv"), &requirements);
    let python = cases.iter().any(is_compared).then(python).transpose()?;
    Ok(Plan {
        cases,
        program: built_bench_cli(args.device.features())?,
        python,
        work,
        rounds: args.rounds,
        seconds: args.seconds,
        threads,
        provenance,
    })
}

fn provenance(threads: usize) -> Result<Provenance> {
    let load = machine::load();
    if load.is_some_and(|load| load > QUIET) {
        note!("warning: other programs run on this machine; they spoil the numbers");
    }
    Ok(Provenance {
        date: machine::date(),
        commit: machine::commit()?,
        processor: machine::processor(),
        instructions: machine::instructions().into_iter().map(String::from).collect(),
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        threads,
        load: load.map_or_else(|| "unknown".to_owned(), |load| load.to_string()),
        rustc: output("rustc", &["--version".to_owned()])?.trim().to_owned(),
    })
}

/// Prints the outcome of a case and returns the number of opponents that failed.
fn say(outcome: &Outcome) -> usize {
    note!("  {:.3} ms", outcome.ours.median_ms);
    let mut failures = 0;
    for rival in &outcome.opponents {
        match &rival.finding {
            Finding::Compared { ratio, times, .. } => {
                note!("  {:.3} ms, {:.2} times: {}", times.median_ms, ratio.median, rival.name);
            }
            Finding::Failed { error } => {
                note!("  warning: {}: {error}", rival.name);
                failures += 1;
            }
        }
    }
    failures
}

/// The pages in a folder that are written by hand.
fn other_pages(folder: &Path) -> Result<Vec<String>> {
    let names = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    let is_other = |name: &String| name.ends_with(".md") && name != "README.md";
    let mut pages: Vec<String> = names.into_iter().filter(is_other).collect();
    pages.sort_unstable();
    Ok(pages)
}

/// All outcomes in a folder, in the order of the cases, those of earlier runs included.
fn outcomes(folder: &Path) -> Result<Vec<Outcome>> {
    let paths = cases::all().map(|case| folder.join(format!("{}.json", case.name)));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path)?;
        let expected = "expected a result as this version writes it; remove the file";
        serde_json::from_str(&text).with_context(|| format!("{}: {expected}", path.display()))
    };
    paths.filter(|path| path.exists()).map(read).collect()
}
