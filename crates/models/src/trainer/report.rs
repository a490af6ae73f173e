//! Reports of training steps and epochs.

use crate::Result;
use candle_core::Tensor;
use serde::Serialize;

/// The report of a training step; see [`Trainer::step`](crate::Trainer::step).
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Patches seen since the start of the run.
    pub patches: u64,
    /// The mean loss of the patches since the last loss was read, before the steps that they were part of; `None` in steps after which none
    /// is read. See [`Trainer::read_losses_every`](crate::Trainer::read_losses_every).
    pub loss: Option<f32>,
    /// Set at the end of an epoch, and of the run.
    pub epoch: Option<EpochReport>,
    /// Why no CUDA graph could be made of a step: set once, by the step that tried it. All steps then launch their kernels one by one,
    /// which makes small batches slower and changes nothing else.
    pub graph_failure: Option<String>,
}

/// The report of an epoch.
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

/// The contrast of reconstructions relative to that of their patches, both `(N, 1, H, W)`.
pub(super) fn contrast(reconstructions: &Tensor, patches: &Tensor) -> Result<f64> {
    Ok(deviation(reconstructions)? / deviation(patches)?.max(f64::MIN_POSITIVE))
}

/// The root mean square over patches `(N, 1, H, W)` of the standard deviation within each.
fn deviation(patches: &Tensor) -> Result<f64> {
    let variances = patches.detach().flatten(1, 3)?.var(1)?;
    Ok(f64::from(variances.mean_all()?.to_scalar::<f32>()?).sqrt())
}
