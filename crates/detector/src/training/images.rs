//! The images of a training in memory.

use super::plan::TrainingPlan;
use crate::error::{Context, bail};
use crate::files::shown;
use crate::images::read_image;
use crate::inspector::prepare;
use crate::{Error, Margins, Result};
use inspect::{Image, ThresholdRule};
use models::TrainingImage;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Reads the images to train on, cropped and scaled.
///
/// # Errors
/// If one cannot be read or is smaller than a patch; of several errors, that of the first image. If all are smaller than the region that
/// the rule for the threshold allows.
pub fn read_images(plan: &TrainingPlan) -> Result<Vec<TrainingImage>> {
    let patch = plan.config.model.patch_size;
    let largest = AtomicUsize::new(0);
    let read = |path: &PathBuf| {
        let image = read_image(path)?;
        largest.fetch_max(pixels_inside(&image, plan.config.data.margins), Ordering::Relaxed);
        let image = prepare(&image, &plan.config).with_context(|| shown(path))?;
        let (width, height) = (image.width(), image.height());
        if width < patch || height < patch {
            let expected = format!("expected at least the patch size {patch}x{patch}");
            let message = format!("{width}x{height} pixels to train on, {expected}");
            return Err(Error::file(path, message));
        }
        Ok(TrainingImage { width, height, pixels: image.into_data() })
    };
    // All are read before the first error is looked for, so that it is the same one in each run.
    let images = plan.split.train.par_iter().map(read).collect::<Vec<_>>().into_iter().collect();
    expect_possible(plan.config.calibration.threshold, largest.into_inner())?;
    images
}

fn pixels_inside(image: &Image, margins: Margins) -> usize {
    let Margins { left, top, right, bottom } = margins;
    let (width, height) = image.size();
    width.saturating_sub(left + right) * height.saturating_sub(top + bottom)
}

/// Refuses a rule for the threshold that images cannot follow: after the training would be too late.
fn expect_possible(rule: ThresholdRule, largest: usize) -> Result<()> {
    match rule {
        ThresholdRule::LargestRegion { max_area } if max_area >= largest => bail!(
            "calibration.threshold: expected a max_area below the {largest} pixels of the largest image inside its margins, got {max_area}: any threshold \
             would do"
        ),
        _ => Ok(()),
    }
}
