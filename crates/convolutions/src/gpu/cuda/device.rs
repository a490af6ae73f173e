//! A CUDA device, its arrays, and the arguments of kernels.
#![expect(unsafe_code, reason = "memory that kernels write is not initialised")]

use crate::gpu::array::{ArrayView, ArrayViewMut};
use crate::gpu::backend::Epilogue;
use crate::gpu::cuda::launch::NULL;
use crate::precision::Precision;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaView, CudaViewMut, DevicePtr, DeviceRepr,
};
use candle_core::{CudaDevice, Result, bail};

/// A device, and the precision of its products.
pub struct Cuda {
    pub device: CudaDevice,
    pub precision: Precision,
}

pub type Array = CudaSlice<f32>;

/// An epilogue as in `kernels/epilogue.cuh`: a null pointer stands for each array that there is not.
#[repr(C)]
pub struct EpilogueArguments {
    bias: u64,
    outputs: u64,
    slope: f32,
}

// SAFETY: `repr(C)` with the fields of `Epilogue` in `kernels/epilogue.cuh`.
unsafe impl DeviceRepr for EpilogueArguments {}

impl Cuda {
    /// An uninitialised array.
    pub fn array(&self, len: usize) -> Result<Array> {
        // SAFETY: whoever allocates writes all elements, and nothing reads them before: tests let them begin as NaN.
        unsafe { self.device.alloc(len) }
    }

    /// The arguments of an epilogue for `values` values of `channels` channels.
    pub fn epilogue(
        &self,
        epilogue: Epilogue<'_, Array>,
        channels: usize,
        values: usize,
    ) -> Result<EpilogueArguments> {
        let Epilogue { bias, outputs, slope } = epilogue;
        expect("bias", bias.is_none_or(|bias| bias.len == channels))?;
        expect("outputs", outputs.is_none_or(|outputs| outputs.len == values))?;
        let stream = self.device.cuda_stream();
        // All work of a device is done in one order: that the pointer is used needs no other trace.
        let pointer = |part| view(part).device_ptr(&stream).0;
        Ok(EpilogueArguments {
            bias: bias.map_or(NULL, pointer),
            outputs: outputs.map_or(NULL, pointer),
            slope,
        })
    }
}

/// Refuses to launch what would lead out of an array.
pub fn expect(what: &str, condition: bool) -> Result<()> {
    match condition {
        true => Ok(()),
        false => bail!("{what} on CUDA: arrays of other lengths than the maps"),
    }
}

pub fn view(part: ArrayView<'_, Array>) -> CudaView<'_, f32> {
    part.array.slice(part.range())
}

pub fn view_mut<'a>(part: &'a mut ArrayViewMut<'_, Array>) -> CudaViewMut<'a, f32> {
    part.array.slice_mut(part.start..part.start + part.len)
}
