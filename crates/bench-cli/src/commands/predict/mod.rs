//! `bench-cli predict`

mod coco;
mod inputs;
mod names;
mod prediction;
mod stamp;
mod tables;
mod watch;

use super::Context;
use crate::args::{Output, PredictArgs};
use crate::interrupt::{self, Interrupted};
use crate::terminal;
use crate::terminal::Terminal;
use anyhow::{Error, Result, bail, ensure};
use coco::Coco;
use detector::files::prepare_folder;
use detector::{Detector, ModelFolder};
use indicatif::ProgressBar;
use inputs::{Separator, is_same, listed_images, named_images, spare};
use names::Names;
use prediction::{Job, Prediction};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tables::Tables;

/// How a run over images ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No image has a defect.
    Good,
    /// At least one image has a defect.
    Defective,
    /// At least one image could not be inspected, which was reported.
    Incomplete,
}

/// Finds defects in images. An image that cannot be read or inspected is reported and left out.
///
/// # Errors
/// If the model cannot be read, no image is found or results cannot be written; or that it was interrupted, as is every run that
/// watches a folder.
pub fn predict(context: &Context, args: &PredictArgs) -> Result<Outcome> {
    let folder = ModelFolder::open(&args.model)?;
    let threshold = threshold(&folder, args)?;
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
    let detector = Detector::new(context.inspector(&folder, &config)?, threshold);
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

fn threshold(folder: &ModelFolder, args: &PredictArgs) -> Result<f32> {
    match args.threshold {
        Some(threshold) if threshold.is_finite() => Ok(threshold),
        Some(threshold) => bail!("--threshold must be a finite number, got {threshold}"),
        None => Ok(folder.calibration()?.threshold),
    }
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
    let mut run = Run {
        job,
        terminal,
        bar,
        tables: Tables::begin(&job.out, job.keeps(Output::Regions))?,
        coco: job.keeps(Output::Coco).then(Coco::default),
        names: Names::default(),
        tally: Tally::default(),
    };
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
    if let Some(coco) = &run.coco {
        coco.write(&job.out)?;
    }
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
    let mut names = Names::default();
    recorded.iter().for_each(|recorded| names.take(&recorded.id));
    let (bar, tally) = (ProgressBar::hidden(), Tally::default());
    let mut run = Run { job, terminal, bar, tables, coco: None, names, tally };
    terminal.note(&format!("watching {}", folder.display()));
    match watch::watch(&mut run, folder, poll, recorded)? {}
}

/// Images so far.
#[derive(Default)]
struct Tally {
    good: usize,
    defective: usize,
    failed: usize,
}

/// A run over images in progress.
struct Run<'a> {
    job: &'a Job,
    terminal: Terminal,
    bar: ProgressBar,
    tables: Tables,
    coco: Option<Coco>,
    names: Names,
    tally: Tally,
}

impl Run<'_> {
    fn inspect(&mut self, image: &Path) -> Result<Prediction> {
        spare(image, &self.job.out)?;
        self.job.inspect(image, &self.names.free(image))
    }

    /// Records what was found.
    fn accept(&mut self, found: &Prediction) -> Result<()> {
        let record = &found.record;
        self.names.take(&record.id);
        self.tables.append(record)?;
        if let Some(coco) = &mut self.coco {
            coco.add(found);
        }
        *(if record.defective { &mut self.tally.defective } else { &mut self.tally.good }) += 1;
        let line = format!("{}: {}, score {:.4}", record.image, record.verdict(), record.score);
        self.bar.inc(1);
        self.bar.suspend(|| {
            self.terminal.record(record)?;
            self.terminal.text(&line)
        })
    }

    /// Reports why an image could not be inspected.
    fn reject(&mut self, error: &Error) {
        self.tally.failed += 1;
        self.bar.inc(1);
        self.bar.suspend(|| terminal::error(error));
    }

    fn check_interrupt(&self) -> Result<(), Interrupted> {
        let images = self.tally.good + self.tally.defective;
        interrupt::check(|| {
            self.bar.finish_and_clear();
            format!("interrupted after {images} images")
        })
    }

    fn finish(self) -> Result<Outcome> {
        self.bar.finish_and_clear();
        let Tally { good, defective, failed } = self.tally;
        let all = good + defective + failed;
        ensure!(all > 0, "expected images on standard input, got none");
        if failed > 0 && all > 1 {
            self.terminal.note(&format!("{failed} of {all} images could not be inspected"));
        }
        Ok(match defective {
            _ if failed > 0 => Outcome::Incomplete,
            0 => Outcome::Good,
            _ => Outcome::Defective,
        })
    }
}
