//! Training runs that go on where they were interrupted.

mod settings;

use crate::adam::Parameter;
use crate::autoencoder::Autoencoder;
use crate::patches::TrainingImage;
use crate::progress::Progress;
use crate::trainer::{Trainer, TrainingConfig};
use crate::weights::{check_finite, read_tensors, take_tensor};
use crate::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use settings::Settings;
use std::collections::HashMap;

/// The key of the state in the file's metadata; one key only, so that equal states give equal bytes.
const METADATA_KEY: &str = "training";

/// The format that this version writes and reads. Another number is due whenever the same state means another thing.
const FORMAT: u32 = 2;

/// The part of a state that all formats have.
#[derive(Deserialize)]
struct Version {
    /// The first format did not say so.
    #[serde(default = "first_format")]
    format: u32,
}

fn first_format() -> u32 {
    1
}

/// The part of a checkpoint that is not tensors.
#[derive(Serialize, Deserialize)]
struct State {
    format: u32,
    /// To refuse a checkpoint of another run.
    settings: Settings,
    /// Steps of the optimiser.
    steps: u64,
    progress: StoredProgress,
    /// The caller's.
    note: String,
}

#[derive(Serialize, Deserialize)]
struct StoredProgress {
    patches: u64,
    epoch_loss: f64,
}

impl State {
    /// Refuses numbers that no run of `patches` patches can have reached: a damaged file may have them near the end of their range,
    /// where counting on would overflow.
    fn check_progress(&self, patches: u64) -> Result<()> {
        let seen = self.progress.patches;
        if seen > patches {
            let expected = format!("at least the {seen} that the run has seen already");
            return Err(Error::setting("patches", expected, patches));
        }
        if self.steps > seen {
            let expected = format!("of at most {seen} steps, one for each patch");
            return Err(Error::setting("checkpoint", expected, self.steps));
        }
        Ok(())
    }
}

impl Trainer {
    /// The state of the run as a safetensors file: the weights under their names, both moments of each variable as
    /// `adam.N`, and in the metadata the progress, the settings and a `note` of the caller's for [`checkpoint_note`].
    ///
    /// ```
    /// use candle_core::Device;
    /// use models::{Trainer, checkpoint_note};
    /// # use models::{AdamConfig, Architecture, Objective, Schedule, TrainingConfig, TrainingImage};
    /// # let config = TrainingConfig {
    /// #     architecture: Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() },
    /// #     objective: Objective::L2,
    /// #     adam: AdamConfig::default(),
    /// #     schedule: Schedule { batch_size: 2, patches: 4, ..Schedule::default() },
    /// # };
    /// # let pixels = (0..64 * 64).map(|i| (i % 4) as f32 / 3.0).collect();
    /// # let images = vec![TrainingImage { width: 64, height: 64, pixels, places: None }];
    ///
    /// let mut trainer = Trainer::new(config.clone(), images.clone(), &Device::Cpu)?;
    /// trainer.step()?;
    /// let checkpoint = trainer.checkpoint("after lunch")?;
    /// assert_eq!(checkpoint_note(&checkpoint)?, "after lunch");
    /// trainer.step()?;
    ///
    /// // Another run takes the second step with the same result.
    /// let mut resumed = Trainer::resume(&checkpoint, config, images, &Device::Cpu)?;
    /// resumed.step()?;
    /// assert_eq!(resumed.model().to_safetensors()?, trainer.model().to_safetensors()?);
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the last step left weights or moments that are NaN, infinite or too large to go on from, so that an
    /// earlier checkpoint is not replaced by such a one; [`Error::Diverged`] if a step has failed on a GPU that [`Trainer::step`]
    /// has not reported yet; [`Error::Tensor`] if the device fails.
    pub fn checkpoint(&self, note: &str) -> Result<Vec<u8>> {
        let Progress { patches, steps, epoch_loss } = self.settled_progress()?;
        let state = State {
            format: FORMAT,
            settings: settings::of(&self.config)?,
            steps,
            progress: StoredProgress { patches, epoch_loss },
            note: note.to_owned(),
        };
        let state = serde_json::to_string(&state)
            .map_err(|error| Error::setting("checkpoint", "a state that can be written", error))?;
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), state)]);
        let mut tensors = self.learner.model.named_tensors()?;
        for (i, parameter) in self.learner.adam.parameters().iter().enumerate() {
            tensors.insert(moments_name(i), parameter.moments.to_device(&Device::Cpu)?);
        }
        tensors.iter().try_for_each(|(name, tensor)| check_finite(name, tensor))?;
        Ok(safetensors::serialize(tensors, Some(metadata))?)
    }

    /// A run that goes on from a checkpoint: [`Trainer::new`] and [`Trainer::restore`].
    ///
    /// # Errors
    /// Those of both.
    pub fn resume(
        checkpoint: &[u8],
        config: TrainingConfig,
        images: Vec<TrainingImage>,
        device: &Device,
    ) -> Result<Self> {
        let mut trainer = Self::new(config, images, device)?;
        trainer.restore(checkpoint)?;
        Ok(trainer)
    }

    /// Goes on from a [`Trainer::checkpoint`] of a run with the same configuration and images, on whatever device. The run
    /// ends with the same weights as an uninterrupted one, if it goes on where it was.
    ///
    /// ```
    /// use candle_core::Device;
    /// use models::{Error, Schedule, Trainer};
    /// # use models::{AdamConfig, Architecture, Objective, TrainingConfig, TrainingImage};
    /// # let config = TrainingConfig {
    /// #     architecture: Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() },
    /// #     objective: Objective::L2,
    /// #     adam: AdamConfig::default(),
    /// #     schedule: Schedule { batch_size: 2, patches: 4, ..Schedule::default() },
    /// # };
    /// # let images = vec![TrainingImage { width: 32, height: 32, pixels: vec![0.5; 32 * 32], places: None }];
    ///
    /// let mut trainer = Trainer::new(config.clone(), images.clone(), &Device::Cpu)?;
    /// let begun = trainer.checkpoint("")?;
    /// trainer.step()?;
    /// trainer.restore(&begun)?;
    /// assert_eq!(trainer.patches(), 0);
    ///
    /// let mut config = config;
    /// config.schedule.seed = 1;
    /// let error = Trainer::new(config, images, &Device::Cpu)?.restore(&begun).unwrap_err();
    /// assert!(matches!(error, Error::CheckpointMismatch { name, .. } if name == "schedule.seed"));
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] for a checkpoint of another configuration; the total number of patches may differ, so
    /// that a finished run can be prolonged. [`Error::CheckpointFormat`] for one of another version. [`Error::Format`],
    /// [`Error::MissingTensor`], [`Error::TensorMismatch`] and [`Error::NotFinite`] for other bytes than a checkpoint's, and
    /// [`Error::Setting`] for a file without a training state, or with one that has seen more patches than this run is to see.
    /// The run is then of no use any more.
    pub fn restore(&mut self, checkpoint: &[u8]) -> Result<()> {
        let state = read_state(checkpoint)?;
        settings::compare(&settings::of(&self.config)?, &state.settings)?;
        state.check_progress(self.config.schedule.patches)?;
        let mut tensors = read_tensors(checkpoint)?;
        let device = self.model().device().clone();
        let stored = Autoencoder::take(&mut tensors, &self.config.architecture, &device)?;
        let parameters = self.learner.adam.parameters_mut().iter_mut().zip(stored.halves());
        for (i, (Parameter { variable, moments }, half)) in parameters.enumerate() {
            variable.set(&half.parameters()?)?;
            let stored = take_tensor(&mut tensors, moments_name(i), moments.dims())?;
            *moments = stored.to_device(&device)?;
        }
        let State { steps, progress: StoredProgress { patches, epoch_loss }, .. } = state;
        self.go_on_from(Progress { patches, steps, epoch_loss })
    }
}

/// The note in a [`Trainer::checkpoint`], whose example reads it back.
///
/// ```
/// let error = models::checkpoint_note(b"no checkpoint").unwrap_err();
/// assert!(matches!(error, models::Error::Format(_)));
/// ```
///
/// # Errors
/// [`Error::CheckpointFormat`], [`Error::Format`] and [`Error::Setting`] for other bytes than a checkpoint of this version.
pub fn checkpoint_note(checkpoint: &[u8]) -> Result<String> {
    Ok(read_state(checkpoint)?.note)
}

fn moments_name(variable: usize) -> String {
    format!("adam.{variable}")
}

fn read_state(checkpoint: &[u8]) -> Result<State> {
    let (_, metadata) = safetensors::SafeTensors::read_metadata(checkpoint)?;
    let state = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
    let missing = || Error::setting("checkpoint", "a training state in its metadata", "none");
    let state = state.ok_or_else(missing)?;
    let malformed = |error| Error::setting("checkpoint", "a training state in its metadata", error);
    let Version { format } = serde_json::from_str(state).map_err(malformed)?;
    if format != FORMAT {
        return Err(Error::CheckpointFormat { expected: FORMAT, got: format });
    }
    serde_json::from_str(state).map_err(malformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    /// A sum of losses that differs in its last bit if JSON is not read with all its digits.
    #[test]
    fn sums_read_back_exactly() {
        let progress = StoredProgress { patches: 8, epoch_loss: 10.280000001192093 };
        let text = serde_json::to_string(&progress).unwrap();
        let read: StoredProgress = serde_json::from_str(&text).unwrap();
        assert_eq!((read.patches, read.epoch_loss), (progress.patches, progress.epoch_loss));
    }
}
