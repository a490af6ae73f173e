//! The size of an image by its header, and whether it is stored as it is to be shown.

use std::path::Path;

use super::decode::{Format, format};
use super::limits::{MAX_FILE, Size};
use super::panics::caught;
use super::read::read_start;
use super::{bmp, jpeg, png, tiff};

/// Bytes in which most files have their headers.
const START: u64 = 1 << 17;

/// The header of an image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Width and height of the picture that is read, in pixels.
    pub size: Size,
    /// Whether an orientation tag says to turn or mirror it before it is shown.
    pub is_turned: bool,
    /// Whether a sample beside the colours is left out that the file does not call alpha.
    pub has_more: bool,
}

/// Width and height of an image by its file's header, in pixels; `None` if that cannot be read, of which decoding the file will say why.
pub fn image_size(path: &Path) -> Option<(usize, usize)> {
    image_header(path).map(|header| header.size)
}

/// The header of an image file; `None` if it cannot be read, of which decoding the file will say why.
pub fn image_header(path: &Path) -> Option<Header> {
    [START, MAX_FILE].into_iter().find_map(|most| {
        let bytes = read_start(path, most).ok()?;
        caught(|| Ok(header(&bytes))).ok()?
    })
}

fn header(bytes: &[u8]) -> Option<Header> {
    let (size, orientation, has_more) = match format(bytes).ok()? {
        Format::Tiff => tiff::header(bytes).ok()?,
        Format::Bmp => (bmp::size(bytes).ok()?, None, false),
        Format::Png => with_exif(png::header(bytes)?),
        Format::Jpeg => with_exif(jpeg::header(bytes)?),
    };
    // 1 is a picture whose first row is the top one and whose first column is the left one.
    Some(Header { size, is_turned: matches!(orientation, Some(2..=8)), has_more })
}

/// The orientation in place of the Exif block that holds it.
fn with_exif((size, exif): (Size, Option<&[u8]>)) -> (Size, Option<u32>, bool) {
    (size, exif.and_then(tiff::exif_orientation), false)
}
