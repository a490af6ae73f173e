#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "cuda"), forbid(unsafe_code))]
#![cfg_attr(feature = "cuda", deny(unsafe_code))]

mod averaging;
mod disk;
mod error;
mod finite;
mod inspect;
mod inspection;
mod label;
mod largest_region;
mod opening;
mod plane;
mod reconstruct;
mod region;
mod residual;
mod run_lengths;
mod sampled;
mod samples;
mod stitch;
#[cfg(feature = "candle")]
pub mod tensor;
mod threshold;
mod tiling;
mod union_find;

pub use averaging::Averaging;
pub use disk::Disk;
pub use error::Error;
pub use inspect::{Inspected, inspect};
pub use inspection::Inspection;
pub use label::{Connectivity, label};
pub use opening::open;
pub use plane::{Image, Mask, Plane};
pub use reconstruct::{Reconstructor, reconstruct};
pub use region::{Region, Regions, regions};
pub use residual::{Residual, residual_map};
pub use sampled::{SampleScore, Sampled};
pub use threshold::{ThresholdRule, threshold, threshold_mask};
pub use tiling::{Tiling, tile_positions};
