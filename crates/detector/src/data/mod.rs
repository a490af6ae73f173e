//! Data sets on disk: which images are good, which are defective, and where their masks lie.

mod dataset;
mod fingerprint;
mod layout;
mod list;
mod margins;
mod pattern;
mod split;

pub use dataset::{Dataset, TestSample};
pub use fingerprint::fingerprint;
pub use layout::Layout;
pub use list::{has_image_name, images_in, list_images};
pub use margins::{Margins, crop, uncrop};
pub use split::Split;

#[cfg(test)]
mod tests;
