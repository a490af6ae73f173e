use candle_core::{
    CudaDevice, CudaStorage, DType, Error as CandleError, Layout, Result,
    backend::BackendStorage,
    cuda_backend::cudarc::driver::{CudaSlice, CudaView},
};

use crate::{Input, Params, device::Arguments};

const OP: &str = "ssim on CUDA";

/// A tensor's elements and where they lie.
pub(super) type Stored<'a> = (&'a CudaStorage, &'a Layout);

/// Two batches of planes on a device, and the arguments that describe them to the kernels.
pub(super) struct Batch<'a> {
    pub(super) device: &'a CudaDevice,
    pub(super) x: CudaView<'a, f32>,
    pub(super) y: CudaView<'a, f32>,
    pub(super) arguments: Arguments,
}

impl<'a> Batch<'a> {
    pub(super) fn new(params: &Params, x: Stored<'a>, y: Stored<'a>) -> Result<Self> {
        let (images, channels, height, width) = x.1.shape().dims4()?;
        let shape = [images, channels, height, width];
        let arguments = Arguments::new(params, shape).map_err(CandleError::wrap)?;
        Ok(Self { device: x.0.device(), x: contiguous(x)?, y: contiguous(y)?, arguments })
    }

    /// The same pair so that the image in question is the first: the kernels know no other gradient.
    pub(super) fn with_respect_to(self, wrt: Input) -> Self {
        match wrt {
            Input::First => self,
            Input::Second => Self { x: self.y, y: self.x, ..self },
        }
    }

    pub(super) fn wrap(&self, values: CudaSlice<f32>) -> CudaStorage {
        CudaStorage::wrap_cuda_slice(values, self.device.clone())
    }
}

/// The elements of a contiguous tensor of single precision.
pub(super) fn contiguous<'a>((storage, layout): Stored<'a>) -> Result<CudaView<'a, f32>> {
    if storage.dtype() != DType::F32 {
        return Err(CandleError::UnsupportedDTypeForOp(storage.dtype(), OP).bt());
    }
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| CandleError::RequiresContiguous { op: OP }.bt())?;
    Ok(storage.as_cuda_slice::<f32>()?.slice(start..end))
}
