//! Image files in and out.
//!
//! Images are grey with intensities in [0, 1]. Files are written completely or not at all.

mod decode;
mod read;
mod resize;
mod size;
mod write;

#[cfg(feature = "network")]
pub(crate) use decode::{MAX_PIXELS, MAX_SIDE};
pub use read::{decode_image, read_image, read_mask};
pub use resize::resize;
pub use size::image_size;
pub use write::{
    to_byte, to_grey8, write_float_tiff, write_grey_png, write_grey_tiff, write_mask_png,
    write_rgb_png,
};

#[cfg(test)]
mod tests;
