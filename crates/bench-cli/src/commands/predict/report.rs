//! The page of a run: of a batch when it is over, of a watch while it goes on.

use super::prediction::Prediction;
use super::tally::Tally;
use crate::drawing::short;
use crate::interrupt;
use crate::page::{
    BatchPage, Exhibit, Kind, Levels, Live, Pictures, Planes, Recalibration, write_document,
};
use crate::terminal::Terminal;
use anyhow::{Error, Result};
use detector::files::{remove_if_present, shown};
use detector::records::Calibration;
use detector::{Decision, Drift, Scores, to_grey8};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The file in the folder of the results.
const FILE: &str = "report.html";

/// Images of the page of a batch, and of a watch, at most.
const SHOWN: usize = 50;
const RECENT: usize = 8;

/// The pictures of a page take no more than this, so that it can be sent by mail.
const BUDGET: usize = 9_000_000;

/// Scores that a watch keeps for its curve.
const REMEMBERED: usize = 10_000;

/// The last scores that were not flagged, which are compared with the calibration, and the last images, of which the flagged ones are counted.
const COMPARED: usize = 100;

/// Failures that are named.
const NAMED: usize = 10;

/// How often the page of a watch is replaced when nothing comes.
const IDLE: Duration = Duration::from_secs(60);

/// The model and its decision.
pub struct Origin {
    pub model: PathBuf,
    pub method: &'static str,
    pub scores: Scores,
    pub decision: Decision,
    pub calibration: Option<Calibration>,
}

impl Origin {
    /// The sizes of the calibration's images.
    pub fn good_sizes(&self) -> Vec<[usize; 2]> {
        let scores = self.calibration.iter().flat_map(|calibration| &calibration.scores);
        scores.map(|good| [good.width, good.height]).collect()
    }

    /// The score that good images reach: the unit of colours.
    pub fn unit(&self) -> f32 {
        let threshold = self.decision.threshold.abs();
        let unit = self.calibration.as_ref().map_or(threshold, Calibration::good_unit);
        if unit > 0.0 { unit } else { 1.0 }
    }
}

/// Whether a run ends by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Course {
    Batch,
    Watch,
}

/// A run as its page shows it.
pub struct Report {
    origin: Origin,
    course: Course,
    terminal: Terminal,
    levels: Levels,
    live: Live,
    /// The highest scores first in a batch, the last images last in a watch.
    exhibits: Vec<Exhibit>,
    /// When an image was inspected, and its score.
    scores: VecDeque<(Instant, f32)>,
    unflagged: VecDeque<f32>,
    /// Whether the last images were flagged.
    flagged: VecDeque<bool>,
    failures: VecDeque<String>,
    /// Images that an earlier run has inspected.
    recorded: usize,
    /// Whether an image of a batch was not kept: there is room for higher scores only.
    has_dropped: bool,
    started: Instant,
    /// Whether something came since the page was written, and when that was.
    is_news: bool,
    written: Instant,
}

impl Report {
    /// Of a run that begins.
    pub fn new(origin: Origin, out: &Path, course: Course, terminal: Terminal) -> Self {
        let levels = Levels::new(origin.unit(), origin.decision.threshold);
        let now = Instant::now();
        Self {
            origin,
            course,
            terminal,
            levels,
            live: Live::new(out.join(FILE)),
            exhibits: Vec::new(),
            scores: VecDeque::new(),
            unflagged: VecDeque::new(),
            flagged: VecDeque::new(),
            failures: VecDeque::new(),
            recorded: 0,
            has_dropped: false,
            started: now,
            is_news: true,
            written: now,
        }
    }

    /// Removes what an earlier run left in a folder.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn forget(out: &Path) -> Result<()> {
        Ok(remove_if_present(&out.join(FILE))?)
    }

    /// Notes an image.
    pub fn add(&mut self, found: &Prediction) -> Result<()> {
        self.count(found.record.score, found.record.defective);
        self.show(found)
    }

    fn count(&mut self, score: f32, is_defective: bool) {
        self.scores.push_back((Instant::now(), score));
        if !is_defective {
            self.unflagged.push_back(score);
        }
        self.flagged.push_back(is_defective);
        keep_last(&mut self.unflagged, COMPARED);
        keep_last(&mut self.flagged, COMPARED);
        if self.course == Course::Watch {
            keep_last(&mut self.scores, REMEMBERED);
        }
        self.is_news = true;
    }

    /// Notes an image that an earlier run has inspected, of which there is no picture.
    pub fn add_recorded(&mut self, score: f32, is_defective: bool) {
        self.recorded += 1;
        self.count(score, is_defective);
    }

    /// Notes an image that could not be inspected.
    pub fn add_failure(&mut self, error: &Error) {
        self.failures.push_back(format!("{error:#}"));
        keep_last(&mut self.failures, NAMED);
        self.is_news = true;
    }

    /// Keeps the pictures of an image, if it is among those that are shown.
    fn show(&mut self, Prediction { record, looks, .. }: &Prediction) -> Result<()> {
        let score = record.score;
        if self.has_dropped && self.exhibits.last().is_some_and(|last| last.score >= score) {
            return Ok(());
        }
        let planes = Planes {
            image: &to_grey8(&looks.image),
            reconstruction: &to_grey8(&looks.reconstruction),
            map: &looks.map,
            flagged: &looks.mask,
            ground_truth: None,
        };
        let exhibit = Exhibit {
            name: record.image.clone(),
            kind: None,
            score,
            text: format!("score {score:.3}, {}", record.verdict()),
            pictures: Pictures::of(&planes, &self.levels)?,
        };
        let is_too_much = |exhibits: &[Exhibit], most: usize| {
            let bytes = exhibits.iter().map(|exhibit| exhibit.pictures.bytes()).sum::<usize>();
            exhibits.len() > most || (exhibits.len() > 1 && bytes > BUDGET)
        };
        if self.course == Course::Watch {
            self.exhibits.push(exhibit);
            while is_too_much(&self.exhibits, RECENT) {
                self.exhibits.remove(0);
            }
            return Ok(());
        }
        let place = self.exhibits.partition_point(|other| other.score >= score);
        self.exhibits.insert(place, exhibit);
        while is_too_much(&self.exhibits, SHOWN) {
            self.exhibits.pop();
            self.has_dropped = true;
        }
        Ok(())
    }

    /// Replaces the page of a watch, if it is time and there is something new.
    pub fn refresh(&mut self, tally: Tally) {
        let is_due = self.is_news || self.written.elapsed() >= IDLE;
        if self.course == Course::Watch && is_due && self.live.is_due() {
            (self.is_news, self.written) = (false, Instant::now());
            let start = Instant::now();
            let page = self.page(tally, false);
            if let Some(error) = self.live.write(start, page) {
                self.terminal
                    .warn(&format!("the page of the watch is left out for now: {error:#}"));
            }
        }
    }

    /// Writes the page of a run that is over.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(&self, tally: Tally) -> Result<()> {
        write_document(self.live.path(), self.page(tally, true)?)
    }

    fn page(&self, tally: Tally, is_over: bool) -> Result<maud::Markup> {
        let now = Instant::now();
        let scores: Vec<f32> = self.scores.iter().map(|&(_, score)| score).collect();
        let ages: Vec<f64> =
            self.scores.iter().map(|(at, _)| now.duration_since(*at).as_secs_f64()).collect();
        let Origin { model, scores: kind, calibration, decision, .. } = &self.origin;
        let kind = match self.course {
            Course::Watch => Kind::Watch { exhibits: &self.exhibits, ages: &ages, is_over },
            Course::Batch => {
                let recalibration = Recalibration::of(model, *kind, calibration.as_ref());
                let inspected = self.scores.len() - self.recorded;
                Kind::Batch { exhibits: &self.exhibits, inspected, recalibration }
            }
        };
        let title = match (self.course, is_over) {
            (Course::Batch, _) => "Inspected images",
            (Course::Watch, false) => "Watching",
            (Course::Watch, true) => "Watched",
        };
        let failures: Vec<String> = self.failures.iter().cloned().collect();
        let page = BatchPage {
            title,
            facts: self.facts(tally),
            decision: *decision,
            calibration: calibration.as_ref(),
            levels: &self.levels,
            scores: &scores,
            drift: self.drift(),
            flagged: self.flagged.iter().filter(|&&is_flagged| is_flagged).count(),
            of_last: self.flagged.len(),
            failures: &failures,
            kind,
        };
        page.markup()
    }

    fn facts(&self, tally: Tally) -> Vec<(&'static str, String)> {
        let Tally { good, defective, failed } = tally;
        let Origin { model, method, decision, .. } = &self.origin;
        let Decision { threshold, min_area } = decision;
        let all = tally.all();
        let (seconds, now) = (self.started.elapsed().as_secs_f64(), crate::page::now());
        let pixels = if *min_area <= 1 { "pixel" } else { "pixels" };
        let recorded = match self.recorded {
            0 => String::new(),
            count => format!("; {count} of them by an earlier run, without pictures here"),
        };
        let interrupted = match self.course {
            Course::Batch if interrupt::came() => "; interrupted before the end of the list",
            _ => "",
        };
        vec![
            (
                match self.course {
                    Course::Batch => "Images",
                    Course::Watch => "Images since the start",
                },
                format!(
                    "{all}: {good} good, {defective} with defects, {failed} not inspected{recorded}{interrupted}"
                ),
            ),
            (
                "Threshold",
                format!(
                    "{}, in regions of at least {} {pixels}",
                    short(*threshold),
                    min_area.max(&1)
                ),
            ),
            ("Model", format!("{}, {method}", shown(model))),
            ("Written", format!("{now}, {} after the start", crate::progress::duration(seconds))),
            ("Program", format!("bench-cli {}", env!("CARGO_PKG_VERSION"))),
        ]
    }

    /// The last images that were not flagged, compared with those of the calibration that are not. Scores of another least area are
    /// others.
    fn drift(&self) -> Option<Drift> {
        let calibration = self.origin.calibration.as_ref()?;
        let Decision { threshold, min_area } = self.origin.decision;
        if calibration.min_area.max(1) != min_area.max(1) {
            return None;
        }
        let scores = calibration.scores.iter().map(|good| good.score);
        let good: Vec<f32> = scores.filter(|&score| score < threshold).collect();
        let recent: Vec<f32> = self.unflagged.iter().copied().collect();
        Drift::between(&good, &recent)
    }
}

fn keep_last<T>(items: &mut VecDeque<T>, count: usize) {
    let surplus = items.len().saturating_sub(count);
    items.drain(..surplus);
}
