//! Chains on CUDA devices.

mod backend;
mod blas;
mod chain;
mod convolutions;
#[cfg(feature = "cudnn")]
mod cudnn;
mod device;
mod gathered;
mod launch;
mod sums;

pub(crate) use chain::{backward, forward};
