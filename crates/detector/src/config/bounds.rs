//! Bounds of settings: a wrong number must not exhaust the memory, or overflow.

use super::file::Config;
use crate::error::{Context, ensure};
use crate::images::{MAX_PIXELS, MAX_SIDE};
use crate::{Margins, Result};
use inspect::Residual;

/// The largest batch: of the paper's patches, each layer of 4096 takes 2 GB.
const MOST_PATCHES: usize = 1 << 12;

/// The most samples of a patch.
const MOST_SAMPLES: usize = 1 << 10;

/// The most residual maps, and Gaussians of each.
const MOST_MAPS: usize = 16;

/// The widest Gaussian and disk in pixels.
const WIDEST: usize = 1 << 10;

/// Refuses settings that would take more memory than any use of them needs.
///
/// # Errors
/// If one is; the error names it.
pub fn check_bounds(config: &Config) -> Result<()> {
    let Config { data, vae, training, inspection, residual, calibration, .. } = config;
    let Margins { left, top, right, bottom } = data.margins;
    let side = MAX_SIDE;
    for (name, value, most) in [
        ("data.margins.left", left, side),
        ("data.margins.top", top, side),
        ("data.margins.right", right, side),
        ("data.margins.bottom", bottom, side),
        ("vae.samples", vae.samples, MOST_SAMPLES),
        ("training.batch_size", training.batch_size, MOST_PATCHES),
        ("residual.constants", residual.constants.len(), MOST_MAPS),
        ("inspection.batch_size", inspection.batch_size, MOST_PATCHES),
        ("inspection.smoothing", inspection.smoothing.len(), MOST_MAPS),
        ("inspection.opening_diameter", inspection.opening_diameter, WIDEST),
        ("calibration.min_area", calibration.min_area, MAX_PIXELS as usize),
    ] {
        ensure!(value <= most, "{name} must be at most {most}, got {value}");
    }
    if let Some([width, height]) = data.size {
        let pixels = width.checked_mul(height).is_some_and(|pixels| pixels as u64 <= MAX_PIXELS);
        ensure!(
            width.min(height) > 0 && width.max(height) <= side && pixels,
            "data.size must be 1 to {MAX_SIDE} pixels wide and high, {MAX_PIXELS} in all, got {width}x{height}"
        );
    }
    for residual in config.residuals()? {
        if let Residual::Ssim(params) = residual {
            // Of the largest image: which window fits the others is theirs to say.
            params.map_size(side, side).context("residual")?;
        }
    }
    config.calibration.threshold.validate().context("calibration.threshold")
}
