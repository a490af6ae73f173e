//! The losses of training steps, added up where they are computed.
//!
//! To read a loss from a GPU takes waiting for it: the device could not begin the next step meanwhile. So losses are added up there,
//! and what is not finite is kept there for the optimiser, which then leaves the weights as they were, until somebody asks.

use crate::conv::contiguous;
use candle_core::{CpuStorage, Device, InplaceOp3, Layout, Result, Tensor, bail};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, cuda_backend::cudarc::driver::CudaSlice};

/// Where in a record what lies; as in `kernels/training.cu`.
const LOSSES: usize = 0;
const FAILED: usize = 1;
const LOSS: usize = 2;
const PATCHES: usize = 3;
const STEPS: usize = 4;
const LENGTH: usize = 5;

/// What a run knows of its losses, on the device of the weights.
#[derive(Clone, Debug)]
pub(crate) struct Record(Tensor);

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    /// The sum of the losses of all patches.
    pub losses: f64,
    pub failure: Option<Failure>,
}

/// The first step whose reconstructions or loss were not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Failure {
    /// NaN if it was the reconstructions.
    pub loss: f32,
    /// Patches seen before.
    pub patches: u64,
    /// Steps of the optimiser before.
    pub steps: u64,
}

/// A step that is to be recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Patches of the batch.
    pub count: usize,
    /// Patches seen before.
    pub patches: u64,
    /// Steps of the optimiser before.
    pub steps: u64,
}

impl Record {
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self(Tensor::from_vec(vec![0f64; LENGTH], LENGTH, device)?))
    }

    /// Adds the loss of a batch, a scalar, unless it or the sum of the batch's reconstructions, which is finite only if all of them
    /// are, or an earlier step has failed.
    pub fn add(&self, entry: Entry, loss: &Tensor, reconstructions: &Tensor) -> Result<()> {
        self.0.inplace_op3(&loss.detach(), &reconstructions.detach().sum_all()?, &entry)
    }

    /// Waits for the device.
    pub fn read(&self) -> Result<Reading> {
        Ok(Reading::of(&self.values()?))
    }

    pub fn values(&self) -> Result<Vec<f64>> {
        self.0.to_vec1()
    }

    /// Begins anew with a sum of losses.
    pub fn begin(&self, losses: f64) -> Result<()> {
        let mut values = [0.0; LENGTH];
        values[LOSSES] = losses;
        let values = Tensor::new(&values, self.0.device())?;
        self.0.slice_set(&values, 0, 0)
    }

    /// Whether a step has failed, for who computes on the CPU.
    pub fn has_failed(&self) -> Result<bool> {
        Ok(self.read()?.failure.is_some())
    }

    /// Hands the values on the device to `launch`.
    #[cfg(feature = "cuda")]
    pub fn on_cuda<T>(&self, launch: impl FnOnce(&CudaSlice<f64>) -> Result<T>) -> Result<T> {
        match &*self.0.storage_and_layout().0 {
            candle_core::Storage::Cuda(storage) => launch(storage.as_cuda_slice::<f64>()?),
            _ => bail!("expected a record on a CUDA device"),
        }
    }
}

impl Reading {
    fn of(values: &[f64]) -> Self {
        let failure = (values[FAILED] != 0.0).then(|| Failure {
            loss: values[LOSS] as f32,
            patches: values[PATCHES] as u64,
            steps: values[STEPS] as u64,
        });
        Self { losses: values[LOSSES], failure }
    }
}

impl Entry {
    fn add(&self, record: &mut [f64], loss: f32, reconstructions: f32) {
        if record[FAILED] != 0.0 {
            return;
        }
        if reconstructions.is_finite() && loss.is_finite() {
            record[LOSSES] += f64::from(loss) * self.count as f64;
            return;
        }
        record[FAILED] = 1.0;
        record[LOSS] = if reconstructions.is_finite() { loss.into() } else { f64::NAN };
        record[PATCHES] = self.patches as f64;
        record[STEPS] = self.steps as f64;
    }
}

impl InplaceOp3 for Entry {
    fn name(&self) -> &'static str {
        "record-loss"
    }

    fn cpu_fwd(
        &self,
        record: &mut CpuStorage,
        layout: &Layout,
        loss: &CpuStorage,
        loss_layout: &Layout,
        sum: &CpuStorage,
        sum_layout: &Layout,
    ) -> Result<()> {
        let (loss, sum) = (contiguous(loss, loss_layout)?, contiguous(sum, sum_layout)?);
        match (record, layout.contiguous_offsets()) {
            (CpuStorage::F64(values), Some((from, to))) => {
                self.add(&mut values[from..to], loss[0], sum[0]);
                Ok(())
            }
            _ => bail!("expected a contiguous record in double precision"),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        record: &mut CudaStorage,
        _: &Layout,
        loss: &CudaStorage,
        loss_layout: &Layout,
        sum: &CudaStorage,
        sum_layout: &Layout,
    ) -> Result<()> {
        let scalars = [(loss, loss_layout), (sum, sum_layout)];
        crate::cuda::training::record_step(self, record, scalars)
    }
}
