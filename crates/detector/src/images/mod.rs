//! Image files in and out.
//!
//! Images are grey with intensities in [0, 1]. Files are written completely or not at all.

mod bmp;
mod bmp_header;
mod bmp_runs;
mod channel;
mod decode;
mod header;
mod jpeg;
mod limits;
mod mask;
mod palette;
mod panics;
mod pixels;
mod png;
mod png_chunks;
mod read;
mod refusal;
mod resize;
mod tiff;
mod write;

pub use channel::Channel;
pub use header::image_size;
pub(crate) use header::{Header, image_header};
#[cfg(feature = "network")]
pub(crate) use limits::{MAX_PIXELS, MAX_SIDE};
pub use mask::read_mask;
pub use pixels::{Conversion, Levels};
#[cfg(feature = "network")]
pub(crate) use read::read_image_and_hash;
pub use read::{decode_image, read_image, read_image_with};
pub use resize::resize;
pub use write::{
    to_byte, to_grey8, write_float_tiff, write_grey_png, write_grey_tiff, write_half_tiff,
    write_mask_png, write_rgb_png,
};

#[cfg(test)]
mod tests;
