//! The losses of training steps, added up on the device that computes them.
//!
//! The device could not begin the next step while the host reads a loss from it. So a log on the device adds the losses up, and the host
//! reads the sum when it likes. The log also keeps the first failure: the optimiser leaves the weights unchanged from then on. What
//! changes from step to step lies in the log as well, namely the progress of the run and the size of the optimiser's step, so that the
//! arguments of a step's kernels are the same in all steps.

use crate::progress::Progress;
use crate::step_size::StepSizeRule;
use candle_core::{CpuStorage, Device, InplaceOp3, Layout, Result, Tensor, bail};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, cuda_backend::cudarc::driver::CudaSlice};
use convolutions::contiguous;

/// The places of the log's values; `kernels/training.cu` has the same.
const LOSSES: usize = 0;
const FAILED: usize = 1;
const LOSS: usize = 2;
const PATCHES: usize = 3;
const STEPS: usize = 4;
const STEP_SIZE: usize = 5;
const CORRECTION: usize = 6;
const LENGTH: usize = 8;

/// The sum of the losses, the progress of the run and its first failure: a tensor of doubles on the device of the weights, or on the CPU
/// for devices without kernels of this crate.
#[derive(Clone, Debug)]
pub(crate) struct LossLog(Tensor);

/// The contents of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Logged {
    /// The progress of the run, up to the failed step if there is one.
    pub progress: Progress,
    /// The loss of the first step whose reconstructions or loss were not finite; NaN if it was the reconstructions.
    pub failure: Option<f32>,
}

/// A step that the log adds up: the numbers that it takes beside the loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEntry {
    /// Patches of the batch.
    pub count: usize,
    pub step_size: StepSizeRule,
}

impl LossLog {
    /// An empty log for weights on `device`.
    pub fn new(device: &Device) -> Result<Self> {
        let device = if device.is_cuda() { device } else { &Device::Cpu };
        Ok(Self(Tensor::from_vec(vec![0f64; LENGTH], LENGTH, device)?))
    }

    /// A log that holds nothing but the size of one step, for an optimiser whose losses nobody logs.
    #[cfg(feature = "cuda")]
    pub fn of_one_step([step_size, correction]: [f64; 2], device: &Device) -> Result<Self> {
        let mut values = vec![0.0; LENGTH];
        (values[STEP_SIZE], values[CORRECTION]) = (step_size, correction);
        Ok(Self(Tensor::from_vec(values, LENGTH, device)?))
    }

    /// Adds the loss of a batch, a scalar, unless it or one of the batch's reconstructions is not finite, or an earlier step has failed.
    pub fn add(&self, entry: LogEntry, loss: &Tensor, reconstructions: &Tensor) -> Result<()> {
        let [loss, reconstructions] =
            [loss, reconstructions].map(|tensor| tensor.detach().to_device(self.0.device()));
        self.0.inplace_op3(&loss?, &reconstructions?, &entry)
    }

    /// Reads the log; waits for the device.
    pub fn read(&self) -> Result<Logged> {
        let values = self.values()?;
        let (patches, steps) = (values[PATCHES] as u64, values[STEPS] as u64);
        Ok(Logged {
            progress: Progress { patches, steps, epoch_loss: values[LOSSES] },
            failure: (values[FAILED] != 0.0).then(|| values[LOSS] as f32),
        })
    }

    pub fn values(&self) -> Result<Vec<f64>> {
        self.0.to_vec1()
    }

    /// Forgets failures and goes on from `progress`.
    pub fn restart(&self, progress: Progress) -> Result<()> {
        let mut values = [0.0; LENGTH];
        values[LOSSES] = progress.epoch_loss;
        values[PATCHES] = progress.patches as f64;
        values[STEPS] = progress.steps as f64;
        let values = Tensor::new(&values, self.0.device())?;
        self.0.slice_set(&values, 0, 0)
    }

    /// Whether a step has failed.
    pub fn has_failed(&self) -> Result<bool> {
        Ok(self.read()?.failure.is_some())
    }

    /// Hands the values on a CUDA device to `launch`.
    #[cfg(feature = "cuda")]
    pub fn on_cuda<T>(&self, launch: impl FnOnce(&CudaSlice<f64>) -> Result<T>) -> Result<T> {
        match &*self.0.storage_and_layout().0 {
            candle_core::Storage::Cuda(storage) => launch(storage.as_cuda_slice::<f64>()?),
            _ => bail!("expected a log on a CUDA device"),
        }
    }
}

impl LogEntry {
    fn add(&self, log: &mut [f64], loss: f32, reconstructions: &[f32]) {
        if log[FAILED] != 0.0 {
            return;
        }
        let are_finite = reconstructions.iter().all(|value| value.is_finite());
        if !(are_finite && loss.is_finite()) {
            log[FAILED] = 1.0;
            log[LOSS] = if are_finite { loss.into() } else { f64::NAN };
            return;
        }
        log[LOSSES] += f64::from(loss) * self.count as f64;
        log[PATCHES] += self.count as f64;
        log[STEPS] += 1.0;
        [log[STEP_SIZE], log[CORRECTION]] = self.step_size.at(log[STEPS]);
    }
}

impl InplaceOp3 for LogEntry {
    fn name(&self) -> &'static str {
        "log-loss"
    }

    fn cpu_fwd(
        &self,
        log: &mut CpuStorage,
        layout: &Layout,
        loss: &CpuStorage,
        loss_layout: &Layout,
        reconstructions: &CpuStorage,
        reconstructions_layout: &Layout,
    ) -> Result<()> {
        let loss = contiguous(loss, loss_layout)?;
        let reconstructions = contiguous(reconstructions, reconstructions_layout)?;
        match (log, layout.contiguous_offsets()) {
            (CpuStorage::F64(values), Some((from, to))) => {
                self.add(&mut values[from..to], loss[0], reconstructions);
                Ok(())
            }
            _ => bail!("expected a contiguous log in double precision"),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        log: &mut CudaStorage,
        _: &Layout,
        loss: &CudaStorage,
        loss_layout: &Layout,
        reconstructions: &CudaStorage,
        reconstructions_layout: &Layout,
    ) -> Result<()> {
        let (loss, reconstructions) =
            ((loss, loss_layout), (reconstructions, reconstructions_layout));
        crate::cuda::training::log_step(log, (self.count, self.step_size), loss, reconstructions)
    }
}
