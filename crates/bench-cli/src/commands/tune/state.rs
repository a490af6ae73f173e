//! How far a tuning has come: `tune.json`, which is written after each step, and the plan that it belongs to.

use super::plan::{Models, Plan};
use anyhow::{Context, Result, ensure};
use detector::files::{read_file, read_text, remove_if_present, shown, write_atomic, write_json};
use detector::records::{ChoiceFigures, Rung, TunedCandidate, TuningRecord};
use detector::{Candidate, FolderLock, ResidualChoice, Start, TuningImages, fingerprint};
use std::cmp::Ordering;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

const RECORD: &str = "tune.json";
const PLAN: &str = "plan.toml";

/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// The measurements of a candidate.
pub type Tuned = TunedCandidate<ResidualChoice>;

/// A tuning in progress.
pub struct State {
    /// The measurements so far.
    pub record: TuningRecord<ResidualChoice>,
    path: PathBuf,
    _lock: FolderLock,
    /// When this part began, and the seconds of earlier parts.
    started: Instant,
    seconds_before: f64,
}

impl State {
    /// Goes on with the tuning in the folder, or begins one.
    ///
    /// # Errors
    /// If the folder holds another tuning, or cannot be written to.
    pub fn open(
        plan: &Plan,
        models: &Models,
        images: &TuningImages,
        overwrite: bool,
    ) -> Result<Self> {
        let lock = FolderLock::take(&plan.out)?;
        let (path, of_plan) = (plan.out.join(RECORD), plan.out.join(PLAN));
        let text = text(plan, models)?;
        let found = if overwrite || !of_plan.exists() {
            None
        } else {
            Some(read_text(&of_plan, MAX_FILE)?)
        };
        let record = match found {
            Some(found) => {
                ensure!(
                    found == text,
                    "{}: the folder holds a tuning with other images or settings; --overwrite begins anew",
                    shown(&of_plan)
                );
                read_record(&path)?
            }
            None => {
                make_room(plan, models, overwrite)?;
                // In this order: a plan without a record is one that has not come far.
                remove_if_present(&path)?;
                write_atomic(&of_plan, |file| Ok(file.write_all(text.as_bytes())?))?;
                None
            }
        };
        let record = record.unwrap_or_else(|| fresh(plan, models, images));
        Ok(Self {
            seconds_before: record.seconds,
            record,
            path,
            _lock: lock,
            started: Instant::now(),
        })
    }

    /// The time that the tuning took so far.
    pub fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// Writes the record.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&mut self) -> Result<()> {
        self.record.seconds = self.seconds();
        Ok(write_json(&self.path, &self.record)?)
    }

    /// The measurements of a candidate.
    pub fn find(&self, name: &str) -> Option<&Tuned> {
        self.record.candidates.iter().find(|candidate| candidate.name == name)
    }

    /// Takes what was measured of a candidate, and keeps the figures after shorter trainings.
    pub fn put(&mut self, mut candidate: Tuned) {
        if let Some(earlier) = self.find(&candidate.name) {
            let mut history = earlier.history.clone();
            history.append(&mut candidate.history);
            candidate.history = history;
        }
        self.record.candidates.retain(|other| other.name != candidate.name);
        self.record.candidates.push(candidate);
    }

    /// Puts the best candidates at the end of a step first.
    pub fn sort_at(&self, candidates: &mut [&Candidate], rung: Rung) {
        let figures = |candidate: &Candidate| {
            let history = &self.find(&candidate.name)?.history;
            history
                .iter()
                .find(|past| past.patches == rung.patches)
                .map(|past| past.figures.clone())
        };
        candidates.sort_by(|a, b| best_first(figures(a).as_ref(), figures(b).as_ref()));
    }

    /// Puts the candidates that were trained longest first, and of these the best; of given models the best.
    pub fn sort(&mut self) {
        let is_given = self.record.budget.is_none();
        let figures =
            |candidate: &Tuned| candidate.choices.first().map(|best| best.figures.clone());
        self.record.candidates.sort_by(|a, b| {
            let longer = if is_given { Ordering::Equal } else { b.patches.cmp(&a.patches) };
            longer.then_with(|| best_first(figures(a).as_ref(), figures(b).as_ref()))
        });
    }
}

/// The record of a tuning that has come so far.
fn read_record(path: &Path) -> Result<Option<TuningRecord<ResidualChoice>>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_file(path, MAX_FILE)?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!("{}: expected the record of a tuning; --overwrite begins anew", shown(path))
    })
}

/// Puts what was not measured last.
fn best_first(a: Option<&ChoiceFigures>, b: Option<&ChoiceFigures>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.best_first(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn fresh(plan: &Plan, models: &Models, images: &TuningImages) -> TuningRecord<ResidualChoice> {
    let is_given = matches!(models, Models::Given(_));
    TuningRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data: shown(&plan.dataset.root),
        good_images: images.good.len(),
        drawn_defects: images.defects(),
        false_alarms: plan.false_alarms,
        budget: (!is_given).then(|| plan.budget.as_secs_f64() / 60.0),
        seconds: 0.0,
        rungs: Vec::new(),
        candidates: Vec::new(),
        is_complete: false,
        agreement: None,
    }
}

/// All that decides about the result, to compare with.
fn text(plan: &Plan, models: &Models) -> Result<String> {
    let (good, names) = (fingerprint(&plan.good.images)?, models.names().join(" "));
    let budget = match models {
        Models::Given(_) => String::new(),
        Models::ToTrain(_) => format!("# budget: {} minutes\n", plan.budget.as_secs_f64() / 60.0),
    };
    let config = plan.base.to_toml()?;
    Ok(format!("# good images: SHA-256 {good}\n# models: {names}\n{budget}{config}"))
}

/// Makes sure that no training goes on from a model of another tuning.
fn make_room(plan: &Plan, models: &Models, overwrite: bool) -> Result<()> {
    let Models::ToTrain(candidates) = models else { return Ok(()) };
    let start = if overwrite { Start::Replacing } else { Start::Fresh };
    for candidate in candidates {
        let folder = plan.folder(&candidate.name);
        start.check(&folder)?;
        if folder.is_occupied() {
            let _lock = folder.lock()?;
            folder.begin(&candidate.config)?;
        }
    }
    Ok(())
}
