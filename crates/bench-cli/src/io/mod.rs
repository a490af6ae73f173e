//! Image files in and out.
//!
//! Images are grey with intensities in [0, 1]; every file is written to a temporary neighbour first
//! and renamed, so that an interrupted run leaves no half-written file behind.

mod atomic;
mod caption;
mod colour;
mod decode;
mod features;
mod figure;
mod hash;
mod overlay;
mod pickle;
mod read;
mod resize;
mod shown;
mod write;

pub use atomic::{prepare_folder, remove_if_present, remove_parts, write_atomic, write_durable};
pub use colour::ScoreRange;
pub use features::{FeatureWeights, read_feature_weights};
pub use figure::{Cell, write_figure};
pub use hash::{hex, sha256};
pub use overlay::{Overlay, write_overlay_png};
pub use read::{read_image, read_mask};
pub use resize::resize;
pub use shown::shown;
pub use write::{to_grey8, write_float_tiff, write_grey_png, write_grey_tiff, write_mask_png};

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
