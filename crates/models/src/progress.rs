//! How far a training run is.

/// How far a training run is. With the weights and the optimiser's moments it is all that is needed to go on: random numbers depend on
/// the seed and the number of a patch alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// Patches seen since the start of the run.
    pub patches: u64,
    /// Steps of the optimiser since the start of the run.
    pub steps: u64,
    /// The sum of the losses of the patches seen in the current epoch.
    pub epoch_loss: f64,
}
