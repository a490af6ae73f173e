//! The training loop.

use crate::adam::Adam;
use crate::patches::{PatchSource, epoch_order};
use crate::stream::{Stream, normal_rows};
use crate::{
    AdamConfig, Architecture, Autoencoder, Error, Initialisation, Latent, Objective, Posterior,
    Result, Sampling, TrainingImage,
};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

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
    /// The mean loss of the batch.
    pub loss: f32,
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
    /// The patches of the current epoch.
    order: Vec<u64>,
}

impl Trainer {
    /// Starts a run with random weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for an invalid configuration, one whose latent layer is not its objective's included; [`Error::NoImages`] and [`Error::ImageTooSmall`] for images that no
    /// patch can be cut from.
    pub fn new(
        config: TrainingConfig,
        images: Vec<TrainingImage>,
        device: &Device,
    ) -> Result<Self> {
        config.schedule.validate()?;
        config.objective.validate()?;
        config.architecture.expect_latent(config.objective.latent())?;
        let Schedule { initialisation, seed, .. } = config.schedule;
        let rng = &mut Stream::Weights.rng(seed);
        let model = Autoencoder::initialised(config.architecture, initialisation, rng, device)?;
        let adam = Adam::new(config.adam, model.variables())?;
        let source = PatchSource::new(images, config.architecture.patch_size, seed)?;
        let mut trainer =
            Self { config, model, adam, progress: Progress::default(), source, order: Vec::new() };
        trainer.order = trainer.current_order();
        Ok(trainer)
    }

    /// Replaces the state of a run by a stored one.
    pub(crate) fn go_on_from(&mut self, progress: Progress) {
        self.progress = progress;
        self.order = self.current_order();
    }

    fn current_order(&self) -> Vec<u64> {
        let Schedule { sampling, patches_per_epoch, seed, .. } = self.config.schedule;
        epoch_order(sampling, self.progress.patches / patches_per_epoch, patches_per_epoch, seed)
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
        self.source.batch(self.next_numbers()?, self.model.device())
    }

    /// The numbers of the patches of the next step.
    fn next_numbers(&self) -> Result<&[u64]> {
        if self.is_done() {
            return Err(Error::Finished { patches: self.progress.patches });
        }
        let Schedule { batch_size, patches_per_epoch, patches, .. } = self.config.schedule;
        let start = self.progress.patches % patches_per_epoch;
        let end = start + (batch_size as u64).min(patches - self.progress.patches);
        Ok(&self.order[start as usize..end.min(patches_per_epoch) as usize])
    }

    /// The standard normal noise `(N, latent_dim)` with which the next step samples latent vectors; `None` if it does not.
    /// It depends on the seed and on how many patches were seen before.
    ///
    /// # Errors
    /// As for [`next_patches`](Self::next_patches).
    pub fn next_noise(&self) -> Result<Option<Tensor>> {
        let count = self.next_numbers()?.len();
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
    /// [`Error::Diverged`] if reconstructions or loss are not finite; the weights are then those before the step.
    /// [`Error::Finished`] if the run is done; [`Error::Tensor`] if the device fails.
    pub fn step(&mut self) -> Result<StepReport> {
        let patches = self.next_patches()?;
        let (reconstructions, posterior) = self.reconstruct(&patches)?;
        let (loss, value) = self.finite_loss(&reconstructions, &patches, posterior.as_ref())?;
        self.adam.step(self.model.variables(), &loss.backward()?)?;
        let count = patches.dim(0)?;
        self.progress.patches += count as u64;
        self.progress.epoch_loss += f64::from(value) * count as f64;

        let Schedule { patches_per_epoch, .. } = self.config.schedule;
        let is_epoch = self.progress.patches.is_multiple_of(patches_per_epoch);
        let epoch = match is_epoch || self.is_done() {
            true => Some(self.end_epoch(&reconstructions, &patches)?),
            false => None,
        };
        Ok(StepReport { patches: self.progress.patches, loss: value, epoch })
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
            self.order = self.current_order();
        }
        Ok(report)
    }
}

/// The root mean square over patches `(N, 1, H, W)` of the standard deviation within each.
fn deviation(patches: &Tensor) -> Result<f64> {
    let variances = patches.detach().flatten(1, 3)?.var(1)?;
    Ok(f64::from(variances.mean_all()?.to_scalar::<f32>()?).sqrt())
}
