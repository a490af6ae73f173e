//! Inspection of whole images by patch-wise reconstruction.
#![forbid(unsafe_code)]

mod disk;
mod error;
mod finite;
mod opening;
mod plane;
mod reconstruct;
mod stitch;
mod tiling;

pub use disk::Disk;
pub use error::Error;
pub use opening::open;
pub use plane::{Image, Mask, Plane};
pub use reconstruct::{Reconstructor, reconstruct};
pub use tiling::{Tiling, tile_positions};
