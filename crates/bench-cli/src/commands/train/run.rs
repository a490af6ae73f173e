//! A training in progress, and what it leaves in its folder.

use super::{Beginning, Plan};
use crate::commands::Context;
use crate::config::Settings;
use crate::data::fingerprint;
use crate::io::read_image;
use crate::model_folder::{FeaturesRecord, FolderLock, LogEntry, TrainingRecord};
use crate::pipeline::prepare;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use models::{
    EpochReport, Schedule, StepReport, Trainer, TrainingImage, checkpoint_note, device_name,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a checkpoint keeps beside the training's own state.
#[derive(Serialize, Deserialize)]
struct Note {
    /// Duration of the training so far.
    seconds: f64,
    /// Of the images trained on.
    data_sha256: String,
    /// The settings trained with; none in checkpoints of before they were kept here, too.
    #[serde(default)]
    settings: Settings,
}

/// A training in progress and what it leaves in its folder.
pub struct Run<'a> {
    pub plan: &'a Plan,
    _lock: FolderLock,
    trainer: Trainer,
    pub device: String,
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
    /// Begins the training, or goes on with it.
    ///
    /// # Errors
    /// If the images, the folder or what an earlier part has left in it do not allow it; nothing is replaced then.
    pub fn start(context: &Context, plan: &'a Plan) -> Result<Self> {
        let config = plan.config.training(&context.device)?;
        let features = FeaturesRecord::of(&config.objective);
        // What cannot begin locks and replaces nothing.
        let mut trainer = Trainer::new(config, read_images(plan)?, &context.device)?;
        let data_sha256 = fingerprint(&plan.train)?;
        let lock = plan.folder.lock()?;
        // Another process may have come and gone since the plan was made.
        plan.beginning.check(&plan.folder)?;
        let checkpoint = match plan.beginning {
            Beginning::Resuming => checkpoint(plan)?,
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

    /// Patches seen.
    pub fn patches(&self) -> u64 {
        self.trainer.patches()
    }

    pub fn is_done(&self) -> bool {
        self.trainer.is_done()
    }

    /// How long ago the last checkpoint was written.
    pub fn since_saved(&self) -> Duration {
        self.saved.elapsed()
    }

    /// # Errors
    /// If the training cannot go on; the error says what is left of it.
    pub fn step(&mut self) -> Result<StepReport> {
        self.trainer.step().map_err(|error| self.explain(error))
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// Adds a line to the log.
    pub fn log_epoch(&mut self, epoch: &EpochReport) -> LogEntry {
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
    ///
    /// # Errors
    /// If the state cannot be gone on from, or a file cannot be written; the last checkpoint is then as it was, and the error
    /// names it.
    pub fn save(&mut self) -> Result<()> {
        self.write_state().map_err(|error| error.context(self.last_saved()))?;
        (self.saved, self.patches_saved) = (Instant::now(), self.trainer.patches());
        Ok(())
    }

    fn write_state(&self) -> Result<()> {
        let note = Note {
            seconds: self.seconds(),
            data_sha256: self.data_sha256.clone(),
            settings: Settings::of_learning(&self.plan.config)?,
        };
        let checkpoint = self.trainer.checkpoint(&serde_json::to_string(&note)?)?;
        // In this order: a log that is ahead of its checkpoint is cut, but one that is behind cannot be mended.
        self.plan.folder.write_log(&self.log)?;
        self.plan.folder.write_checkpoint(&checkpoint)
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

    /// Writes the trained model and how it came about.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(&mut self) -> Result<TrainingRecord> {
        self.save()?;
        self.plan.folder.write_model(self.trainer.model())?;
        let record = self.record()?;
        self.plan.folder.write_record(&record)?;
        Ok(record)
    }

    fn record(&self) -> Result<TrainingRecord> {
        let last = self.log.last().with_context(|| {
            format!("{}: expected a line for the last epoch", self.plan.folder.log_name())
        })?;
        Ok(TrainingRecord {
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
            features: self.features.clone(),
            weights_sha256: self.plan.folder.weights_sha256()?,
            settings: Settings::of_learning(&self.plan.config)?,
        })
    }
}

fn out_of_memory(device: &str, batch_size: usize) -> anyhow::Error {
    anyhow!(
        "{device} is out of memory for batches of {batch_size} patches; a smaller training.batch_size takes less"
    )
}

/// The state that a training goes on from; `None` if it has left none yet.
fn checkpoint(plan: &Plan) -> Result<Option<Vec<u8>>> {
    let checkpoint = plan.folder.checkpoint()?;
    ensure!(
        checkpoint.is_some() || !plan.folder.is_trained(&plan.config),
        "{}: expected the state that the training of this model ended with, to go on from; --overwrite trains anew",
        plan.folder.checkpoint_name()
    );
    Ok(checkpoint)
}

/// Goes on from the state that an earlier part of the training has left; its log, and how long it took.
fn restore(
    plan: &Plan,
    trainer: &mut Trainer,
    checkpoint: &[u8],
    data_sha256: &str,
) -> Result<(Vec<LogEntry>, f64)> {
    let present = Settings::of_learning(&plan.config)?;
    let note =
        note(checkpoint, data_sha256, &present).with_context(|| plan.folder.checkpoint_name())?;
    trainer.restore(checkpoint).with_context(|| plan.folder.checkpoint_name())?;
    plan.folder.write_config(&plan.config)?;
    let mut log = plan.folder.log()?;
    log.retain(|entry| is_kept(entry, trainer.patches(), &plan.config.training));
    Ok((log, note.seconds))
}

/// Whether an uninterrupted training has this line: the log may be ahead of the checkpoint, and where a shorter training ended
/// within an epoch, a longer one goes on with it.
fn is_kept(entry: &LogEntry, seen: u64, schedule: &Schedule) -> bool {
    let is_whole = entry.patches.is_multiple_of(schedule.patches_per_epoch);
    entry.patches <= seen && (is_whole || entry.patches == schedule.patches)
}

/// What was noted in a checkpoint, if it is of a training on the same images with the same settings.
fn note(checkpoint: &[u8], data_sha256: &str, settings: &Settings) -> Result<Note> {
    let note: Note = serde_json::from_str(&checkpoint_note(checkpoint)?)
        .context("expected a checkpoint of `bench-cli train`")?;
    ensure!(
        note.data_sha256 == data_sha256,
        "expected images of SHA-256 {}, with which the training began, got {data_sha256}",
        note.data_sha256
    );
    note.settings.expect(settings)?;
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
