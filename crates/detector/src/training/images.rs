//! The images of a training in memory.

use super::plan::TrainingPlan;
use crate::config::BeyondBorder;
use crate::data::names;
use crate::error::bail;
use crate::files::shown;
use crate::view::{View, Views};
use crate::{Error, Result};
use inspect::{Image, Mask, ThresholdRule, mirror_to};
use models::{CropPlaces, TrainingImage};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The images to train on, and what there is to say of them.
pub struct TrainingImages {
    pub images: Vec<TrainingImage>,
    /// Sentences about images that may not be what they should.
    pub warnings: Vec<String>,
}

/// An image that was read.
pub(super) struct Read {
    /// `None` if no patch of it lies in the region of interest.
    pub image: Option<TrainingImage>,
    /// Its oddity, if it has one.
    oddity: Option<Oddity>,
}

#[derive(Clone, Copy, PartialEq)]
enum Oddity {
    Constant,
    BlackAndWhite,
}

/// The part of [0, 1] that an image has to use for its contrast not to vanish beside the constants of the SSIM.
const LEAST_SPAN: f32 = 0.125;

/// A warning if no image uses more than an eighth of the intensities, as when 12 bits are left in 16-bit files.
fn dim_images(images: &[TrainingImage]) -> Option<String> {
    let range = |image: &TrainingImage| {
        let pixels = image.pixels.iter().copied();
        (pixels.clone().fold(1.0, f32::min), pixels.fold(0.0, f32::max))
    };
    let ranges: Vec<(f32, f32)> = images.iter().map(range).collect();
    let is_dim = ranges.iter().all(|(low, high)| high - low <= LEAST_SPAN && low < high);
    let low = ranges.iter().fold(1.0, |least: f32, (low, _)| least.min(*low));
    let high = ranges.iter().fold(0.0, |most: f32, (_, high)| most.max(*high));
    is_dim.then(|| {
        format!(
            "no training image uses more than an eighth of the intensities (they lie in [{low:.4}, {high:.4}] of [0, 1]), of which SSIM sees \
             little: set data.bits if the camera leaves bits unused, such as 12 in 16-bit files, or data.range"
        )
    })
}

/// Reads the images to train on: their regions of interest, scaled, and mirrored up to a patch if they are smaller.
///
/// # Errors
/// If one of them, or of those that are held out, cannot be read, or no patch lies in the region of interest of any; of several errors,
/// that of the first image.
pub fn read_images(plan: &TrainingPlan) -> Result<TrainingImages> {
    let (views, paths) = (Views::of(&plan.config.data)?, &plan.split.train);
    // All are read before the first error is looked for, so that it is the same one in each run.
    let read = paths.par_iter().map(|path| read(plan, &views, path)).collect::<Vec<_>>();
    let read = read.into_iter().collect::<Result<Vec<_>>>()?;
    // Those of the calibration, too: after the training would be too late.
    let check = |path: &PathBuf| match views.read(path) {
        Err(error) if !error.is_empty_region() => Err(error),
        _ => Ok(()),
    };
    let checked = plan.split.held_out.par_iter().map(check).collect::<Vec<_>>();
    checked.into_iter().collect::<Result<()>>()?;
    let which = |is_chosen: &dyn Fn(&Read) -> bool| {
        let chosen = paths.iter().zip(&read).filter(|(_, read)| is_chosen(read));
        chosen.map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    let share = plan.config.data.region_share;
    let outside =
        format!("no patch of which {share} lies in the region of interest (data.region_share)");
    let said = [
        (which(&|read| read.image.is_none()), format!("left out: {outside}")),
        (
            which(&|read| read.oddity == Some(Oddity::Constant)),
            "a single grey value, and trained on".to_owned(),
        ),
        (
            which(&|read| read.oddity == Some(Oddity::BlackAndWhite)),
            "black and white only, as masks are, and trained on".to_owned(),
        ),
    ];
    let warnings = said.into_iter().filter(|(images, _)| !images.is_empty());
    let warnings = warnings.map(|(images, what)| format!("{}: {what}", names(&images)));
    let mut warnings: Vec<String> = warnings.collect();
    let images: Vec<_> = read.into_iter().filter_map(|read| read.image).collect();
    if let (true, Some(path)) = (images.is_empty(), paths.first()) {
        bail!("{}: {outside}, nor of any other image", shown(path));
    }
    warnings.extend(dim_images(&images));
    // Of scaled images nobody knows here how large they were.
    if plan.config.data.size.is_none() {
        let largest = images.iter().map(|image| image.width * image.height).max().unwrap_or(0);
        expect_possible(plan.config.calibration.threshold, largest)?;
    }
    Ok(TrainingImages { images, warnings })
}

/// Refuses a rule for the threshold that images cannot follow: after the training would be too late.
fn expect_possible(rule: ThresholdRule, largest: usize) -> Result<()> {
    match rule {
        ThresholdRule::LargestRegion { max_area } if max_area >= largest => bail!(
            "calibration.threshold: expected a max_area below the {largest} pixels of the largest image, got {max_area}: any \
             threshold would do"
        ),
        _ => Ok(()),
    }
}

/// Reads an image as the training takes it.
///
/// # Errors
/// If it cannot be read, or is smaller than a patch and may not be mirrored.
pub(super) fn read(plan: &TrainingPlan, views: &Views, path: &Path) -> Result<Read> {
    let View { image, place } = match views.read(path) {
        Err(error) if error.is_empty_region() => return Ok(Read { image: None, oddity: None }),
        view => view?,
    };
    let oddity = oddity(&image);
    let patch = plan.config.model.patch_size;
    let (width, height) = image.size();
    if plan.config.inspection.border == BeyondBorder::None && width.min(height) < patch {
        let expected = format!(
            "expected at least {patch}x{patch} pixels, a patch, in the region of interest with inspection.border = \"none\", got {width}x{height}"
        );
        return Err(Error::file(path, expected));
    }
    let (width, height) = (image.width().max(patch), image.height().max(patch));
    let mirrored = (width, height) != image.size();
    let image = if mirrored { mirror_to(&image, width, height) } else { image.into_owned() };
    let inside = place.region.as_ref().map(|region| match mirrored {
        true => mirror_to(region.inside(), width, height),
        false => Mask::clone(region.inside()),
    });
    let within = |inside: &Mask| {
        CropPlaces::within((width, height), inside.data(), patch, plan.config.data.region_share)
    };
    let places = inside.as_ref().map(within);
    let is_outside = places == Some(None);
    let image =
        TrainingImage { width, height, pixels: image.into_data(), places: places.flatten() };
    Ok(Read { image: (!is_outside).then_some(image), oddity })
}

/// An oddity of an image of a surface.
fn oddity(image: &Image) -> Option<Oddity> {
    let first = *image.data().first()?;
    let Some(&other) = image.data().iter().find(|&&value| value != first) else {
        return Some(Oddity::Constant);
    };
    let is_extreme = |value: f32| value <= 0.02 || value >= 0.98;
    let has_two = || image.data().iter().all(|&value| value == first || value == other);
    (is_extreme(first) && is_extreme(other) && has_two()).then_some(Oddity::BlackAndWhite)
}
