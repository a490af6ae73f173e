//! Inspection of whole images by patch-wise reconstruction.

mod error;
mod plane;

pub use error::Error;
pub use plane::{Image, Mask, Plane};
