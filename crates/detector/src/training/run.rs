//! A training in progress.

use super::glimpse::{Glimpse, Sight};
use super::images::{TrainingImages, read_images};
use super::outcome::reconstruction;
use super::plan::{Start, TrainingPlan};
use super::resume::{Note, checkpoint, restore};
use crate::data::fingerprint;
use crate::error::Context;
use crate::files::{FolderLock, shown_argument};
use crate::inspector::Inspector;
use crate::records::{FeaturesRecord, LogEntry, Settings, TrainingRecord};
use crate::{Error, Result};
use candle_core::Device;
use models::{EpochReport, FeatureMatching, Objective, StepReport, Trainer, device_name};
use std::time::{Duration, Instant};

/// A training in progress, which writes to the folder of its model. No other process writes there meanwhile.
///
/// ```no_run
/// use candle_core::Device;
/// use detector::{Config, ModelFolder, Start, Training, TrainingPlan};
///
/// let mut config = Config::default();
/// config.data.root = Some("carpet".into());
/// let plan = TrainingPlan::new(ModelFolder::new("model"), config, Start::Fresh)?;
/// let mut training = Training::start(plan, &Device::Cpu)?;
/// while !training.is_done() {
///     training.step()?;
/// }
/// println!("loss {}", training.finish()?.loss);
/// # Ok::<(), detector::Error>(())
/// ```
pub struct Training {
    plan: TrainingPlan,
    _lock: FolderLock,
    trainer: Trainer,
    device: String,
    log: Vec<LogEntry>,
    data_sha256: String,
    features: Option<FeaturesRecord>,
    /// Good patches to look at.
    sight: Option<Sight>,
    warnings: Vec<String>,
    /// Duration of the earlier parts of the training.
    seconds_before: f64,
    /// Patches seen when this part began.
    patches_before: u64,
    /// Patches seen when the last checkpoint was written.
    patches_saved: u64,
    /// When this part began.
    started: Instant,
    /// When the last checkpoint was written.
    saved: Instant,
}

/// A training step that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingStep {
    /// Patches seen since the start of the training.
    pub patches: u64,
    /// The loss of the step, where it is known: a GPU is not asked after every step.
    pub loss: Option<f32>,
    /// The line of the log, if the step ended an epoch.
    pub epoch: Option<LogEntry>,
    /// Why a GPU launches each step kernel by kernel, told once, if no CUDA graph could be made of a step.
    pub graph_failure: Option<String>,
}

impl Training {
    /// Begins a training, or goes on with it.
    ///
    /// # Errors
    /// If the images, the folder or the checkpoint of an earlier part do not allow it; nothing is replaced then.
    pub fn start(mut plan: TrainingPlan, device: &Device) -> Result<Self> {
        let config = plan.config.training(device)?;
        let features = matched_features(&config.objective);
        let sight = Sight::of(&plan, &config.objective, device)?;
        // A training that cannot begin locks and replaces nothing.
        let TrainingImages { images, warnings } = read_images(&plan)?;
        let mut trainer = Trainer::new(config, images, device)?;
        let data_sha256 = fingerprint(&plan.split.train)?;
        let lock = plan.folder.lock()?;
        // Another process may have come and gone since the plan was made.
        plan.start.check(&plan.folder)?;
        plan.folder.keep_region(&mut plan.config.data)?;
        if plan.keeps_list {
            plan.folder.keep_list(&mut plan.config.data, &plan.dataset.train)?;
        }
        let checkpoint = match plan.start {
            Start::Resuming => checkpoint(&plan)?,
            Start::Fresh | Start::Replacing => None,
        };
        let (log, seconds_before) = match checkpoint {
            Some(checkpoint) => restore(&plan, &mut trainer, &checkpoint, &data_sha256)?,
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
            device: device_name(device),
            log,
            data_sha256,
            features,
            sight,
            warnings,
            started: now,
            saved: now,
        })
    }

    /// The plan that the training follows.
    pub fn plan(&self) -> &TrainingPlan {
        &self.plan
    }

    /// Sentences about images that may not be what they should.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// `cpu`, or the name of the GPU.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Patches seen.
    pub fn patches(&self) -> u64 {
        self.trainer.patches()
    }

    /// Whether the schedule has ended.
    pub fn is_done(&self) -> bool {
        self.trainer.is_done()
    }

    /// Time since the last checkpoint was written.
    pub fn since_saved(&self) -> Duration {
        self.saved.elapsed()
    }

    /// Trains on the next batch.
    ///
    /// # Errors
    /// If the training cannot go on; the error names the checkpoint that is left.
    pub fn step(&mut self) -> Result<TrainingStep> {
        let report = self.trainer.step().map_err(|error| self.explain(error))?;
        let epoch = report.epoch.map(|epoch| self.log_epoch(&epoch)).transpose()?;
        let StepReport { patches, loss, graph_failure, .. } = report;
        Ok(TrainingStep { patches, loss, epoch, graph_failure })
    }

    /// The good patches that [`glimpse`](Self::glimpse) looks at; `None` if no image has room for one.
    pub fn sight(&self) -> Option<&Sight> {
        self.sight.as_ref()
    }

    /// The network's present reconstructions of some good patches, by a forward pass of at most eight of them. It changes nothing about
    /// the training. `None` if there are no patches to look at, or their reconstructions are not finite.
    pub fn glimpse(&self) -> Option<Glimpse> {
        let glimpse = self.sight.as_ref()?.glimpse(self.trainer.model(), self.patches());
        // The next step says what is wrong, and what is left.
        glimpse.ok().filter(|glimpse| glimpse.loss.is_finite())
    }

    /// The epochs that have ended, those of earlier parts of the training included.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Duration of the training until now, summed over all its parts.
    pub fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    /// Adds a line to the log.
    ///
    /// # Errors
    /// If the reconstructions have left the range of numbers, which a similarity need not show.
    fn log_epoch(&mut self, epoch: &EpochReport) -> Result<LogEntry> {
        if !(epoch.contrast.is_finite() && epoch.loss.is_finite()) {
            let message = format!(
                "the training diverged: the reconstructions are no finite numbers any more after {} patches; a smaller \
                 optimiser.learning_rate may help",
                epoch.patches
            );
            return Err(Error::During {
                task: self.last_saved(),
                source: Box::new(Error::Value(message)),
            });
        }
        let seconds = self.seconds();
        let trained = (epoch.patches - self.patches_before) as f64;
        let entry = LogEntry {
            epoch: epoch.epoch,
            patches: epoch.patches,
            loss: epoch.loss,
            contrast: epoch.contrast,
            seconds,
            patches_per_second: trained / (seconds - self.seconds_before),
            held_out_loss: self.held_out_loss(),
        };
        self.log.push(entry);
        Ok(entry)
    }

    fn held_out_loss(&self) -> Option<f64> {
        self.sight.as_ref().filter(|sight| sight.held_out)?;
        Some(self.glimpse()?.loss)
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// If the weights are not finite, or a file cannot be written; the last checkpoint is then as it was, and the error names it.
    pub fn save(&mut self) -> Result<()> {
        self.write_state().with_context(|| self.last_saved())?;
        (self.saved, self.patches_saved) = (Instant::now(), self.trainer.patches());
        Ok(())
    }

    fn write_state(&self) -> Result<()> {
        let note = Note {
            seconds: self.seconds(),
            data_sha256: self.data_sha256.clone(),
            settings: Settings::of_training(&self.plan.config)?,
        };
        let checkpoint = self.trainer.checkpoint(&serde_json::to_string(&note)?)?;
        // In this order: a log that is ahead of its checkpoint is cut, but one that is behind cannot be mended.
        self.plan.folder.write_log(&self.log)?;
        self.plan.folder.write_checkpoint(&checkpoint)
    }

    /// Adds the last checkpoint to the error of a step.
    fn explain(&self, error: models::Error) -> Error {
        let (device, batch) = (&self.device, self.plan.config.training.batch_size);
        let source = match error.is_out_of_memory() {
            true => Error::Value(format!(
                "{device} is out of memory for batches of {batch} patches; a smaller training.batch_size takes less"
            )),
            false => error.into(),
        };
        Error::During { task: self.last_saved(), source: Box::new(source) }
    }

    /// The checkpoint that is left if the training cannot go on.
    fn last_saved(&self) -> String {
        match self.patches_saved {
            0 => "the training ended without a checkpoint".to_owned(),
            patches => format!(
                "the training ended; {} is the state after {patches} patches, which `bench-cli train --out {} --resume --patches \
                 {patches}` makes a model of",
                self.plan.folder.checkpoint_name(),
                shown_argument(self.plan.folder.path())
            ),
        }
    }

    /// Writes the trained model and its record.
    ///
    /// # Errors
    /// If a file cannot be written, or no step was taken.
    pub fn finish(&mut self) -> Result<TrainingRecord> {
        self.log_unfinished_epoch()?;
        self.save()?;
        self.plan.folder.write_model(self.trainer.model())?;
        let record = self.record()?;
        self.plan.folder.write_record(&record)?;
        Ok(record)
    }

    /// Adds the line of an epoch that the training ends in without a step, as when it is cut short at an earlier part's checkpoint.
    fn log_unfinished_epoch(&mut self) -> Result<()> {
        let patches = self.trainer.patches();
        let is_logged = self.log.last().is_some_and(|last| last.patches == patches);
        if let (false, Some((epoch, loss))) = (is_logged, self.trainer.unfinished_epoch()?) {
            let (contrast, seconds) = (f64::NAN, self.seconds());
            let trained = (patches - self.patches_before) as f64;
            let patches_per_second = trained / (seconds - self.seconds_before);
            let held_out_loss = None;
            self.log.push(LogEntry {
                epoch,
                patches,
                loss,
                contrast,
                held_out_loss,
                seconds,
                patches_per_second,
            });
        }
        Ok(())
    }

    fn record(&self) -> Result<TrainingRecord> {
        let TrainingPlan { folder, config, .. } = &self.plan;
        let model = folder.model(config, self.trainer.model().device())?;
        let reconstruction = reconstruction(&self.plan, &Inspector::new(model, config)?);
        let is_useless = reconstruction.is_some_and(|found| !found.is_better_than_constant());
        let last = self.log.last().with_context(|| {
            format!("{}: expected a line for the last epoch", self.plan.folder.log_name())
        })?;
        Ok(TrainingRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            patches: self.trainer.patches(),
            seconds: self.seconds(),
            threads: rayon::current_num_threads(),
            device: self.device.clone(),
            precision: self.plan.config.training.precision.to_string(),
            loss: last.loss,
            collapsed: last.collapsed() || is_useless,
            reconstruction,
            images: self.plan.split.train.len(),
            data_sha256: self.data_sha256.clone(),
            features: self.features.clone(),
            weights_sha256: self.plan.folder.weights_sha256()?,
            settings: Settings::of_learning(&self.plan.config)?,
        })
    }
}

/// The features that a loss matches, if any.
fn matched_features(objective: &Objective) -> Option<FeaturesRecord> {
    let Objective::FeatureMatching(FeatureMatching { features, .. }) = objective else {
        return None;
    };
    let extractor = features.extractor().to_string();
    Some(FeaturesRecord { extractor, sha256: features.sha256().to_owned() })
}
