//! `bench-cli predict`

mod coco;
mod failures;
mod in_order;
mod inputs;
mod list;
mod merge;
mod names;
mod pipeline;
mod prediction;
mod recorded;
mod report;
mod room;
mod rows;
mod run;
mod settings;
mod stamp;
mod table;
mod tables;
mod tally;
mod watch;
mod watched;

pub use inputs::good_inputs;
pub use merge::merge;
pub use run::Outcome;

use super::{Context, prepare_results};
use crate::args::{Output, PredictArgs};
use crate::drawing::ScoreRange;
use crate::progress::Progress;
use crate::terminal::Terminal;
use anyhow::{Result, bail, ensure};
use detector::files::{FolderLock, is_same_folder, shown};
use detector::records::Calibration;
use detector::{Config, Decision, Detector, ModelFolder};
use inputs::{Separator, named_images, spare};
use list::{List, forget_run};
use prediction::Job;
use report::{Course, Origin, Report};
use run::Run;
use settings::settings_hash;
use std::path::Path;
use std::time::Duration;
use tables::Tables;
use watched::Watched;

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
    let origin = origin(&folder, &config, args)?;
    if let Some(doubt) = origin.calibration.as_ref().and_then(Calibration::doubt) {
        context.terminal.warn(&doubt);
    }
    let detector = Detector::new(context.calibrated(&folder, &config)?, origin.decision);
    let out = match args.shard {
        Some(shard) => args.out.join(shard.folder()),
        None => args.out.clone(),
    };
    named.iter().try_for_each(|image| spare(image, &out, args.subfolders))?;
    prepare_results(&out)?;
    let job = Job {
        detector,
        settings: settings_hash(&folder, origin.decision, args)?,
        outputs,
        keep: args.keep,
        map_format: args.map_format,
        subfolders: args.subfolders,
        lock: FolderLock::take(&out)?,
        out,
        range: ScoreRange::of_good(origin.unit()),
        scaled: config.data.size.map(|size| (origin.good_sizes(), size)),
    };
    let course = if args.watch.is_some() { Course::Watch } else { Course::Batch };
    let report = job.keeps(Output::Report);
    if !report || course == Course::Batch {
        Report::forget(&job.out)?;
    }
    let report = report.then(|| Report::new(origin, &job.out, course, context.terminal));
    if let Some(watched) = &args.watch {
        return watch(context.terminal, &job, (watched, args.poll), report);
    }
    let separator = if args.null { Separator::Nul } else { Separator::Line };
    let list = List { named, listed: has_list.then_some(separator), shard: args.shard };
    list::inspect(context.terminal, &job, &list, args.resume, report)
}

/// The model's decision, or that of the arguments, whichever part of it they name. A threshold of one's own does without a
/// calibration.
fn origin(folder: &ModelFolder, config: &Config, args: &PredictArgs) -> Result<Origin> {
    let (threshold, calibration) = match args.threshold {
        Some(threshold) if threshold.is_finite() => (threshold, folder.calibration().ok()),
        Some(threshold) => bail!("--threshold must be a finite number, got {threshold}"),
        None => {
            let calibration = folder.calibration()?;
            (calibration.threshold, Some(calibration))
        }
    };
    let calibrated = calibration.as_ref().map_or(1, |calibration| calibration.min_area);
    Ok(Origin {
        model: folder.path().to_owned(),
        method: config.method.title(),
        scores: config.inspection.scores,
        decision: Decision { threshold, min_area: args.min_area.unwrap_or(calibrated) },
        calibration,
    })
}

fn outputs(chosen: &[Output]) -> Result<Vec<Output>> {
    let is_none = chosen.contains(&Output::None);
    ensure!(!is_none || chosen.len() == 1, "--write none excludes all others");
    Ok(if is_none { Vec::new() } else { chosen.to_vec() })
}

/// # Errors
/// If a folder cannot be watched, or not for these outputs.
fn check_watch(folder: &Path, outputs: &[Output], out: &Path) -> Result<()> {
    ensure!(folder.is_dir(), "{}: expected a folder to watch", shown(folder));
    ensure!(
        !is_same_folder(folder, out),
        "{}: the folder of the results cannot be watched; name another --out",
        shown(folder)
    );
    ensure!(!outputs.contains(&Output::Coco), "--write coco is for runs that end, not for --watch");
    Ok(())
}

/// Inspects what lies and arrives in a folder.
fn watch(
    terminal: Terminal,
    job: &Job,
    (folder, poll): (&Path, Duration),
    report: Option<Report>,
) -> Result<Outcome> {
    forget_run(&job.out)?;
    let tables = Tables::resume(&job.out, job.keeps(Output::Regions))?;
    let mut watched = Watched::default();
    let records = tables.records()?;
    // A watch tells of each image.
    let quiet = Terminal { quiet: true, ..terminal };
    let progress = Progress::new(quiet, ["watching", "images"], (0, 0), "");
    let mut run = Run::new(job, terminal, progress, tables, report);
    for record in records {
        let record = record?;
        run.take_name(&record.id);
        watched.remember(record);
    }
    terminal.note(&format!("watching {}", shown(folder)));
    let Err(ended) = watch::watch(&mut run, watched, folder, poll);
    // A folder that is gone stays so. A page that cannot be written does not change how the watch ended.
    if run.expect_folder().is_ok()
        && let Err(error) = run.write_summaries()
    {
        run.warn(&format!("{error:#}"));
    }
    Err(ended)
}
