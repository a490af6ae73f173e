//! Launches of kernels.

use candle_core::cuda_backend::cudarc::driver::{CudaFunction, LaunchConfig};
use candle_core::{CudaDevice, Result, bail};

/// Threads of a block.
pub const THREADS: u32 = 256;

/// An array that a kernel does not need.
pub const NULL: u64 = 0;

/// A compiled file of `kernels`.
#[derive(Clone, Copy)]
pub enum Module {
    Convolutions,
    Layers,
    Sums,
}

impl Module {
    /// Devices keep modules by name.
    fn name(self) -> &'static str {
        match self {
            Self::Convolutions => concat!("convolutions-", env!("CARGO_PKG_VERSION")),
            Self::Layers => concat!("convolutions-layers-", env!("CARGO_PKG_VERSION")),
            Self::Sums => concat!("convolutions-sums-", env!("CARGO_PKG_VERSION")),
        }
    }

    fn ptx(self) -> &'static str {
        match self {
            Self::Convolutions => include_str!(concat!(env!("OUT_DIR"), "/convolutions.ptx")),
            Self::Layers => include_str!(concat!(env!("OUT_DIR"), "/layers.ptx")),
            Self::Sums => include_str!(concat!(env!("OUT_DIR"), "/sums.ptx")),
        }
    }

    /// One of its kernels.
    pub fn kernel(self, device: &CudaDevice, name: &str) -> Result<CudaFunction> {
        let function = device.get_or_load_custom_func(name, self.name(), self.ptx())?;
        Ok(function.into_cuda_function())
    }
}

/// Blocks of [`THREADS`] threads.
pub fn blocks(count: u32) -> LaunchConfig {
    LaunchConfig { grid_dim: (count, 1, 1), block_dim: (THREADS, 1, 1), shared_mem_bytes: 0 }
}

/// At least `count` threads.
pub fn threads(count: u32) -> LaunchConfig {
    blocks(count.div_ceil(THREADS))
}

/// A number of values, as kernels count them.
pub fn count(values: usize) -> Result<u32> {
    match i32::try_from(values) {
        Ok(count) => Ok(count.unsigned_abs()),
        Err(_) => bail!("{values} values are too many for one launch on CUDA"),
    }
}
