//! Inspection of whole images by patch-wise reconstruction.
#![forbid(unsafe_code)]

mod error;
mod finite;
mod plane;
mod reconstruct;
mod stitch;
mod tiling;

pub use error::Error;
pub use plane::{Image, Mask, Plane};
pub use reconstruct::{Reconstructor, reconstruct};
pub use tiling::{Tiling, tile_positions};
