//! `bench-cli train`

use super::Context;
use crate::args::{CHECKPOINT_SECONDS, TrainArgs};
use crate::config::{Config, Method};
use crate::data::fingerprint;
use crate::interrupt;
use crate::io::read_image;
use crate::model_folder::{FeaturesRecord, FolderLock, LogEntry, ModelFolder, TrainingRecord};
use crate::pipeline::prepare;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use indicatif::ProgressBar;
use models::{EpochReport, StepReport, Trainer, TrainingImage, checkpoint_note, device_name};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A training run, checked.
struct Plan {
    folder: ModelFolder,
    config: Config,
    /// Good images, split into those to train on and those held out.
    train: Vec<PathBuf>,
    held_out: Vec<PathBuf>,
    beginning: Beginning,
    checkpoint_interval: Duration,
}

/// What a training begins with.
#[derive(Clone, Copy, PartialEq)]
enum Beginning {
    /// A folder without a model.
    Fresh,
    /// Any folder; a model in it is replaced.
    Replacing,
    /// What an earlier part of the training has left.
    Resuming,
}

/// The last line of the output.
#[derive(Serialize)]
struct Summary {
    model: String,
    patches: u64,
    seconds: f64,
    loss: f64,
    collapsed: bool,
    threshold: f32,
}

/// Trains a model and calibrates it.
///
/// # Errors
/// If the arguments, the images or the folder do not allow it, or the loss diverges.
pub fn train(context: &Context, args: &TrainArgs) -> Result<()> {
    let plan = plan(args)?;
    let record = execute(context, &plan)?;
    let TrainingRecord { patches, seconds, loss, collapsed, .. } = record;
    let threshold = plan.folder.calibration()?.threshold;
    let model = plan.folder.path().display().to_string();
    context.reporter.text(&format!(
        "trained on {patches} patches in {seconds:.0} s, loss {loss:.4}, threshold {threshold:.4}: {model}"
    ))?;
    context.reporter.record(&Summary { model, patches, seconds, loss, collapsed, threshold })
}

/// Trains and calibrates the model of a configuration; a finished training of the same configuration is taken over.
///
/// # Errors
/// See [`train`].
pub fn train_model(
    context: &Context,
    folder: &ModelFolder,
    config: &Config,
) -> Result<TrainingRecord> {
    let (train, held_out) = split_images(config)?;
    let (folder, config) = (folder.clone(), config.clone());
    let beginning = match folder.config() {
        Ok(found) if found == config => Beginning::Resuming,
        _ => Beginning::Replacing,
    };
    let checkpoint_interval = Duration::from_secs(CHECKPOINT_SECONDS);
    execute(context, &Plan { folder, config, train, held_out, beginning, checkpoint_interval })
}

fn execute(context: &Context, plan: &Plan) -> Result<TrainingRecord> {
    let mut run = Run::start(context, plan)?;
    context.reporter.note(&format!("training on {}", run.device));
    advance(context, &mut run)?;
    let record = run.finish()?;
    let is_held_out = !plan.held_out.is_empty();
    let images = if is_held_out { &plan.held_out } else { &plan.train };
    super::calibrate::run(context, &plan.folder, &plan.config, images, is_held_out)?;
    Ok(record)
}

fn plan(args: &TrainArgs) -> Result<Plan> {
    let folder = ModelFolder::new(&args.out);
    let beginning = match (args.resume, args.overwrite) {
        (true, _) => Beginning::Resuming,
        (false, true) => Beginning::Replacing,
        (false, false) => Beginning::Fresh,
    };
    beginning.check(&folder)?;
    let mut config = match beginning {
        Beginning::Resuming => {
            folder.config().context("--resume needs the folder of an interrupted training")?
        }
        _ => Config::load(args.config.config.as_deref(), &args.config.settings)?,
    };
    if args.resume && !args.config.settings.is_empty() {
        bail!("--set cannot change a training that is resumed");
    }
    config.method = args.method.unwrap_or(config.method);
    config.training.patches = args.patches.unwrap_or(config.training.patches);
    config.training.seed = args.seed.unwrap_or(config.training.seed);
    if let Some(data) = &args.data {
        // Absolute, so that the model can be used from other folders.
        config.data.root = Some(std::path::absolute(data)?);
    }
    if let Some(weights) = &args.features_weights {
        if config.method != Method::FeatureMatching {
            let method = config.method.key();
            bail!("--features-weights is for the method feature-matching, got {method}");
        }
        config.features.weights = Some(std::path::absolute(weights)?);
    }
    config.validate()?;
    let (train, held_out) = split_images(&config)?;
    let checkpoint_interval = Duration::from_secs(args.checkpoint_every);
    Ok(Plan { folder, config, train, held_out, beginning, checkpoint_interval })
}

impl Beginning {
    /// # Errors
    /// If there is a model that was not to be replaced.
    fn check(self, folder: &ModelFolder) -> Result<()> {
        ensure!(
            self != Self::Fresh || !folder.is_occupied(),
            "{}: there is a model already; --resume goes on with it, --overwrite replaces it",
            folder.path().display()
        );
        Ok(())
    }
}

/// The good images of the data set, split into those to train on and those held out: evenly spaced ones, so that a slow
/// drift of the camera is in both.
pub fn split_images(config: &Config) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let images = config.data.open()?.train;
    let held_out = (images.len() as f64 * config.data.held_out) as usize;
    let is_held_out = |i: usize| (i + 1) * held_out / images.len() != i * held_out / images.len();
    let (held_out, train): (Vec<_>, Vec<_>) =
        images.iter().cloned().enumerate().partition(|&(i, _)| is_held_out(i));
    let paths = |images: Vec<(usize, PathBuf)>| images.into_iter().map(|(_, path)| path).collect();
    Ok((paths(train), paths(held_out)))
}

/// Trains to the end of the schedule.
fn advance(context: &Context, run: &mut Run<'_>) -> Result<()> {
    let (reporter, plan) = (context.reporter, run.plan);
    let bar = reporter.bar(
        plan.config.training.patches,
        "{elapsed_precise} {wide_bar} {pos}/{len} patches, {per_sec}, {eta} left, {msg}",
    );
    bar.set_position(run.trainer.patches());
    bar.reset_eta();
    while !run.trainer.is_done() {
        let step = run.trainer.step().map_err(|error| run.explain(error))?;
        show(&bar, &step);
        if let Some(epoch) = step.epoch {
            let entry = run.log_epoch(&epoch);
            reporter.record(&entry)?;
            if epoch.collapsed() {
                bar.suspend(|| reporter.warn(&collapse_warning(&epoch)));
            }
        }
        if interrupt::came() || run.saved.elapsed() >= plan.checkpoint_interval {
            run.save()?;
        }
        interrupt::check(|| {
            bar.abandon();
            let (patches, folder) = (run.trainer.patches(), plan.folder.path().display());
            format!(
                "interrupted after {patches} patches; `bench-cli train --out {folder} --resume` goes on"
            )
        })?;
    }
    bar.finish_and_clear();
    Ok(())
}

fn show(bar: &ProgressBar, step: &StepReport) {
    bar.set_position(step.patches);
    if let Some(loss) = step.loss {
        bar.set_message(format!("loss {loss:.4}"));
    }
}

fn collapse_warning(epoch: &EpochReport) -> String {
    format!(
        "epoch {}: the reconstructions are constant grey (contrast {:.4} of the images'). Training seldom recovers from \
         this: try another --seed, squared SSIM constants (--set ssim.constants=squared) or a smaller \
         optimiser.learning_rate",
        epoch.epoch, epoch.contrast
    )
}

/// What a checkpoint keeps beside the training's own state.
#[derive(Serialize, Deserialize)]
struct Note {
    /// Duration of the training so far.
    seconds: f64,
    /// Of the images trained on.
    data_sha256: String,
}

/// A training in progress and what it leaves in its folder.
struct Run<'a> {
    plan: &'a Plan,
    _lock: FolderLock,
    trainer: Trainer,
    device: String,
    log: Vec<LogEntry>,
    data_sha256: String,
    features: Option<FeaturesRecord>,
    /// Duration of earlier parts of the training, and the start of this one with the patches seen until then.
    seconds_before: f64,
    patches_before: u64,
    /// Patches seen when the last checkpoint was written.
    patches_saved: u64,
    started: Instant,
    saved: Instant,
}

impl<'a> Run<'a> {
    fn start(context: &Context, plan: &'a Plan) -> Result<Self> {
        let config = plan.config.training(&context.device)?;
        let features = FeaturesRecord::of(&config.objective);
        // What cannot begin locks and replaces nothing.
        let mut trainer = Trainer::new(config, read_images(plan)?, &context.device)?;
        let data_sha256 = fingerprint(&plan.train)?;
        let lock = plan.folder.lock()?;
        // Another process may have come and gone since the plan was made.
        plan.beginning.check(&plan.folder)?;
        let checkpoint = match plan.beginning {
            Beginning::Resuming => plan.folder.checkpoint()?,
            Beginning::Fresh | Beginning::Replacing => None,
        };
        let (log, seconds_before) = match checkpoint {
            Some(checkpoint) => restore(plan, &mut trainer, &checkpoint, &data_sha256)?,
            None => {
                plan.folder.begin(&plan.config)?;
                (Vec::new(), 0.0)
            }
        };
        let (patches, now) = (trainer.patches(), Instant::now());
        Ok(Self {
            plan,
            _lock: lock,
            seconds_before,
            patches_before: patches,
            patches_saved: patches,
            trainer,
            device: device_name(&context.device),
            log,
            data_sha256,
            features,
            started: now,
            saved: now,
        })
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    fn log_epoch(&mut self, epoch: &EpochReport) -> LogEntry {
        let seconds = self.seconds();
        let trained = (epoch.patches - self.patches_before) as f64;
        let entry = LogEntry {
            epoch: epoch.epoch,
            patches: epoch.patches,
            loss: epoch.loss,
            contrast: epoch.contrast,
            seconds,
            patches_per_second: trained / (seconds - self.seconds_before),
        };
        self.log.push(entry);
        entry
    }

    /// Writes all that is needed to go on.
    fn save(&mut self) -> Result<()> {
        self.plan.folder.write_log(&self.log)?;
        let note = Note { seconds: self.seconds(), data_sha256: self.data_sha256.clone() };
        let checkpoint = self.trainer.checkpoint(&serde_json::to_string(&note)?);
        // On a GPU, a step may have failed since it was last asked.
        let checkpoint = checkpoint.map_err(|error| self.explain(error))?;
        self.plan.folder.write_checkpoint(&checkpoint)?;
        (self.saved, self.patches_saved) = (Instant::now(), self.trainer.patches());
        Ok(())
    }

    /// Why the training cannot go on, and what is left of it.
    fn explain(&self, error: models::Error) -> anyhow::Error {
        let error = match error.is_out_of_memory() {
            true => out_of_memory(&self.device, self.plan.config.training.batch_size),
            false => error.into(),
        };
        error.context(self.last_saved())
    }

    /// What is left if the training cannot go on.
    fn last_saved(&self) -> String {
        match self.patches_saved {
            0 => "the training ended without a checkpoint".to_owned(),
            patches => format!(
                "the training ended; {} is the state after {patches} patches",
                self.plan.folder.checkpoint_name()
            ),
        }
    }

    fn finish(&mut self) -> Result<TrainingRecord> {
        let last = self.log.last().context("a training that is over has seen an epoch")?;
        let record = TrainingRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            patches: self.trainer.patches(),
            seconds: self.seconds(),
            threads: rayon::current_num_threads(),
            device: self.device.clone(),
            precision: self.plan.config.training.precision,
            loss: last.loss,
            collapsed: last.contrast < EpochReport::COLLAPSED_CONTRAST,
            images: self.plan.train.len(),
            data_sha256: self.data_sha256.clone(),
            features: self.features.take(),
        };
        self.save()?;
        self.plan.folder.write_model(self.trainer.model())?;
        self.plan.folder.write_record(&record)?;
        Ok(record)
    }
}

fn out_of_memory(device: &str, batch_size: usize) -> anyhow::Error {
    anyhow!(
        "{device} is out of memory for batches of {batch_size} patches; a smaller training.batch_size takes less"
    )
}

/// Goes on from the state that an earlier part of the training has left; its log, and how long it took.
fn restore(
    plan: &Plan,
    trainer: &mut Trainer,
    checkpoint: &[u8],
    data_sha256: &str,
) -> Result<(Vec<LogEntry>, f64)> {
    let note = note(checkpoint, data_sha256).with_context(|| plan.folder.checkpoint_name())?;
    trainer.restore(checkpoint).with_context(|| plan.folder.checkpoint_name())?;
    let (seen, patches) = (trainer.patches(), plan.config.training.patches);
    if seen > patches {
        bail!("training.patches is {patches}, but the training has seen {seen} already");
    }
    plan.folder.write_config(&plan.config)?;
    // The log may be ahead of the checkpoint.
    let mut log = plan.folder.log()?;
    log.retain(|entry| entry.patches <= seen);
    Ok((log, note.seconds))
}

/// What was noted in a checkpoint, if it is of a training on the same images.
fn note(checkpoint: &[u8], data_sha256: &str) -> Result<Note> {
    let note: Note = serde_json::from_str(&checkpoint_note(checkpoint)?)
        .context("expected a checkpoint of `bench-cli train`")?;
    ensure!(
        note.data_sha256 == data_sha256,
        "expected images of SHA-256 {}, with which the training began, got {data_sha256}",
        note.data_sha256
    );
    Ok(note)
}

fn read_images(plan: &Plan) -> Result<Vec<TrainingImage>> {
    let patch = plan.config.model.patch_size;
    let read = |path: &PathBuf| {
        let image = prepare(&read_image(path)?, &plan.config)
            .with_context(|| path.display().to_string())?;
        let (width, height) = (image.width(), image.height());
        if width < patch || height < patch {
            bail!(
                "{}: {width}x{height} pixels to train on, expected at least the patch size {patch}x{patch}",
                path.display()
            );
        }
        Ok(TrainingImage { width, height, pixels: image.into_data() })
    };
    // All are read before the first error is looked for, so that it is the same one in each run.
    plan.train.par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}
