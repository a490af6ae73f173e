//! The page of a training.

use crate::page::{Live, Losses, Reconstructions, TrainingPage};
use crate::progress::duration;
use crate::terminal::Terminal;
use anyhow::Result;
use detector::files::shown;
use detector::records::{Calibration, CalibrationSource, LogEntry};
use detector::{Glimpse, Training, TrainingPlan, TrainingStep};
use std::time::Instant;

/// The file in the folder of the model.
const FILE: &str = "report.html";

/// Points of the curve of losses, at most; twice as many are joined in pairs.
const POINTS: usize = 300;

/// The loss of good images at the end, relative to its smallest, that is warned of.
const WORSE: f64 = 1.05;

/// The page of a training while it goes on.
pub struct Watch {
    live: Live,
    terminal: Terminal,
    reconstructions: Reconstructions,
    steps: Steps,
    /// Losses of good images by patches seen.
    good: Vec<(f64, f64)>,
    good_are_held_out: bool,
    /// Patches after which reconstructions are kept the next time.
    next_stage: u64,
}

/// Means of losses over equal numbers of steps.
#[derive(Default)]
struct Steps {
    points: Vec<(f64, f64)>,
    per_point: usize,
    count: usize,
    sum: f64,
}

impl Steps {
    fn add(&mut self, patches: u64, loss: f64) {
        (self.count, self.sum) = (self.count + 1, self.sum + loss);
        if self.count >= self.per_point.max(1) {
            self.points.push((patches as f64, self.sum / self.count as f64));
            (self.count, self.sum) = (0, 0.0);
        }
        if self.points.len() >= 2 * POINTS {
            let join = |pair: &[(f64, f64)]| (pair[1].0, f64::midpoint(pair[0].1, pair[1].1));
            self.points = self.points.chunks_exact(2).map(join).collect();
            self.per_point = 2 * self.per_point.max(1);
        }
    }
}

impl Watch {
    /// Of a training that begins or goes on.
    pub fn of(training: &Training, terminal: Terminal) -> Result<Self> {
        let patches = training.sight().map_or(&[][..], |sight| &sight.patches);
        let earlier = training.log().iter();
        let earlier =
            earlier.filter_map(|epoch| Some((epoch.patches as f64, epoch.held_out_loss?)));
        Ok(Self {
            live: Live::new(training.plan().folder.path().join(FILE)),
            terminal,
            reconstructions: Reconstructions::of(patches)?,
            steps: Steps::default(),
            good: earlier.collect(),
            good_are_held_out: training.sight().is_none_or(|sight| sight.held_out),
            next_stage: training.patches(),
        })
    }

    /// Notes a step, and replaces the page if it is time.
    pub fn step(&mut self, training: &Training, step: &TrainingStep) -> Result<()> {
        if let Some(loss) = step.loss {
            self.steps.add(step.patches, f64::from(loss));
        }
        if step.patches >= self.next_stage {
            self.look(training, true)?;
            self.next_stage = next_stage(step.patches);
        }
        if self.live.is_due() {
            self.look(training, false)?;
            let (seen, all) = (step.patches, training.plan().config.training.patches);
            let name = shown(training.plan().folder.path());
            let title = format!("{name}: training, {} % done", 100 * seen / all.max(1));
            self.write(training, &title, false, None);
        }
        Ok(())
    }

    /// Writes the page of a training that is over, or has stopped before it was calibrated.
    pub fn finish(mut self, training: &Training, calibration: Option<&Calibration>) -> Result<()> {
        let name = shown(training.plan().folder.path());
        let title = match calibration {
            Some(_) => format!("{name}: trained"),
            None if training.is_done() => format!("{name}: trained, but not calibrated"),
            None => format!("{name}: stopped after {} patches", training.patches()),
        };
        if calibration.is_some() {
            self.look(training, true)?;
        }
        self.write(training, &title, true, calibration);
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> String {
        shown(self.live.path())
    }

    fn look(&mut self, training: &Training, keeps_pictures: bool) -> Result<()> {
        let Some(Glimpse { patches, loss, reconstructions }) = training.glimpse() else {
            return Ok(());
        };
        self.good.retain(|&(seen, _)| seen != patches as f64);
        self.good.push((patches as f64, loss));
        if self.good.len() > POINTS {
            self.good = self.good.iter().copied().step_by(2).collect();
        }
        if keeps_pictures {
            self.reconstructions.add(patches, &reconstructions)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        training: &Training,
        title: &str,
        is_over: bool,
        calibration: Option<&Calibration>,
    ) {
        let start = Instant::now();
        let Self { live, reconstructions, steps, good, good_are_held_out, .. } = self;
        let page = TrainingPage {
            title,
            is_over,
            config: &training.plan().config,
            facts: facts(training),
            warnings: warnings(
                training.log(),
                if *good_are_held_out { good } else { &[] },
                calibration,
            ),
            losses: Losses {
                steps: &steps.points,
                good,
                good_are_held_out: *good_are_held_out,
                epochs: training.log(),
            },
            reconstructions,
            calibration,
        };
        if let Some(error) = live.write(start, page.markup()) {
            self.terminal.warn(&format!("the page of the training is left out for now: {error:#}"));
        }
    }
}

/// The next half decade, 100, 300, 1000, …, after a number of patches.
fn next_stage(patches: u64) -> u64 {
    let mut decade = 100;
    loop {
        match [decade, 3 * decade].into_iter().find(|&stage| stage > patches) {
            Some(stage) => return stage,
            None => decade *= 10,
        }
    }
}

fn facts(training: &Training) -> Vec<(&'static str, String)> {
    let TrainingPlan { config, split, dataset, .. } = training.plan();
    let (seen, all, seconds) = (training.patches(), config.training.patches, training.seconds());
    let rate = training.log().last().map(|epoch| epoch.patches_per_second);
    let left = rate.filter(|_| seen < all).map(|rate| (all - seen) as f64 / rate);
    let left = left.map_or_else(String::new, |left| format!(", about {} left", duration(left)));
    vec![
        ("Method", config.method.title().to_owned()),
        ("Patches", format!("{seen} of {all} in {}{left}", duration(seconds))),
        ("Data", shown(&dataset.root)),
        (
            "Good images",
            format!("{} to train on, {} held out", split.train.len(), split.held_out.len()),
        ),
        ("Seed", config.training.seed.to_string()),
        ("Device", training.device().to_owned()),
        ("Program", format!("bench-cli {}", env!("CARGO_PKG_VERSION"))),
    ]
}

/// Sentences on whatever deserves attention.
fn warnings(
    log: &[LogEntry],
    good: &[(f64, f64)],
    calibration: Option<&Calibration>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if log.last().is_some_and(LogEntry::collapsed) {
        warnings.push(
            "The reconstructions are constant grey. Another seed, squared SSIM constants or a smaller learning rate may help."
                .to_owned(),
        );
    }
    let smallest = good.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
    if let (Some((patches, smallest)), Some(&(_, last))) = (smallest, good.last())
        && last > WORSE * smallest
    {
        warnings.push(format!(
            "The loss of held-out images was smallest after {patches:.0} patches, {smallest:.4}, and is {last:.4} now: the network \
             learns its training images by heart. More images or fewer patches help."
        ));
    }
    let Some(calibration) = calibration else { return warnings };
    if matches!(calibration.source, CalibrationSource::TrainedOn | CalibrationSource::Unknown) {
        warnings.push(format!(
            "The threshold comes from images that are {}: it may be too low for new ones.",
            calibration.source.describe()
        ));
    }
    if calibration.images < 10 {
        warnings.push(format!(
            "The threshold comes from {} good images only; more of them make it surer.",
            calibration.images
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_half_decades() {
        assert_eq!([0, 100, 299, 300, 5000].map(next_stage), [100, 300, 300, 1000, 10_000]);
    }

    #[test]
    fn long_trainings_have_as_many_points_as_short_ones() {
        let mut steps = Steps::default();
        (1..=100_000).for_each(|step| steps.add(16 * step, step as f64));
        assert!((POINTS..2 * POINTS).contains(&steps.points.len()));
        let &(patches, loss) = &steps.points[0];
        assert_eq!(loss, f64::midpoint(1.0, patches / 16.0), "the mean of the steps until then");
    }

    #[test]
    fn learning_by_heart_is_warned_of() {
        let warned = |good: &[(f64, f64)]| !warnings(&[], good, None).is_empty();
        assert!(warned(&[(0.0, 1.0), (100.0, 0.2), (200.0, 0.3)]));
        assert!(!warned(&[(0.0, 1.0), (100.0, 0.2), (200.0, 0.205)]));
    }
}
