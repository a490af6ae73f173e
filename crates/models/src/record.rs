//! The losses of training steps, added up where they are computed.
//!
//! To read a loss from a GPU takes waiting for it: the device could not begin the next step meanwhile. So losses are added up there,
//! and what is not finite is kept there for the optimiser, which then leaves the weights as they were, until somebody asks. How far the
//! run is lies there, too, and what follows from it for the next step.

use crate::adam::Pace;
use candle_core::{CpuStorage, Device, InplaceOp3, Layout, Result, Tensor, bail};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, cuda_backend::cudarc::driver::CudaSlice};
use convolutions::contiguous;

/// Where in a record what lies; as in `kernels/training.cu`.
const LOSSES: usize = 0;
const FAILED: usize = 1;
const LOSS: usize = 2;
const PATCHES: usize = 3;
const STEPS: usize = 4;
const STEP_SIZE: usize = 5;
const CORRECTION: usize = 6;
const LENGTH: usize = 8;

/// What a run knows of its steps, on the device of the weights.
#[derive(Clone, Debug)]
pub(crate) struct Record(Tensor);

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Standing {
    /// The sum of the losses of an epoch's patches.
    pub losses: f64,
    /// Patches seen.
    pub patches: u64,
    /// Steps of the optimiser.
    pub steps: u64,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    /// How far the run is; before the step that has failed, if one has.
    pub standing: Standing,
    /// The loss of the first step whose reconstructions or loss were not finite; NaN if it was the reconstructions.
    pub failure: Option<f32>,
}

/// A step that is to be recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Patches of the batch.
    pub count: usize,
    /// How the optimiser is to step.
    pub pace: Pace,
}

impl Record {
    pub fn new(device: &Device) -> Result<Self> {
        Ok(Self(Tensor::from_vec(vec![0f64; LENGTH], LENGTH, device)?))
    }

    /// Adds the loss of a batch, a scalar, unless it or one of the batch's reconstructions is not finite, or an earlier step has failed.
    pub fn add(&self, entry: Entry, loss: &Tensor, reconstructions: &Tensor) -> Result<()> {
        self.0.inplace_op3(&loss.detach(), &reconstructions.detach(), &entry)
    }

    /// Waits for the device.
    pub fn read(&self) -> Result<Reading> {
        let values = self.values()?;
        let (patches, steps) = (values[PATCHES] as u64, values[STEPS] as u64);
        Ok(Reading {
            standing: Standing { losses: values[LOSSES], patches, steps },
            failure: (values[FAILED] != 0.0).then(|| values[LOSS] as f32),
        })
    }

    pub fn values(&self) -> Result<Vec<f64>> {
        self.0.to_vec1()
    }

    /// Begins anew.
    pub fn begin(&self, standing: Standing) -> Result<()> {
        let mut values = [0.0; LENGTH];
        values[LOSSES] = standing.losses;
        values[PATCHES] = standing.patches as f64;
        values[STEPS] = standing.steps as f64;
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

impl Entry {
    fn add(&self, record: &mut [f64], loss: f32, reconstructions: &[f32]) {
        if record[FAILED] != 0.0 {
            return;
        }
        let are_finite = reconstructions.iter().all(|value| value.is_finite());
        if !(are_finite && loss.is_finite()) {
            record[FAILED] = 1.0;
            record[LOSS] = if are_finite { loss.into() } else { f64::NAN };
            return;
        }
        record[LOSSES] += f64::from(loss) * self.count as f64;
        record[PATCHES] += self.count as f64;
        record[STEPS] += 1.0;
        [record[STEP_SIZE], record[CORRECTION]] = self.pace.at(record[STEPS]);
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
        reconstructions: &CpuStorage,
        reconstructions_layout: &Layout,
    ) -> Result<()> {
        let loss = contiguous(loss, loss_layout)?;
        let reconstructions = contiguous(reconstructions, reconstructions_layout)?;
        match (record, layout.contiguous_offsets()) {
            (CpuStorage::F64(values), Some((from, to))) => {
                self.add(&mut values[from..to], loss[0], reconstructions);
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
        reconstructions: &CudaStorage,
        reconstructions_layout: &Layout,
    ) -> Result<()> {
        let (loss, reconstructions) =
            ((loss, loss_layout), (reconstructions, reconstructions_layout));
        crate::cuda::training::record_step(self, record, loss, reconstructions)
    }
}
