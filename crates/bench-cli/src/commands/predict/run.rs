//! A run over images.

use super::coco::Coco;
use super::names::Names;
use super::prediction::{Job, Prediction};
use super::recorded::Known;
use super::report::Report;
use super::tables::Tables;
use super::tally::Tally;
use crate::args::Output;
use crate::interrupt::{self, Interrupted};
use crate::progress::Progress;
use crate::terminal::{self, Terminal};
use anyhow::{Error, Result};
use detector::files::{shown, shown_text};
use std::path::Path;

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

/// A run over images in progress.
pub struct Run<'a> {
    job: &'a Job,
    terminal: Terminal,
    bar: Progress,
    tables: Tables,
    names: Names,
    tally: Tally,
    /// Whether the result of an earlier run was replaced.
    has_replaced: bool,
    report: Option<Report>,
    /// Whether an image was warned of that is scaled otherwise than those of the calibration.
    has_warned_of_scale: bool,
}

impl<'a> Run<'a> {
    /// A run that writes to these tables.
    pub fn new(
        job: &'a Job,
        terminal: Terminal,
        bar: Progress,
        tables: Tables,
        report: Option<Report>,
    ) -> Self {
        let (names, tally) = (Names::new(job.subfolders), Tally::default());
        let (has_replaced, has_warned_of_scale) = (false, false);
        Self { job, terminal, bar, tables, names, tally, has_replaced, report, has_warned_of_scale }
    }

    /// Gives the ids of images of earlier runs to no other.
    pub fn take_name(&mut self, id: &str) {
        self.names.take(id);
    }

    /// Inspects an image.
    ///
    /// # Errors
    /// If it cannot be read or inspected, or lies where results are written to.
    pub fn inspect(&mut self, image: &Path) -> Result<Prediction> {
        self.job.inspect(self.job.read(image)?, self.names.free(image))
    }

    /// # Errors
    /// If the folder of the results, or a table, was removed or replaced.
    pub fn expect_folder(&mut self) -> Result<()> {
        self.job.lock.expect_in_place()?;
        self.tables.expect_in_place()
    }

    /// Writes all that is kept of an image, its record last.
    ///
    /// # Errors
    /// If a result cannot be written, or the folder is gone; there is no record of the image then, and it can be tried again.
    pub fn keep(&mut self, found: &mut Prediction) -> Result<()> {
        self.expect_folder()?;
        self.job.write(found)?;
        self.append(found, None)?;
        self.names.take(&found.record.id);
        Ok(())
    }

    /// Records an image whose other results are written, and removes those of an earlier run that they do not replace.
    ///
    /// # Errors
    /// If a table cannot be written, a file cannot be removed, or the folder is gone.
    pub fn append(&mut self, found: &Prediction, earlier: Option<&Known>) -> Result<()> {
        // If the folder was removed meanwhile, some of the results lie in a new one.
        self.expect_folder()?;
        self.tables.append(&found.record)?;
        match earlier {
            Some(earlier) => {
                self.has_replaced = true;
                self.job.remove_others(&earlier.files, &found.record)
            }
            None => Ok(()),
        }
    }

    /// Counts an image that an earlier run has inspected.
    pub fn pass(&mut self, known: &Known) {
        if let Some(report) = &mut self.report {
            report.add_recorded(known.score, known.is_defective);
        }
        self.tally.add(known.is_defective);
        self.bar.increment();
    }

    /// The names of images, for whoever gives them from now on.
    pub fn take_names(&mut self) -> Names {
        std::mem::take(&mut self.names)
    }

    /// Says what was found in an image, on the page of the run, too.
    ///
    /// # Errors
    /// If standard output cannot be written to, or a picture of the page cannot be made.
    pub fn announce(&mut self, found: &Prediction) -> Result<()> {
        let record = &found.record;
        if let Some(report) = &mut self.report {
            report.add(found)?;
        }
        self.tally.add(record.defective);
        if !self.has_warned_of_scale
            && let Some(warning) = self.job.other_scale(record)
        {
            self.has_warned_of_scale = true;
            self.bar.suspend(|| self.terminal.warn(&warning));
        }
        let (image, verdict) = (shown_text(&record.image), record.verdict());
        self.bar.increment();
        self.bar.suspend(|| {
            self.terminal.record(record)?;
            self.terminal.text(&format!("{image}: {verdict}, score {:.4}", record.score))
        })
    }

    /// Warns of something that the run goes on in spite of.
    pub fn warn(&self, text: &str) {
        self.terminal.warn(text);
    }

    /// Notes something about the run.
    pub fn note(&self, text: &str) {
        self.terminal.note(text);
    }

    /// Reports why an image could not be inspected.
    pub fn reject(&mut self, error: &Error) {
        self.tally.failed += 1;
        if let Some(report) = &mut self.report {
            report.add_failure(error);
        }
        self.bar.increment();
        self.bar.suspend(|| terminal::error(error));
    }

    /// Ends the run if a signal came.
    pub fn check_interrupt(&self) -> Result<(), Interrupted> {
        interrupt::check(|| {
            self.bar.finish();
            let images = self.tally.inspected();
            format!("interrupted after {images} {}", if images == 1 { "image" } else { "images" })
        })
    }

    /// Replaces the page, if it is time.
    pub fn refresh(&mut self) {
        if let Some(report) = &mut self.report {
            report.refresh(self.tally);
        }
    }

    /// Writes what is written at the end.
    pub fn write_summaries(&self) -> Result<()> {
        if let Some(report) = &self.report {
            report.finish(self.tally)?;
        }
        if self.job.keeps(Output::Coco) {
            Coco::of(self.tables.records()?)?.write(&self.job.out)?;
        }
        Ok(())
    }

    /// Whether the result of an earlier run was replaced.
    pub fn has_replaced(&self) -> bool {
        self.has_replaced
    }

    /// The images so far, inspected or not.
    pub fn images(&self) -> usize {
        self.tally.all()
    }

    /// Says how the run ended.
    pub fn finish(self) -> Result<Outcome> {
        self.bar.finish();
        let Tally { defective, failed, .. } = self.tally;
        let all = self.tally.all();
        if all > 1 {
            let failed = match failed {
                0 => String::new(),
                _ => format!(", {failed} could not be inspected"),
            };
            let out = shown(&self.job.out);
            self.terminal.note(&format!("{all} images, {defective} with defects{failed}: {out}"));
        }
        Ok(match defective {
            _ if failed > 0 => Outcome::Incomplete,
            0 => Outcome::Good,
            _ => Outcome::Defective,
        })
    }
}
