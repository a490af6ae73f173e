//! The configuration of a training run.

use crate::adam::AdamConfig;
use crate::architecture::Architecture;
use crate::init::Initialisation;
use crate::objective::Objective;
use crate::patches::{Corruption, Sampling};
use crate::{Error, Result};
use convolutions::Precision;
use serde::{Deserialize, Serialize};

/// The length of a training, its batches and its seed.
///
/// ```
/// use models::Schedule;
///
/// let schedule = Schedule { patches: 100_000, ..Schedule::default() };
/// assert_eq!((schedule.batch_size, schedule.patches_per_epoch), (16, 10_000));
/// let error = Schedule { batch_size: 0, ..schedule }.validate().unwrap_err();
/// assert_eq!(error.to_string(), "batch_size must be at least 1, got 0");
/// ```
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
    /// How patches are changed before the network sees them, which has to reconstruct them as they were.
    pub corruption: Corruption,
    /// How the initial weights are drawn. The paper does not give it.
    pub initialisation: Initialisation,
    /// The precision of the products in the layers of the network; all but `f32` need a CUDA device. Frozen features are in `f32`.
    pub precision: Precision,
    /// The seed of initial weights, crops, blocks and latent noise. The same seed gives the same weights, for any number of threads.
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
            corruption: Corruption::default(),
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
    /// [`Error::Setting`] for a count of 0, or more than 2⁴⁸ patches or 2²⁸ in an epoch, whose numbers are held in memory.
    pub fn validate(&self) -> Result<()> {
        let most =
            [("patches", self.patches, 48), ("patches_per_epoch", self.patches_per_epoch, 28)];
        if let Some((name, count, power)) = most.into_iter().find(|&(_, n, power)| n > 1 << power) {
            return Err(Error::setting(name, format!("at most 2^{power}"), count));
        }
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

/// All settings that decide the weights at the end of a training run, but for its images; [`Trainer`](crate::Trainer) shows one.
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

impl TrainingConfig {
    /// Checks all settings, and whether they go together.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range, among them a window of the structural similarity that does not fit
    /// into a patch, or a network without the objective's latent layer.
    pub fn validate(&self) -> Result<()> {
        self.architecture.validate()?;
        self.adam.validate()?;
        self.schedule.validate()?;
        self.objective.validate(self.architecture.patch_size)?;
        self.architecture.expect_latent(self.objective.latent())
    }
}
