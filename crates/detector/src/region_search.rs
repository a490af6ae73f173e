//! Looking for the region of interest in good images.

use crate::Result;
use crate::config::DataConfig;
use crate::data::{Auto, RegionConfig, Search, crop};
use crate::error::Context;
use crate::files::shown;
use crate::spread::evenly;
use rayon::prelude::*;
use std::path::PathBuf;

/// Good images that are looked at, at most, evenly spaced.
const MOST: usize = 32;

/// Replaces the region `"auto"` of a configuration by what is found in good images: all but a background, or the whole image if they
/// have no background, which is the warning that is returned. Other regions stay as they are.
///
/// # Errors
/// If an image cannot be read.
pub fn find_region(data: &mut DataConfig, good: &[PathBuf]) -> Result<Option<String>> {
    if data.region != Some(RegionConfig::Auto(Auto::Auto)) {
        return Ok(None);
    }
    let looked_at: Vec<&PathBuf> = evenly(good, MOST).collect();
    let look = |path: &&PathBuf| {
        let mut search = Search::default();
        let image = data.read(path)?;
        let looked_at = crop(&image, data.margins).and_then(|image| search.look_at(&image));
        looked_at.with_context(|| shown(path))?;
        Ok(search)
    };
    // Added up in the order of the images, whatever the number of threads.
    let found = looked_at.par_iter().map(look).collect::<Result<Vec<_>>>()?;
    let background = found.iter().fold(Search::default(), |all, image| all.and(image)).background();
    data.region = background.map(RegionConfig::Background);
    Ok(background.is_none().then(|| {
        "data.region = \"auto\": the good images have no background that differs from the rest in brightness; whole images are inspected".to_owned()
    }))
}
