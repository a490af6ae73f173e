//! Whether a trained network reconstructs good images at all.

use super::plan::TrainingPlan;
use crate::inspector::Inspector;
use crate::records::ReconstructionRecord;
use crate::spread::evenly;
use crate::view::Views;
use crate::{Config, Method, Result};
use inspect::{Image, Residual, residual_map};
use ssim::Border;

/// The most images that are reconstructed.
const MOST_IMAGES: usize = 8;

/// Constants from 0 to 1 are tried in this number of steps. One between two of them is better by a few thousandths at most.
const LEVELS: usize = 32;

/// Compares the reconstructions of good images, held out from the training if there are such, with the best constant.
///
/// `None` if the images cannot be read or reconstructed: that is the calibration's to say.
pub fn reconstruction(plan: &TrainingPlan, inspector: &Inspector) -> Option<ReconstructionRecord> {
    let residual = residual(&plan.config);
    let images = read(plan).ok().filter(|images| !images.is_empty())?;
    let losses = images.iter().map(|image| {
        let reconstruction = inspector.compare(image)?.inspected.reconstruction;
        mean_residual(image, &reconstruction, &residual)
    });
    let loss = mean(losses).ok()?;
    let constants = (0..=LEVELS).map(|level| level as f32 / LEVELS as f32).map(|level| {
        let constant = |image: &Image| Image::filled(image.width(), image.height(), level);
        mean(images.iter().map(|image| mean_residual(image, &constant(image), &residual)))
    });
    let constants = constants.collect::<Result<Vec<_>>>().ok()?;
    let constant_loss = constants.into_iter().fold(f64::INFINITY, f64::min);
    Some(ReconstructionRecord { loss, constant_loss, images: images.len() })
}

/// The loss of the method as a map: of a variational autoencoder and of matched features, the part of the pixels.
fn residual(config: &Config) -> Residual {
    match config.method {
        Method::Ssim => Residual::Ssim(config.ssim.params(Border::Reflect)),
        Method::L2 | Method::Vae | Method::FeatureMatching => Residual::L2,
    }
}

/// Some good images, evenly spaced, as the network sees them.
fn read(plan: &TrainingPlan) -> Result<Vec<Image>> {
    let chosen = evenly(plan.split.held_out_or_train(), MOST_IMAGES);
    let views = Views::of(&plan.config.data)?;
    // An image without a region of interest is left out as it is of the calibration.
    let with_region = chosen
        .map(|path| views.read(path))
        .filter(|view| !matches!(view, Err(error) if error.is_empty_region()));
    with_region.map(|view| Ok(view?.image.into_owned())).collect()
}

fn mean_residual(image: &Image, reconstruction: &Image, residual: &Residual) -> Result<f64> {
    let map = residual_map(image, reconstruction, residual)?;
    mean(map.data().iter().map(|&value| Ok(f64::from(value))))
}

fn mean(values: impl Iterator<Item = Result<f64>>) -> Result<f64> {
    let values = values.collect::<Result<Vec<_>>>()?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}
