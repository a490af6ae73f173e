//! What all launches of kernels share.

pub(crate) mod graph;
pub(crate) mod training;

use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::driver::{CudaFunction, CudaView, LaunchConfig};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, bail};

/// Threads of a block.
pub(crate) const THREADS: usize = 256;

/// An array that a kernel does not need.
pub(crate) const NULL: u64 = 0;

/// A compiled file of `kernels`.
#[derive(Clone, Copy)]
pub(crate) enum Module {
    Convolutions,
    Layers,
    Sums,
    Training,
}

impl Module {
    /// Devices keep modules by name.
    fn name(self) -> &'static str {
        match self {
            Self::Convolutions => concat!("models-convolutions-", env!("CARGO_PKG_VERSION")),
            Self::Layers => concat!("models-layers-", env!("CARGO_PKG_VERSION")),
            Self::Sums => concat!("models-sums-", env!("CARGO_PKG_VERSION")),
            Self::Training => concat!("models-training-", env!("CARGO_PKG_VERSION")),
        }
    }

    fn ptx(self) -> &'static str {
        match self {
            Self::Convolutions => include_str!(concat!(env!("OUT_DIR"), "/convolutions.ptx")),
            Self::Layers => include_str!(concat!(env!("OUT_DIR"), "/layers.ptx")),
            Self::Sums => include_str!(concat!(env!("OUT_DIR"), "/sums.ptx")),
            Self::Training => include_str!(concat!(env!("OUT_DIR"), "/training.ptx")),
        }
    }

    /// One of its kernels.
    pub fn kernel(self, device: &CudaDevice, name: &str) -> Result<CudaFunction> {
        let function = device.get_or_load_custom_func(name, self.name(), self.ptx())?;
        Ok(function.into_cuda_function())
    }
}

/// Blocks of [`THREADS`] threads.
pub(crate) fn blocks(count: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (count, 1, 1), block_dim: (THREADS as u32, 1, 1), shared_mem_bytes: 0 }
}

/// At least so many threads.
pub(crate) fn threads(count: u32) -> LaunchConfig {
    blocks(count.div_ceil(THREADS as u32))
}

/// What kernels count with.
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
