//! A training step, but for the patches.

use super::config::TrainingConfig;
use crate::Result;
use crate::adam::Adam;
use crate::autoencoder::Autoencoder;
use crate::loss_log::{LogEntry, LossLog};
use crate::objective::Objective;
use crate::patches::Batch;
use candle_core::Tensor;
use candle_nn::Optimizer;

/// The network and the optimiser: what a training step changes.
#[derive(Debug)]
pub(crate) struct Learner {
    pub model: Autoencoder,
    pub adam: Adam,
    pub log: LossLog,
    objective: Objective,
}

impl Learner {
    /// Begins with the weights of `model`.
    pub fn new(model: &Autoencoder, config: &TrainingConfig) -> Result<Self> {
        let (mut model, variables) = model.with_packed_variables()?;
        model.multiply_in(config.schedule.precision);
        let log = LossLog::new(model.device())?;
        let adam = Adam::new(variables.to_vec(), config.adam)?;
        Ok(Self { model, adam, log, objective: config.objective.clone() })
    }

    /// Takes step number `number`, which counts from 1, and returns the reconstructions from before it. If they or their loss are not
    /// finite, or an earlier step has failed, the log says so, and weights and moments stay as they are.
    pub fn step(&mut self, number: u64, batch: &Batch, noise: Option<&Tensor>) -> Result<Tensor> {
        let Batch { patches, inputs } = batch;
        let pass = self.model.forward_pass(inputs, noise)?;
        let reconstructions = pass.reconstructions();
        let entry = LogEntry { count: patches.dim(0)?, step_size: self.adam.config().step_size() };
        let loss = match self.objective.loss(reconstructions, patches, pass.posterior()) {
            Ok(loss) => loss,
            // SSIM on the CPU refuses such pixels.
            Err(_) if !are_finite(reconstructions)? => {
                let nan = Tensor::new(f32::NAN, reconstructions.device())?;
                self.log.add(entry, &nan, reconstructions)?;
                return Ok(reconstructions.detach());
            }
            Err(error) => return Err(error),
        };
        self.log.add(entry, &loss, reconstructions)?;
        let gradients = pass.backward(&loss)?;
        self.adam.update(number, &gradients, Some(&self.log))?;
        Ok(reconstructions.detach())
    }
}

/// Whether all values are finite, and small enough that their sum is.
fn are_finite(values: &Tensor) -> Result<bool> {
    Ok(values.detach().sum_all()?.to_scalar::<f32>()?.is_finite())
}
