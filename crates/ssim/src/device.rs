//! The arguments of the CUDA kernels in `kernels/`: where windows and tiles lie, and the formula in single precision.
//!
//! Nothing in here needs a device, and tests run the kernels without one.

mod arguments;
#[cfg(test)]
mod emulated;
mod tiling;

pub(crate) use arguments::Arguments;
#[cfg(feature = "cuda")]
pub(crate) use arguments::{Formula, Geometry};
use tiling::Tiling;
#[cfg(feature = "cuda")]
pub(crate) use tiling::{LANES, Tiles, WARPS};

/// The largest window that the kernels have room for.
pub(crate) const MOST: usize = 31;
