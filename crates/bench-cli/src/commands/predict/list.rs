//! Runs over lists of images, which come to an end.

use super::coco::Coco;
use super::failures::Failures;
use super::inputs::{Separator, listed_images};
use super::pipeline::Pipeline;
use super::prediction::Job;
use super::recorded::Recorded;
use super::report::Report;
use super::run::{Outcome, Run};
use super::tables::{Tables, leave_last_records};
use crate::args::{Output, Subfolders};
use crate::interrupt::Interrupted;
use crate::progress::Progress;
use crate::terminal::Terminal;
use anyhow::{Context, Result, ensure};
use detector::Shard;
use detector::files::{read_file, remove_if_present, remove_parts, shown, write_json};
use detector::records::RunRecord;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The record of a run in the folder of its results.
const FILE: &str = "run.json";

/// A list of images.
pub struct List {
    /// First those that arguments name.
    pub named: Vec<PathBuf>,
    /// Then those on standard input.
    pub listed: Option<Separator>,
    /// The part of the list that is inspected.
    pub shard: Option<Shard>,
}

impl List {
    fn holds(&self, image: &Path) -> bool {
        self.shard.is_none_or(|shard| shard.holds_path(image))
    }

    fn progress(&self, terminal: Terminal) -> Progress {
        let (images, template) = match self.listed {
            None => {
                let images = self.named.iter().filter(|image| self.holds(image)).count();
                (images as u64, "{wide_bar} {pos}/{len} images, {rate}, {eta} left")
            }
            Some(_) => (0, "{elapsed_precise} {pos} images, {rate}"),
        };
        Progress::new(terminal, ["inspecting", "images"], (0, images), template)
    }

    /// The images of the part with their numbers in the list, which are counted.
    fn images<'a>(
        &'a self,
        halt: &'a AtomicBool,
        listed: &'a AtomicUsize,
    ) -> impl Iterator<Item = (usize, Result<PathBuf>)> + Send + 'a {
        let is_over = || halt.load(Ordering::Relaxed);
        let more = self.listed.map(|separator| listed_images(separator, is_over));
        let images = self.named.iter().cloned().map(Ok).chain(more.into_iter().flatten());
        let numbered = images.map(|image| (listed.fetch_add(1, Ordering::Relaxed), image));
        numbered.filter(|(_, image)| match image {
            Ok(image) => self.holds(image),
            // A line that names no image belongs to the part that its message falls to.
            Err(error) => self.holds(Path::new(&error.to_string())),
        })
    }
}

/// Inspects the images of a list, or, if the run is resumed, those of them whose results in the folder do not hold.
///
/// # Errors
/// If results cannot be read or written, or the list is empty; or that it was interrupted.
pub fn inspect(
    terminal: Terminal,
    job: &Job,
    list: &List,
    resume: bool,
    report: Option<Report>,
) -> Result<Outcome> {
    let mut record = RunRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shard: list.shard.map(|shard| shard.to_string()),
        settings: job.settings.clone(),
        finished: false,
        listed: 0,
        images: 0,
    };
    forget_run(&job.out)?;
    Coco::forget(&job.out)?;
    let mut failures = Failures::begin(&job.out)?;
    if job.subfolders != Subfolders::None {
        sweep(&job.out)?;
    }
    let with_regions = job.keeps(Output::Regions);
    let tables = match resume {
        true => Tables::resume(&job.out, with_regions)?,
        false => Tables::begin(&job.out, with_regions)?,
    };
    write_json(&job.out.join(FILE), &record)?;
    let records = tables.records()?;
    let mut run = Run::new(job, terminal, list.progress(terminal), tables, report);
    let mut recorded = Recorded::default();
    for record in records {
        let record = record?;
        run.take_name(&record.id);
        recorded.insert(record);
    }
    note_recorded(terminal, &recorded, &job.settings);
    let (halt, listed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let pipeline =
        Pipeline { job, recorded: &recorded, is_shard: list.shard.is_some(), halt: &halt };
    pipeline.run(list.images(&halt, &listed), &mut run, &mut failures)?;
    if recorded.has_repeated || run.has_replaced() {
        leave_last_records(&job.out, with_regions)?;
    }
    run.write_summaries()?;
    run.check_interrupt().map_err(|Interrupted(said)| {
        Interrupted(format!("{said}; the same command with --resume goes on"))
    })?;
    (record.finished, record.listed, record.images) = (true, listed.into_inner(), run.images());
    ensure!(record.listed > 0, "expected images on standard input, got none");
    write_json(&job.out.join(FILE), &record)?;
    run.finish()
}

fn note_recorded(terminal: Terminal, recorded: &Recorded, settings: &str) {
    let (all, alike) = recorded.count(settings);
    if all > 0 {
        let others = all - alike;
        let others = match others {
            0 => String::new(),
            _ => format!(
                "; {others} of them are of another model or other options, and do not count"
            ),
        };
        terminal.note(&format!("going on with the records of {all} images{others}"));
    }
}

/// Removes what a killed run has left of temporary files in subfolders, but for those of shards, to which others may be writing.
fn sweep(folder: &Path) -> Result<()> {
    let cannot_read = || format!("cannot read folder {}", shown(folder));
    for entry in std::fs::read_dir(folder).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let is_shard = entry.file_name().to_str().and_then(Shard::of_folder).is_some();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_shard {
            remove_parts(&entry.path())?;
            sweep(&entry.path())?;
        }
    }
    Ok(())
}

/// The record of the run in a folder; `None` if there was none.
///
/// # Errors
/// If it cannot be read or understood; the error names the file.
pub fn read_run(folder: &Path) -> Result<Option<RunRecord>> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_file(&path, 1 << 20)?;
    Ok(Some(serde_json::from_slice(&bytes).with_context(|| shown(&path))?))
}

/// Removes the record of an earlier run, whose tables are begun anew or gone on with.
///
/// # Errors
/// If that is not possible.
pub fn forget_run(folder: &Path) -> Result<()> {
    Ok(remove_if_present(&folder.join(FILE))?)
}
