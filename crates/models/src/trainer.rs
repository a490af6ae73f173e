//! The training loop.
//!
//! [`Learner`] takes the steps. This file decides which patches they see, and when the host waits for their losses.

mod config;
mod learner;
mod noise;
mod replay;
mod report;
#[cfg(test)]
mod tests;

use crate::architecture::{Architecture, Latent};
use crate::autoencoder::Autoencoder;
use crate::initialise::initialise;
use crate::loss_log::Logged;
use crate::patches::{Epoch, PatchSource, TrainingImage, epoch_order};
use crate::progress::Progress;
use crate::stream::{Stream, normal_rows};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use learner::Learner;
use noise::NoiseBuffer;
use replay::Replay;
use report::contrast;
use std::ops::Range;

pub use config::{Schedule, TrainingConfig};
pub use report::{EpochReport, StepReport};

/// A training run on random crops of images, with reports, checkpoints and the same weights for the same seed.
///
/// Its steps are those of an ordinary loop, as [`Autoencoder`] shows one, and take less time: gradients of the weights go around candle's
/// graph, and on a GPU no step waits for the device.
///
/// ```
/// use candle_core::Device;
/// use models::{
///     AdamConfig, Architecture, Objective, Schedule, Trainer, TrainingConfig, TrainingImage,
/// };
///
/// let config = TrainingConfig {
///     architecture: Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() },
///     objective: Objective::L2,
///     adam: AdamConfig::default(),
///     schedule: Schedule { batch_size: 4, patches: 12, patches_per_epoch: 8, ..Schedule::default() },
/// };
/// let pixels = (0..40 * 40).map(|i| (i % 8) as f32 / 7.0).collect();
/// let images = vec![TrainingImage { width: 40, height: 40, pixels, places: None }];
/// let mut trainer = Trainer::new(config, images, &Device::Cpu)?;
/// assert_eq!(trainer.next_patches()?.dims(), [4, 1, 32, 32]);
/// let mut epochs = Vec::new();
/// while !trainer.is_done() {
///     epochs.extend(trainer.step()?.epoch);
/// }
/// assert_eq!(trainer.patches(), 12);
/// assert_eq!(epochs.iter().map(|epoch| epoch.patches).collect::<Vec<_>>(), [8, 12]);
/// let weights = trainer.model().to_safetensors()?;
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Debug)]
pub struct Trainer {
    pub(crate) config: TrainingConfig,
    pub(crate) learner: Learner,
    /// Without the losses of the steps since the last reading.
    progress: Progress,
    source: PatchSource,
    epoch: Epoch,
    noise: NoiseBuffer,
    replay: Replay,
    readings: Readings,
}

/// When the host reads losses.
#[derive(Clone, Copy, Debug)]
struct Readings {
    /// Steps from one reading to the next.
    interval: u64,
    /// Steps since the last one.
    steps: u64,
    /// The progress at the last one.
    last: Progress,
}

impl Readings {
    /// The CPU has computed a loss when a step returns; a GPU has only been told to.
    fn on(device: &Device) -> Self {
        let interval = if device.is_cuda() { 100 } else { 1 };
        Self { interval, steps: 0, last: Progress::default() }
    }
}

/// The last batch of an epoch and its reconstructions.
struct LastBatch {
    patches: Tensor,
    reconstructions: Tensor,
}

impl Trainer {
    /// Starts a run with random weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for an invalid configuration, including a network without the latent layer of its objective and a precision that
    /// the device does not have; [`Error::NoImages`] and [`Error::ImageTooSmall`] for images that no patch can be cut from.
    pub fn new(
        config: TrainingConfig,
        images: Vec<TrainingImage>,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        config.schedule.precision.check(device)?;
        let Schedule { initialisation, corruption, seed, .. } = config.schedule;
        let weights = VarMap::new();
        initialise(&weights, &config.architecture, initialisation, seed, device)?;
        let vb = VarBuilder::from_varmap(&weights, DType::F32, device);
        let learner = Learner::new(&Autoencoder::new(&config.architecture, vb)?, &config)?;
        let patch_size = config.architecture.patch_size;
        let source = PatchSource::new(images, patch_size, corruption, seed, device)?;
        let progress = Progress::default();
        let epoch = source.epoch(order_at(&config.schedule, progress))?;
        let replay = Replay::new(device, source.is_on_device());
        let (noise, readings) = (NoiseBuffer::default(), Readings::on(device));
        Ok(Self { config, learner, progress, source, epoch, noise, replay, readings })
    }

    /// Replaces the progress of a run by a stored one.
    pub(crate) fn go_on_from(&mut self, progress: Progress) -> Result<()> {
        self.progress = progress;
        // A graph would change the moments where they lay when it was recorded.
        self.replay = Replay::new(self.learner.model.device(), self.source.is_on_device());
        self.begin_epoch()
    }

    /// Looks up the patches of the current epoch, and goes on with the sum of its losses.
    fn begin_epoch(&mut self) -> Result<()> {
        let order = order_at(&self.config.schedule, self.progress);
        self.source.refill(&mut self.epoch, order)?;
        (self.readings.steps, self.readings.last) = (0, self.progress);
        Ok(self.learner.log.restart(self.progress)?)
    }

    /// The model in its present state.
    pub fn model(&self) -> &Autoencoder {
        &self.learner.model
    }

    /// Patches seen since the start of the run.
    pub fn patches(&self) -> u64 {
        self.progress.patches
    }

    /// Whether all patches of the schedule were seen.
    pub fn is_done(&self) -> bool {
        self.progress.patches >= self.config.schedule.patches
    }

    /// The number of the epoch that the run is in, and the mean loss of its patches so far; `None` between two epochs.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a step has failed that nobody has heard of yet; [`Error::Tensor`] if the device fails.
    pub fn unfinished_epoch(&self) -> Result<Option<(u64, f64)>> {
        let Progress { patches, epoch_loss, .. } = self.settled_progress()?;
        let length = patches % self.config.schedule.patches_per_epoch;
        let epoch = patches / self.config.schedule.patches_per_epoch + 1;
        Ok((length > 0).then(|| (epoch, epoch_loss / length as f64)))
    }

    /// Sets after how many steps losses are read, at least 1; they are also read at the end of an epoch. The default is 1 on the CPU, and 100
    /// on a GPU, which would stand still while the host reads a loss. The weights do not depend on it.
    ///
    /// ```
    /// use candle_core::Device;
    /// use models::{Schedule, Trainer};
    /// # use models::{AdamConfig, Architecture, Objective, TrainingConfig, TrainingImage};
    /// # let config = TrainingConfig {
    /// #     architecture: Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() },
    /// #     objective: Objective::L2,
    /// #     adam: AdamConfig::default(),
    /// #     schedule: Schedule { batch_size: 2, patches: 8, ..Schedule::default() },
    /// # };
    /// # let images = vec![TrainingImage { width: 32, height: 32, pixels: vec![0.5; 32 * 32], places: None }];
    ///
    /// let mut trainer = Trainer::new(config, images, &Device::Cpu)?;
    /// trainer.read_losses_every(2);
    /// assert!(trainer.step()?.loss.is_none());
    /// assert!(trainer.step()?.loss.is_some());
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn read_losses_every(&mut self, steps: u64) {
        self.readings.interval = steps.max(1);
    }

    /// The patches `(N, 1, patch_size, patch_size)` that the next step has to reconstruct, before any corruption.
    ///
    /// # Errors
    /// [`Error::Finished`] if the run is done; [`Error::Tensor`] if the device fails.
    pub fn next_patches(&self) -> Result<Tensor> {
        self.source.batch(&self.epoch, self.next_range()?)
    }

    /// The places within the epoch of the patches that the next step will see.
    fn next_range(&self) -> Result<Range<usize>> {
        if self.is_done() {
            return Err(Error::Finished { patches: self.progress.patches });
        }
        let Schedule { batch_size, patches_per_epoch, patches, .. } = self.config.schedule;
        let start = self.progress.patches % patches_per_epoch;
        let end = start + (batch_size as u64).min(patches - self.progress.patches);
        Ok(start as usize..end.min(patches_per_epoch) as usize)
    }

    /// The standard normal noise `(N, latent_dim)` with which the next step samples latent vectors; `None` if it does not.
    /// It depends on the seed and on how many patches were seen before.
    ///
    /// # Errors
    /// As for [`next_patches`](Self::next_patches).
    pub fn next_noise(&self) -> Result<Option<Tensor>> {
        let count = self.next_range()?.len();
        let Architecture { latent: Latent::Normal, latent_dim, .. } = self.config.architecture
        else {
            return Ok(None);
        };
        let seen = self.progress.patches;
        let streams = (0..count).map(|i| Stream::Noise { position: seen + i as u64 });
        let seed = self.config.schedule.seed;
        Ok(Some(normal_rows(seed, streams, latent_dim, self.model().device())?))
    }

    /// Takes one step of the optimiser. Batches are cut short at the end of an epoch and of the run.
    ///
    /// # Errors
    /// [`Error::Diverged`] if reconstructions or loss are not finite; weights, optimiser and progress are then those before the step.
    /// On a GPU, that may be a step before this one; see [`StepReport::loss`].
    /// [`Error::Finished`] if the run is done; [`Error::Tensor`] if the device fails.
    pub fn step(&mut self) -> Result<StepReport> {
        let range = self.next_range()?;
        let Schedule { batch_size, patches_per_epoch, patches: all, .. } = self.config.schedule;
        let noise = self.next_noise()?;
        let noise = noise.map(|noise| self.noise.fill(&noise, batch_size)).transpose()?;
        let patches = self.progress.patches + range.len() as u64;
        let is_end = patches.is_multiple_of(patches_per_epoch) || patches >= all;
        let (last, graph_failure) = match is_end {
            true => (Some(self.launch_last(range, noise.as_ref())?), None),
            false => (None, self.launch(range, noise.as_ref())?),
        };
        (self.progress.patches, self.progress.steps) = (patches, self.progress.steps + 1);
        self.readings.steps += 1;
        let is_read = is_end || self.readings.steps >= self.readings.interval;
        let loss = if is_read { Some(self.read_losses()?) } else { None };
        let epoch = last.map(|last| self.end_epoch(&last)).transpose()?;
        Ok(StepReport { patches, loss, epoch, graph_failure })
    }

    /// Launches a step over a whole batch.
    fn launch(&mut self, range: Range<usize>, noise: Option<&Tensor>) -> Result<Option<String>> {
        let Self { learner, source, epoch, replay, .. } = self;
        let Progress { patches, steps, .. } = self.progress;
        let device = learner.model.device().clone();
        replay.step(&device, || {
            let batch = source.next_batch(epoch, range.clone(), patches, &learner.log)?;
            learner.step(steps + 1, &batch, noise).map(drop)
        })
    }

    /// Launches the last step of an epoch, whose batch may be shorter and is reported on.
    fn launch_last(&mut self, range: Range<usize>, noise: Option<&Tensor>) -> Result<LastBatch> {
        let Progress { patches, steps, .. } = self.progress;
        let batch = self.source.next_batch(&self.epoch, range, patches, &self.learner.log)?;
        let reconstructions = self.learner.step(steps + 1, &batch, noise)?;
        Ok(LastBatch { patches: batch.patches, reconstructions })
    }

    /// The mean loss of the patches since the last reading. Waits for the device.
    fn read_losses(&mut self) -> Result<f32> {
        let Logged { progress, failure } = self.learner.log.read()?;
        let before = std::mem::replace(&mut self.readings.last, progress);
        (self.readings.steps, self.progress) = (0, progress);
        if let Some(loss) = failure {
            self.learner.log.restart(progress)?;
            return Err(Error::Diverged { loss, patches: progress.patches });
        }
        let patches = (progress.patches - before.patches) as f64;
        Ok(((progress.epoch_loss - before.epoch_loss) / patches) as f32)
    }

    /// The progress with all losses until now.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a step has failed that nobody has heard of yet.
    pub(crate) fn settled_progress(&self) -> Result<Progress> {
        let Logged { progress, failure } = self.learner.log.read()?;
        match failure {
            Some(loss) => Err(Error::Diverged { loss, patches: progress.patches }),
            None => Ok(progress),
        }
    }

    fn end_epoch(&mut self, last: &LastBatch) -> Result<EpochReport> {
        let Progress { patches, epoch_loss, .. } = self.progress;
        let Schedule { patches_per_epoch, .. } = self.config.schedule;
        let length = (patches - 1) % patches_per_epoch + 1;
        let report = EpochReport {
            epoch: patches.div_ceil(patches_per_epoch),
            patches,
            loss: epoch_loss / length as f64,
            contrast: contrast(&last.reconstructions, &last.patches)?,
        };
        // A run that ends within an epoch may be prolonged, and then goes on with that epoch.
        if length == patches_per_epoch {
            self.progress.epoch_loss = 0.0;
            self.begin_epoch()?;
        }
        Ok(report)
    }
}

/// The numbers of the patches of the epoch that a run is in.
fn order_at(schedule: &Schedule, progress: Progress) -> Vec<u64> {
    let Schedule { sampling, patches_per_epoch, seed, .. } = *schedule;
    epoch_order(sampling, progress.patches / patches_per_epoch, patches_per_epoch, seed)
}
