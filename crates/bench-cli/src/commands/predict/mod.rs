//! `bench-cli predict`

mod coco;
mod inputs;
mod names;
mod prediction;
mod run;
mod stamp;
mod tables;
mod watch;

pub use run::Outcome;

use super::Context;
use crate::args::{Output, PredictArgs};
use crate::interrupt;
use crate::terminal::Terminal;
use anyhow::{Result, bail, ensure};
use coco::Coco;
use detector::files::prepare_folder;
use detector::{Decision, Detector, ModelFolder};
use indicatif::ProgressBar;
use inputs::{Separator, is_same, listed_images, named_images, spare};
use prediction::Job;
use run::Run;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tables::Tables;

/// Finds defects in images. An image that cannot be read or inspected is reported and left out.
///
/// # Errors
/// If the model cannot be read, no image is found or results cannot be written; or that it was interrupted, as is every run that
/// watches a folder.
pub fn predict(context: &Context, args: &PredictArgs) -> Result<Outcome> {
    let folder = ModelFolder::open(&args.model)?;
    let outputs = outputs(&args.write)?;
    let config = folder.config()?;
    let (named, has_list) = named_images(&args.inputs)?;
    ensure!(
        has_list || !args.null,
        "--null is for a list on standard input: name `-` as the input"
    );
    if let Some(watched) = &args.watch {
        check_watch(watched, &outputs, &args.out)?;
    }
    let decision = decision(&folder, args)?;
    let detector = Detector::new(context.calibrated(&folder, &config)?, decision);
    prepare_folder(&args.out)?;
    let job = Job { detector, outputs, out: args.out.clone() };
    match &args.watch {
        Some(watched) => watch(context.terminal, &job, watched, args.poll),
        None => {
            named.iter().try_for_each(|image| spare(image, &args.out))?;
            let separator = if args.null { Separator::Nul } else { Separator::Line };
            inspect_all(context.terminal, &job, named, has_list.then_some(separator))
        }
    }
}

/// The model's decision, or that of the arguments, whichever part of it they name.
fn decision(folder: &ModelFolder, args: &PredictArgs) -> Result<Decision> {
    let calibrated = || folder.calibration().map(|calibration| calibration.decision());
    let threshold = match args.threshold {
        Some(threshold) if threshold.is_finite() => threshold,
        Some(threshold) => bail!("--threshold must be a finite number, got {threshold}"),
        None => calibrated()?.threshold,
    };
    // A threshold of one's own does without a calibration.
    let min_area = args.min_area.or_else(|| Some(calibrated().ok()?.min_area));
    Ok(Decision { threshold, min_area: min_area.unwrap_or(1) })
}

fn outputs(chosen: &[Output]) -> Result<Vec<Output>> {
    let is_none = chosen.contains(&Output::None);
    ensure!(!is_none || chosen.len() == 1, "--write none excludes all others");
    Ok(if is_none { Vec::new() } else { chosen.to_vec() })
}

/// Inspects the images named, then those that standard input lists, if it does.
fn inspect_all(
    terminal: Terminal,
    job: &Job,
    named: Vec<PathBuf>,
    list: Option<Separator>,
) -> Result<Outcome> {
    let bar = match list {
        None => terminal.bar(named.len() as u64, "{wide_bar} {pos}/{len} images, {eta} left"),
        Some(_) => terminal.bar(0, "{elapsed_precise} {pos} images, {per_sec}"),
    };
    Coco::forget(&job.out)?;
    let tables = Tables::begin(&job.out, job.keeps(Output::Regions))?;
    let mut run = Run::new(job, terminal, bar, tables, &[]);
    let listed = list.map(listed_images).into_iter().flatten();
    for image in named.into_iter().map(Ok).chain(listed) {
        if interrupt::came() {
            break;
        }
        match image.and_then(|image| run.inspect(&image)) {
            Ok(found) => run.accept(&found)?,
            Err(error) => run.reject(&error),
        }
    }
    run.write_coco()?;
    run.check_interrupt()?;
    run.finish()
}

/// # Errors
/// If a folder cannot be watched, or not for these outputs.
fn check_watch(folder: &Path, outputs: &[Output], out: &Path) -> Result<()> {
    ensure!(folder.is_dir(), "{}: expected a folder to watch", folder.display());
    ensure!(
        !is_same(folder, out),
        "{}: the folder of the results cannot be watched; name another --out",
        folder.display()
    );
    ensure!(!outputs.contains(&Output::Coco), "--write coco is for runs that end, not for --watch");
    Ok(())
}

/// Inspects what lies and arrives in a folder.
fn watch(terminal: Terminal, job: &Job, folder: &Path, poll: Duration) -> Result<Outcome> {
    let (tables, recorded) = Tables::resume(&job.out, job.keeps(Output::Regions))?;
    let mut run = Run::new(job, terminal, ProgressBar::hidden(), tables, &recorded);
    terminal.note(&format!("watching {}", folder.display()));
    match watch::watch(&mut run, folder, poll, recorded)? {}
}
