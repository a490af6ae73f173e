//! What a training run says of its steps and epochs.

use serde::Serialize;

/// What a training step did; see [`Trainer::step`](crate::Trainer::step).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Patches seen since the start of the run.
    pub patches: u64,
    /// The mean loss of the batch. A GPU is asked only once in [`Trainer::STEPS_BETWEEN_READINGS`](crate::Trainer::STEPS_BETWEEN_READINGS) steps and at the end of an epoch,
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
    ///
    /// ```
    /// use models::EpochReport;
    ///
    /// let report = EpochReport { epoch: 1, patches: 10_000, loss: 0.4, contrast: 0.7 };
    /// assert!(!report.collapsed());
    /// assert!(EpochReport { contrast: 0.001, ..report }.collapsed());
    /// ```
    pub fn collapsed(&self) -> bool {
        self.contrast < Self::COLLAPSED_CONTRAST
    }
}
