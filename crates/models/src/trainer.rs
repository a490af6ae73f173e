//! The training loop.

mod config;
mod replay;
mod report;
#[cfg(test)]
mod tests;

use crate::adam::Adam;
use crate::patches::{Epoch, PatchSource, epoch_order};
use crate::record::{Entry, Reading, Record, Standing};
use crate::stream::{Stream, normal_rows};
use crate::{Architecture, Autoencoder, Error, Latent, Posterior, Result, TrainingImage};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::Range;

pub use config::{Schedule, TrainingConfig};
use replay::Replay;
pub use report::{EpochReport, StepReport};

/// How far a run is; with the weights and the optimiser's state, all that is needed to go on. Random numbers depend on
/// the seed and the number of a patch alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub patches: u64,
    /// The sum of the losses of the current epoch's patches.
    pub epoch_loss: f64,
}

/// A training run.
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
/// let images = vec![TrainingImage { width: 40, height: 40, pixels }];
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
    pub(crate) model: Autoencoder,
    pub(crate) adam: Adam,
    pub(crate) progress: Progress,
    source: PatchSource,
    epoch: Epoch,
    /// The losses that a GPU adds up, and how far it was when it was asked; none where each loss is read at once.
    record: Option<Record>,
    read: Progress,
    steps_since: u64,
    /// Where a GPU finds the noise of each step.
    noise: Option<Tensor>,
    replay: Replay,
}

/// What a step has computed.
struct Computed {
    patches: Tensor,
    reconstructions: Tensor,
    /// If it was read at once.
    loss: Option<f32>,
}

impl Trainer {
    /// Steps after which a GPU is asked for the losses, at the latest.
    pub const STEPS_BETWEEN_READINGS: u64 = 100;

    /// Starts a run with random weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for an invalid configuration, one whose latent layer is not its objective's and one whose precision the
    /// device does not have included; [`Error::NoImages`] and [`Error::ImageTooSmall`] for images that no patch can be cut from.
    pub fn new(
        config: TrainingConfig,
        images: Vec<TrainingImage>,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        config.schedule.precision.check(device)?;
        let Schedule { initialisation, seed, precision, .. } = config.schedule;
        let rng = &mut Stream::Weights.rng(seed);
        let mut model = Autoencoder::initialised(config.architecture, initialisation, rng, device)?;
        model.multiply_in(precision);
        let adam = Adam::new(config.adam, model.variables())?;
        let source = PatchSource::new(images, config.architecture.patch_size, seed, device)?;
        let progress = Progress::default();
        let epoch = source.epoch(order_at(&config.schedule, progress))?;
        let record = device.is_cuda().then(|| Record::new(device)).transpose()?;
        Ok(Self {
            config,
            model,
            adam,
            progress,
            source,
            epoch,
            record,
            read: progress,
            steps_since: 0,
            noise: None,
            replay: Replay::default(),
        })
    }

    /// Replaces the state of a run by a stored one.
    pub(crate) fn go_on_from(&mut self, progress: Progress) -> Result<()> {
        self.progress = progress;
        // Moments lie elsewhere now.
        self.replay = Replay::default();
        self.begin_epoch()
    }

    /// Looks up the patches of the current epoch, and goes on with the sum of its losses.
    fn begin_epoch(&mut self) -> Result<()> {
        let order = order_at(&self.config.schedule, self.progress);
        self.source.refill(&mut self.epoch, order)?;
        (self.read, self.steps_since) = (self.progress, 0);
        let Progress { patches, epoch_loss: losses } = self.progress;
        match &self.record {
            Some(record) => {
                Ok(record.begin(Standing { losses, patches, steps: self.adam.steps })?)
            }
            None => Ok(()),
        }
    }

    /// The model in its present state.
    pub fn model(&self) -> &Autoencoder {
        &self.model
    }

    /// Patches seen since the start of the run.
    pub fn patches(&self) -> u64 {
        self.progress.patches
    }

    /// Whether all patches of the schedule were seen.
    pub fn is_done(&self) -> bool {
        self.progress.patches >= self.config.schedule.patches
    }

    /// The patches `(N, 1, patch_size, patch_size)` that the next step will see.
    ///
    /// # Errors
    /// [`Error::Finished`] if the run is done; [`Error::Tensor`] if the device fails.
    pub fn next_patches(&self) -> Result<Tensor> {
        self.source.batch(&self.epoch, self.next_range()?)
    }

    /// Which patches of the epoch the next step will see.
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
        Ok(Some(normal_rows(seed, streams, latent_dim, self.model.device())?))
    }

    /// The noise of the next step, which a GPU finds in the same place each time.
    fn noise_of_step(&mut self) -> Result<Option<Tensor>> {
        let Some(noise) = self.next_noise()? else { return Ok(None) };
        if self.record.is_none() {
            return Ok(Some(noise));
        }
        let (count, length) = noise.dims2()?;
        let shape = (self.config.schedule.batch_size, length);
        let buffer = match self.noise.take() {
            Some(buffer) => buffer,
            None => Tensor::zeros(shape, noise.dtype(), noise.device())?,
        };
        buffer.slice_set(&noise, 0, 0)?;
        let part = buffer.narrow(0, 0, count)?;
        self.noise = Some(buffer);
        Ok(Some(part))
    }

    /// Takes one step of the optimiser. Batches are cut short at the end of an epoch and of the run.
    ///
    /// # Errors
    /// [`Error::Diverged`] if reconstructions or loss are not finite; weights, optimiser and progress are then those before the step.
    /// On a GPU, that may be a step before this one; see [`StepReport::loss`].
    /// [`Error::Finished`] if the run is done; [`Error::Tensor`] if the device fails.
    pub fn step(&mut self) -> Result<StepReport> {
        let range = self.next_range()?;
        let noise = self.noise_of_step()?;
        let Schedule { patches_per_epoch, patches: all, .. } = self.config.schedule;
        let patches = self.progress.patches + range.len() as u64;
        let is_end = patches.is_multiple_of(patches_per_epoch) || patches >= all;
        // What the last batch of an epoch has computed is looked at; others are whole.
        let computed = match !is_end && self.replay(&range, noise.as_ref())? {
            true => None,
            false => Some(self.compute(range, noise.as_ref())?),
        };
        self.progress.patches = patches;
        self.steps_since += 1;

        let read_at_once = computed.as_ref().and_then(|computed| computed.loss);
        let is_read = is_end || self.steps_since == Self::STEPS_BETWEEN_READINGS;
        let read_now = if is_read { self.read_loss()? } else { None };
        let epoch = computed.filter(|_| is_end).map(|computed| self.end_epoch(&computed));
        Ok(StepReport { patches, loss: read_at_once.or(read_now), epoch: epoch.transpose()? })
    }

    /// Reconstructs the patches of a step and moves the weights against the gradient of the loss. A GPU has then been told to do so.
    fn compute(&mut self, range: Range<usize>, noise: Option<&Tensor>) -> Result<Computed> {
        let count = range.len();
        let patches = match &self.record {
            Some(record) => self.source.next_batch(&self.epoch, range, record)?,
            None => self.source.batch(&self.epoch, range)?,
        };
        let pass = self.model.pass(&patches, noise)?;
        let (reconstructions, posterior) = (&pass.reconstructions, pass.posterior.as_ref());
        let Some(record) = &self.record else {
            let (loss, value) = self.finite_loss(reconstructions, &patches, posterior)?;
            let gradients = self.model.gradients(&pass, &loss)?;
            self.adam.step(self.model.variables().zip(gradients), None)?;
            self.progress.epoch_loss += f64::from(value) * count as f64;
            let reconstructions = pass.reconstructions;
            return Ok(Computed { patches, reconstructions, loss: Some(value) });
        };
        let loss = self.config.objective.loss(reconstructions, &patches, posterior)?;
        let entry = Entry { count, pace: self.adam.config.pace() };
        record.add(entry, &loss, reconstructions)?;
        let gradients = self.model.gradients(&pass, &loss)?;
        self.adam.step(self.model.variables().zip(gradients), Some(record))?;
        Ok(Computed { patches, reconstructions: pass.reconstructions, loss: None })
    }

    /// The mean loss of the patches since it was last told, by this or by [`step`](Self::step); `None` if there were none. A GPU is
    /// waited for.
    ///
    /// # Errors
    /// [`Error::Diverged`] as for [`step`](Self::step); [`Error::Tensor`] if the device fails.
    pub fn read_loss(&mut self) -> Result<Option<f32>> {
        let Some(record) = &self.record else { return Ok(None) };
        let Reading { standing, failure } = record.read()?;
        let Standing { losses, patches, steps } = standing;
        self.steps_since = 0;
        self.progress.epoch_loss = losses;
        if let Some(loss) = failure {
            (self.progress.patches, self.adam.steps) = (patches, steps);
            self.read = self.progress;
            record.begin(standing)?;
            return Err(Error::Diverged { loss, patches });
        }
        let before = std::mem::replace(&mut self.read, self.progress);
        let patches = self.progress.patches - before.patches;
        Ok((patches > 0).then(|| ((losses - before.epoch_loss) / patches as f64) as f32))
    }

    /// The progress with all losses until now.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a step has failed that nobody has heard of yet.
    pub(crate) fn settled_progress(&self) -> Result<Progress> {
        let Some(record) = &self.record else { return Ok(self.progress) };
        let Reading { standing, failure } = record.read()?;
        match failure {
            Some(loss) => Err(Error::Diverged { loss, patches: standing.patches }),
            None => Ok(Progress { epoch_loss: standing.losses, ..self.progress }),
        }
    }

    /// The loss, and its value.
    fn finite_loss(
        &self,
        reconstructions: &Tensor,
        patches: &Tensor,
        posterior: Option<&Posterior>,
    ) -> Result<(Tensor, f32)> {
        let diverged = |loss| Error::Diverged { loss, patches: self.progress.patches };
        // SSIM is not defined for such pixels; a sum is finite only if all of its terms are.
        let sum = reconstructions.detach().sum_all()?.to_scalar::<f32>()?;
        if !sum.is_finite() {
            return Err(diverged(f32::NAN));
        }
        let loss = self.config.objective.loss(reconstructions, patches, posterior)?;
        match loss.to_scalar::<f32>()? {
            value if value.is_finite() => Ok((loss, value)),
            value => Err(diverged(value)),
        }
    }

    fn end_epoch(&mut self, last: &Computed) -> Result<EpochReport> {
        let contrast =
            deviation(&last.reconstructions)? / deviation(&last.patches)?.max(f64::MIN_POSITIVE);
        let Schedule { patches_per_epoch, .. } = self.config.schedule;
        let length = (self.progress.patches - 1) % patches_per_epoch + 1;
        let report = EpochReport {
            epoch: self.progress.patches.div_ceil(patches_per_epoch),
            patches: self.progress.patches,
            loss: self.progress.epoch_loss / length as f64,
            contrast,
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

/// The root mean square over patches `(N, 1, H, W)` of the standard deviation within each.
fn deviation(patches: &Tensor) -> Result<f64> {
    let variances = patches.detach().flatten(1, 3)?.var(1)?;
    Ok(f64::from(variances.mean_all()?.to_scalar::<f32>()?).sqrt())
}
