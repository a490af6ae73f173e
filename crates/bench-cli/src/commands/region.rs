//! The picture of the region of interest in a model's folder.

use super::Context;
use crate::drawing::write_regions_png;
use anyhow::{Context as _, Result};
use detector::files::{remove_if_present, shown};
use detector::{DataConfig, Image, Mask, ModelFolder, Views};
use std::path::{Path, PathBuf};

/// Images whose region of interest is drawn.
const DRAWN: usize = 4;

/// Draws the region of interest of some images, evenly spaced, into a model's folder; where there is no region, an earlier picture is
/// removed.
///
/// # Errors
/// If an image cannot be read, or the picture cannot be written.
pub fn draw_region(
    context: &Context,
    folder: &ModelFolder,
    data: &DataConfig,
    images: &[PathBuf],
) -> Result<()> {
    let picture = folder.region_picture();
    if data.region.is_none() {
        return Ok(remove_if_present(&picture)?);
    }
    let (views, count) = (Views::of(data)?, images.len().min(DRAWN));
    let drawn =
        (0..count).map(|index| with_region(data, &views, &images[index * images.len() / count]));
    write_regions_png(&picture, &drawn.collect::<Result<Vec<_>>>()?)?;
    context.terminal.note(&format!("{} shows the region of interest", shown(&picture)));
    Ok(())
}

/// An image, and its pixels inside of the region.
fn with_region(data: &DataConfig, views: &Views, path: &Path) -> Result<(Image, Mask)> {
    let image = data.read(path)?;
    let inside = match views.view(&image, Some(path)) {
        Err(error) if error.is_empty_region() => Mask::filled(image.width(), image.height(), false),
        view => view.with_context(|| shown(path))?.inside(),
    };
    Ok((image, inside))
}
