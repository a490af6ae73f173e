//! The images of a training in memory.

use super::plan::TrainingPlan;
use crate::error::Context;
use crate::images::read_image;
use crate::inspector::prepare;
use crate::{Error, Result};
use models::TrainingImage;
use rayon::prelude::*;
use std::path::PathBuf;

/// Reads the images to train on, cropped and scaled.
///
/// # Errors
/// If one cannot be read or is smaller than a patch; of several errors, that of the first image.
pub fn read_images(plan: &TrainingPlan) -> Result<Vec<TrainingImage>> {
    let patch = plan.config.model.patch_size;
    let read = |path: &PathBuf| {
        let image = prepare(&read_image(path)?, &plan.config)
            .with_context(|| path.display().to_string())?;
        let (width, height) = (image.width(), image.height());
        if width < patch || height < patch {
            let expected = format!("expected at least the patch size {patch}x{patch}");
            let message = format!("{width}x{height} pixels to train on, {expected}");
            return Err(Error::file(path, message));
        }
        Ok(TrainingImage { width, height, pixels: image.into_data() })
    };
    // All are read before the first error is looked for, so that it is the same one in each run.
    plan.split.train.par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}
