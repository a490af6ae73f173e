//! Inspection of whole images by patch-wise reconstruction.
#![forbid(unsafe_code)]

mod disk;
mod error;
mod finite;
mod label;
mod largest_region;
mod opening;
mod plane;
mod reconstruct;
mod region;
mod stitch;
mod threshold;
mod tiling;
mod union_find;

pub use disk::Disk;
pub use error::Error;
pub use label::{Connectivity, label};
pub use opening::open;
pub use plane::{Image, Mask, Plane};
pub use reconstruct::{Reconstructor, reconstruct};
pub use region::{Region, regions};
pub use threshold::{ThresholdRule, threshold, threshold_mask};
pub use tiling::{Tiling, tile_positions};
