//! A run over images.

use super::coco::Coco;
use super::inputs::spare;
use super::names::Names;
use super::prediction::{Job, Prediction};
use super::report::Report;
use super::tables::Tables;
use crate::args::Output;
use crate::interrupt::{self, Interrupted};
use crate::progress::Progress;
use crate::terminal::{self, Terminal};
use anyhow::{Error, Result, ensure};
use detector::records::PredictionRecord;
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

/// Images so far.
#[derive(Default)]
struct Tally {
    good: usize,
    defective: usize,
    failed: usize,
}

/// A run over images in progress.
pub struct Run<'a> {
    job: &'a Job,
    terminal: Terminal,
    bar: Progress,
    tables: Tables,
    coco: Option<Coco>,
    names: Names,
    tally: Tally,
    report: Option<Report>,
}

impl<'a> Run<'a> {
    /// A run that writes to these tables. Ids of `taken` are not given to images.
    pub fn new(
        job: &'a Job,
        terminal: Terminal,
        bar: Progress,
        tables: Tables,
        taken: &[PredictionRecord],
        report: Option<Report>,
    ) -> Self {
        let mut names = Names::default();
        taken.iter().for_each(|record| names.take(&record.id));
        let coco = job.keeps(Output::Coco).then(Coco::default);
        Self { job, terminal, bar, tables, coco, names, tally: Tally::default(), report }
    }

    /// Inspects an image.
    pub fn inspect(&mut self, image: &Path) -> Result<Prediction> {
        spare(image, &self.job.out)?;
        self.job.inspect(image, &self.names.free(image))
    }

    /// Records what was found.
    pub fn accept(&mut self, found: &Prediction) -> Result<()> {
        let record = &found.record;
        self.names.take(&record.id);
        self.tables.append(record)?;
        if let Some(coco) = &mut self.coco {
            coco.add(found);
        }
        if let Some(report) = &mut self.report {
            report.add(found)?;
        }
        *(if record.defective { &mut self.tally.defective } else { &mut self.tally.good }) += 1;
        let line = format!("{}: {}, score {:.4}", record.image, record.verdict(), record.score);
        self.bar.increment();
        self.bar.suspend(|| {
            self.terminal.record(record)?;
            self.terminal.text(&line)
        })
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
        let images = self.tally.good + self.tally.defective;
        interrupt::check(|| {
            self.bar.finish();
            format!("interrupted after {images} images")
        })
    }

    /// Replaces the page, if it is time.
    pub fn refresh(&mut self) {
        if let Some(report) = &mut self.report {
            report.refresh();
        }
    }

    /// Writes what is written at the end.
    pub fn write_summaries(&self) -> Result<()> {
        if let Some(report) = &self.report {
            report.finish()?;
        }
        match &self.coco {
            Some(coco) => coco.write(&self.job.out),
            None => Ok(()),
        }
    }

    /// Says how the run ended.
    pub fn finish(self) -> Result<Outcome> {
        self.bar.finish();
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
