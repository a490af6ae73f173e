//! The size of an image by its header.

use std::fs::metadata;
use std::path::Path;

use image::ImageReader;

use super::panics::caught;

/// Width and height of an image file; `None` if its header cannot be read, of which decoding the file will say why.
pub fn image_size(path: &Path) -> Option<(usize, usize)> {
    // Others, such as pipes, may never end.
    metadata(path).ok().filter(|metadata| metadata.is_file())?;
    let dimensions = || {
        let reader = ImageReader::open(path)?.with_guessed_format()?;
        Ok(reader.into_dimensions()?)
    };
    let (width, height) = caught(dimensions).ok()?;
    Some((width as usize, height as usize))
}
