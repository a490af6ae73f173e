//! The size of an image by its header.

use std::fs::metadata;
use std::path::Path;

use image::ImageReader;

/// Width and height of an image file; `None` if its header cannot be read, of which decoding the file will say why.
pub fn image_size(path: &Path) -> Option<(usize, usize)> {
    // Others, such as pipes, may never end.
    metadata(path).ok().filter(|metadata| metadata.is_file())?;
    let reader = ImageReader::open(path).ok()?.with_guessed_format().ok()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some((width as usize, height as usize))
}
