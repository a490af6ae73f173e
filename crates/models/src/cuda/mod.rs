//! Helpers of the launches of kernels.

pub(crate) mod graph;
pub(crate) mod training;

use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::driver::{CudaFunction, CudaView, LaunchConfig};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, bail};

/// Threads of a block.
const THREADS: usize = 256;

/// An array that a kernel does not need.
pub(crate) const NULL: u64 = 0;

/// Devices keep modules by name.
const MODULE: &str = concat!("models-training-", env!("CARGO_PKG_VERSION"));
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/training.ptx"));

/// A kernel of `kernels/training.cu`.
pub(crate) fn load(device: &CudaDevice, name: &str) -> Result<CudaFunction> {
    Ok(device.get_or_load_custom_func(name, MODULE, PTX)?.into_cuda_function())
}

/// Blocks of at least `count` threads in all.
pub(crate) fn threads(count: u32) -> LaunchConfig {
    let blocks = count.div_ceil(THREADS as u32);
    LaunchConfig {
        grid_dim: (blocks, 1, 1),
        block_dim: (THREADS as u32, 1, 1),
        shared_mem_bytes: 0,
    }
}

/// A number of values as kernels take it, below 2³¹.
pub(crate) fn count(values: usize) -> Result<u32> {
    match i32::try_from(values) {
        Ok(count) => Ok(count.unsigned_abs()),
        Err(_) => bail!("{values} values are too many for one launch on CUDA"),
    }
}

/// The elements of a contiguous tensor.
pub(crate) fn elements<'a, T: CudaDType>(
    storage: &'a CudaStorage,
    layout: &Layout,
) -> Result<CudaView<'a, T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<T>()?.slice(start..end)),
        None => bail!("expected a contiguous tensor on CUDA, got strides {:?}", layout.stride()),
    }
}
