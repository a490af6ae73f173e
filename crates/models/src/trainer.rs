//! The training loop.

use crate::adam::Adam;
use crate::patches::{Epoch, PatchSource, epoch_order};
use crate::record::{Entry, Failure, Reading, Record};
use crate::stream::{Stream, normal_rows};
use crate::{
    AdamConfig, Architecture, Autoencoder, Error, Initialisation, Latent, Objective, Posterior,
    Precision, Result, Sampling, TrainingImage,
};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How long and in which portions a model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Patches of a training step. The paper does not give it.
    pub batch_size: usize,
    /// Patches of an epoch, after which a run reports; the paper's is 10 000 (section 4.2).
    pub patches_per_epoch: u64,
    /// Patches of the whole run; the paper's is 2 000 000, 200 epochs (section 4.2).
    pub patches: u64,
    /// Whether the epochs see the same patches again.
    pub sampling: Sampling,
    /// What the weights begin with. The paper does not give it.
    pub initialisation: Initialisation,
    /// What the layers of the network multiply in; anything but `f32` takes a CUDA device. Frozen features are in `f32`.
    pub precision: Precision,
    /// The seed of initial weights, crops and latent noise. The same seed gives the same weights, for any number of threads.
    pub seed: u64,
}

impl Default for Schedule {
    /// The paper's, with batches of 16.
    fn default() -> Self {
        Self {
            batch_size: 16,
            patches_per_epoch: 10_000,
            patches: 2_000_000,
            sampling: Sampling::default(),
            initialisation: Initialisation::default(),
            precision: Precision::default(),
            seed: 0,
        }
    }
}

impl Schedule {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a count of 0.
    pub fn validate(&self) -> Result<()> {
        let counts = [
            ("batch_size", self.batch_size as u64),
            ("patches_per_epoch", self.patches_per_epoch),
            ("patches", self.patches),
        ];
        match counts.into_iter().find(|&(_, count)| count == 0) {
            Some((name, count)) => Err(Error::setting(name, "at least 1", count)),
            None => Ok(()),
        }
    }
}

/// Everything that decides the weights that a training run ends with, but for its images.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingConfig {
    /// The network; its latent layer must be the objective's ([`Objective::latent`]).
    pub architecture: Architecture,
    /// The loss.
    pub objective: Objective,
    /// The optimiser.
    pub adam: AdamConfig,
    /// Batches, epochs and the seed.
    pub schedule: Schedule,
}

/// What a training step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Patches seen since the start of the run.
    pub patches: u64,
    /// The mean loss of the batch. A GPU is asked only once in [`Trainer::STEPS_BETWEEN_READINGS`] steps and at the end of an epoch,
    /// since it would stand still for the answer: it is then the mean loss of the patches since the last answer, and `None` between.
    pub loss: Option<f32>,
    /// Set at the end of an epoch, and of the run.
    pub epoch: Option<EpochReport>,
}

/// What an epoch did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpochReport {
    /// The epoch's number, from 1 on.
    pub epoch: u64,
    /// Patches seen since the start of the run.
    pub patches: u64,
    /// The mean loss of the epoch's patches, each before the step that it was part of.
    pub loss: f64,
    /// The contrast of the last batch's reconstructions relative to that of its patches; see [`EpochReport::collapsed`].
    pub contrast: f64,
}

impl EpochReport {
    /// The relative contrast below which reconstructions count as constant. Runs that learn have a tenth of their patches'
    /// contrast after a thousand patches, and most of it at the end of their first epoch.
    pub const COLLAPSED_CONTRAST: f64 = 0.01;

    /// Whether the network reconstructs every patch as constant grey, as badly initialised SSIM autoencoders do. Such a
    /// run seldom recovers: another seed, a smaller learning rate or squared SSIM constants may help.
    pub fn collapsed(&self) -> bool {
        self.contrast < Self::COLLAPSED_CONTRAST
    }
}

/// How far a run is; with the weights and the optimiser's state, all that is needed to go on. Random numbers depend on
/// the seed and the number of a patch alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub patches: u64,
    /// The sum of the losses of the current epoch's patches.
    pub epoch_loss: f64,
}

/// A training run.
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
        config.schedule.validate()?;
        config.schedule.precision.check(device)?;
        config.objective.validate()?;
        config.architecture.expect_latent(config.objective.latent())?;
        let Schedule { initialisation, seed, precision, .. } = config.schedule;
        let rng = &mut Stream::Weights.rng(seed);
        let mut model = Autoencoder::initialised(config.architecture, initialisation, rng, device)?;
        model.multiply_in(precision);
        let adam = Adam::new(config.adam, model.variables())?;
        let source = PatchSource::new(images, config.architecture.patch_size, seed, device)?;
        let progress = Progress::default();
        let epoch = source.epoch(order_at(&config.schedule, progress))?;
        let record = device.is_cuda().then(|| Record::new(device)).transpose()?;
        let (read, steps_since) = (progress, 0);
        Ok(Self { config, model, adam, progress, source, epoch, record, read, steps_since })
    }

    /// Replaces the state of a run by a stored one.
    pub(crate) fn go_on_from(&mut self, progress: Progress) -> Result<()> {
        self.progress = progress;
        self.begin_epoch()
    }

    /// Looks up the patches of the current epoch, and goes on with the sum of its losses.
    fn begin_epoch(&mut self) -> Result<()> {
        self.epoch = self.source.epoch(order_at(&self.config.schedule, self.progress))?;
        (self.read, self.steps_since) = (self.progress, 0);
        match &self.record {
            Some(record) => Ok(record.begin(self.progress.epoch_loss)?),
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

    /// Takes one step of the optimiser. Batches are cut short at the end of an epoch and of the run.
    ///
    /// # Errors
    /// [`Error::Diverged`] if reconstructions or loss are not finite; weights, optimiser and progress are then those before the step.
    /// On a GPU, that may be a step before this one; see [`StepReport::loss`].
    /// [`Error::Finished`] if the run is done; [`Error::Tensor`] if the device fails.
    pub fn step(&mut self) -> Result<StepReport> {
        let patches = self.next_patches()?;
        let (reconstructions, posterior) = self.reconstruct(&patches)?;
        let read_at_once = self.descend(&reconstructions, &patches, posterior.as_ref())?;
        self.progress.patches += patches.dim(0)? as u64;
        self.steps_since += 1;

        let Schedule { patches_per_epoch, .. } = self.config.schedule;
        let is_end = self.progress.patches.is_multiple_of(patches_per_epoch) || self.is_done();
        let is_read = is_end || self.steps_since == Self::STEPS_BETWEEN_READINGS;
        let read_now = if is_read { self.read_loss()? } else { None };
        let epoch = match is_end {
            true => Some(self.end_epoch(&reconstructions, &patches)?),
            false => None,
        };
        let loss = read_at_once.or(read_now);
        Ok(StepReport { patches: self.progress.patches, loss, epoch })
    }

    /// Moves the weights against the gradient of the loss; the loss, if it is read at once.
    fn descend(
        &mut self,
        reconstructions: &Tensor,
        patches: &Tensor,
        posterior: Option<&Posterior>,
    ) -> Result<Option<f32>> {
        let count = patches.dim(0)?;
        let Some(record) = &self.record else {
            let (loss, value) = self.finite_loss(reconstructions, patches, posterior)?;
            self.adam.step(self.model.variables(), &loss.backward()?, None)?;
            self.progress.epoch_loss += f64::from(value) * count as f64;
            return Ok(Some(value));
        };
        let loss = self.config.objective.loss(reconstructions, patches, posterior)?;
        let entry = Entry { count, patches: self.progress.patches, steps: self.adam.steps };
        record.add(entry, &loss, reconstructions)?;
        self.adam.step(self.model.variables(), &loss.backward()?, Some(record))?;
        Ok(None)
    }

    /// The mean loss of the patches since it was last told, by this or by [`step`](Self::step); `None` if there were none. A GPU is
    /// waited for.
    ///
    /// # Errors
    /// [`Error::Diverged`] as for [`step`](Self::step); [`Error::Tensor`] if the device fails.
    pub fn read_loss(&mut self) -> Result<Option<f32>> {
        let Some(record) = &self.record else { return Ok(None) };
        let Reading { losses, failure } = record.read()?;
        self.steps_since = 0;
        self.progress.epoch_loss = losses;
        if let Some(Failure { loss, patches, steps }) = failure {
            (self.progress.patches, self.adam.steps) = (patches, steps);
            self.read = self.progress;
            record.begin(losses)?;
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
        let Reading { losses, failure } = record.read()?;
        match failure {
            Some(Failure { loss, patches, .. }) => Err(Error::Diverged { loss, patches }),
            None => Ok(Progress { epoch_loss: losses, ..self.progress }),
        }
    }

    /// Reconstructions, and the distributions that their latent vectors were drawn from, if they were.
    fn reconstruct(&self, patches: &Tensor) -> Result<(Tensor, Option<Posterior>)> {
        let Some(noise) = self.next_noise()? else {
            return Ok((self.model.reconstruct(patches)?, None));
        };
        let posterior = self.model.posterior(patches)?;
        Ok((self.model.decode(&posterior.sample(&noise)?)?, Some(posterior)))
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

    fn end_epoch(&mut self, reconstructions: &Tensor, patches: &Tensor) -> Result<EpochReport> {
        let Schedule { patches_per_epoch, .. } = self.config.schedule;
        let length = (self.progress.patches - 1) % patches_per_epoch + 1;
        let report = EpochReport {
            epoch: self.progress.patches.div_ceil(patches_per_epoch),
            patches: self.progress.patches,
            loss: self.progress.epoch_loss / length as f64,
            contrast: deviation(reconstructions)? / deviation(patches)?.max(f64::MIN_POSITIVE),
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

#[cfg(test)]
mod tests;
