//! Training the candidates of a tuning, the better ones longer.

use super::measuring::{Measuring, last_words};
use super::state::State;
use crate::interrupt::{self, Interrupted};
use crate::progress::Progress;
use anyhow::{Result, ensure};
use detector::records::Rung;
use detector::{Candidate, Config, Effort, ModelFolder, Start, Training, TrainingPlan, schedule};
use std::time::{Duration, Instant};

/// The part of the budget that is for training and comparing candidates; the rest is for comparing residuals on the best of them.
const FOR_CANDIDATES: f64 = 0.85;

/// The part of that for training, of which the schedule is made.
const FOR_TRAINING: f64 = 0.75;

/// Steps whose time is taken, after the first ones, which are slower.
const TIMED_STEPS: u64 = 20;
const FIRST_STEPS: u64 = 5;

/// The length of a training that is ended otherwise.
const ANY_LENGTH: u64 = 1 << 40;

/// How often the state of a training is saved.
const SAVED_EVERY: Duration = Duration::from_secs(60);

/// Compares residuals on given models.
///
/// # Errors
/// If a model cannot be read, an image cannot be inspected, or a signal came.
pub fn compare(
    measuring: &Measuring<'_>,
    given: &[(String, ModelFolder, Config)],
    state: &mut State,
) -> Result<()> {
    for (name, folder, config) in given {
        if state.find(name).is_none() {
            measuring.put(name, (folder, config), Effort::Thorough, state)?;
        }
    }
    Ok(())
}

/// Trains and compares candidates, the better half of them twice as long, and so on, until the schedule has ended or the budget is
/// spent.
///
/// # Errors
/// If no candidate can be trained, an image cannot be inspected, or a signal came.
pub fn halve(measuring: &Measuring<'_>, candidates: &[Candidate], state: &mut State) -> Result<()> {
    if state.record.rungs.is_empty() {
        let speed = speed(measuring, &candidates[0])?;
        let seconds = measuring.plan.budget.as_secs_f64() * FOR_CANDIDATES * FOR_TRAINING;
        state.record.rungs = schedule(candidates.len(), (seconds * speed) as u64);
        state.save()?;
    }
    let rungs = state.record.rungs.clone();
    measuring.context.terminal.note(&describe(&rungs));
    let mut left: Vec<&Candidate> = candidates.iter().collect();
    for rung in rungs {
        left.truncate(rung.candidates);
        let mut trained = Vec::new();
        for candidate in left {
            match reach(measuring, candidate, rung, state)? {
                Reached::Measured => trained.push(candidate),
                Reached::Failed => {}
                Reached::OutOfTime => {
                    let early = "the budget is spent before the schedule has ended; a larger --budget compares longer trainings";
                    measuring.context.terminal.note(early);
                    return Ok(());
                }
            }
        }
        ensure!(!trained.is_empty(), "none of the candidates could be trained");
        state.sort_at(&mut trained, rung);
        left = trained;
    }
    Ok(())
}

/// How far a candidate has come.
enum Reached {
    Measured,
    Failed,
    OutOfTime,
}

/// Trains a candidate up to a step of the schedule, and measures it.
fn reach(
    measuring: &Measuring<'_>,
    candidate: &Candidate,
    rung: Rung,
    state: &mut State,
) -> Result<Reached> {
    let name = &candidate.name;
    if state.find(name).is_some_and(|measured| measured.patches >= rung.patches) {
        return Ok(Reached::Measured);
    }
    // One model at least is trained and measured, however short the budget.
    let seconds = measuring.plan.budget.as_secs_f64() * FOR_CANDIDATES - state.seconds();
    let deadline = match state.record.candidates.is_empty() {
        true => None,
        false => Some(Instant::now() + Duration::from_secs_f64(seconds.max(0.0))),
    };
    match train(measuring, candidate, rung.patches, deadline) {
        Ok(true) => {}
        Ok(false) => return Ok(Reached::OutOfTime),
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => {
            measuring.context.terminal.warn(&format!("{name} is left out: {error:#}"));
            return Ok(Reached::Failed);
        }
    }
    let folder = measuring.plan.folder(name);
    measuring.put(name, (&folder, &candidate.config), Effort::Quick, state)?;
    Ok(Reached::Measured)
}

/// Whether the training came to its end before the deadline.
fn train(
    measuring: &Measuring<'_>,
    candidate: &Candidate,
    patches: u64,
    deadline: Option<Instant>,
) -> Result<bool> {
    let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    if is_late() {
        return Ok(false);
    }
    let mut training = start(measuring, candidate, patches)?;
    let template = "{msg} {elapsed_precise} {wide_bar} {pos}/{len} patches, {eta} left";
    let range = (training.patches(), patches);
    let bar = Progress::new(measuring.context.terminal, ["training", "patches"], range, template);
    bar.set_message(format!("{}: training", candidate.name));
    while !training.is_done() {
        bar.set_position(training.step()?.patches);
        if interrupt::came() || is_late() || training.since_saved() >= SAVED_EVERY {
            training.save()?;
        }
        interrupt::check(last_words)?;
        if is_late() {
            bar.finish();
            return Ok(false);
        }
    }
    bar.finish();
    training.finish()?;
    Ok(true)
}

/// A training that begins, or goes on where it stopped.
fn start(measuring: &Measuring<'_>, candidate: &Candidate, patches: u64) -> Result<Training> {
    let folder = measuring.plan.folder(&candidate.name);
    let mut config = candidate.config.clone();
    config.training.patches = patches;
    let start = if folder.has_checkpoint() { Start::Resuming } else { Start::Replacing };
    Ok(Training::start(TrainingPlan::new(folder, config, start)?, &measuring.context.device)?)
}

/// Patches per second, by the first steps of a training, which it goes on from later.
fn speed(measuring: &Measuring<'_>, candidate: &Candidate) -> Result<f64> {
    let mut training = start(measuring, candidate, ANY_LENGTH)?;
    for _ in 0..FIRST_STEPS {
        training.step()?;
    }
    let (before, started) = (training.patches(), Instant::now());
    for _ in 0..TIMED_STEPS {
        training.step()?;
        interrupt::check(last_words)?;
    }
    let speed = (training.patches() - before) as f64 / started.elapsed().as_secs_f64();
    training.save()?;
    Ok(speed)
}

fn describe(rungs: &[Rung]) -> String {
    let steps =
        rungs.iter().map(|rung| format!("{} models on {} patches", rung.candidates, rung.patches));
    format!("training {}", steps.collect::<Vec<_>>().join(", the best "))
}
