use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::reconstruct::{Batch, for_each_batch, grid};
use crate::residual::residual_values;
use crate::sampled::inspect_samples;
use crate::stitch::Stitch;
use crate::{Disk, Error, Image, Reconstructor, Residual, Tiling, open, residual_map};

/// What is averaged where patches overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Averaging {
    /// The reconstructed pixels; the residual is taken once, of the stitched reconstruction (paper, section 4.2). Of
    /// several samples of each patch, a pixel's mean and variance are those of all samples of all patches that cover it.
    #[default]
    Reconstruction,
    /// The residual maps of the single patches (a later paper of the same group). An SSIM window then sees the
    /// border of its patch as the border of the image.
    Residual,
}

/// How an image becomes an anomaly map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inspection {
    /// How the image is cut into patches.
    pub tiling: Tiling,
    /// What is averaged where they overlap.
    pub averaging: Averaging,
    /// How the reconstruction is compared with the image.
    pub residual: Residual,
    /// The structuring element of the opening that removes small responses. The paper's has diameter 4; 0 leaves
    /// the residual map as it is.
    pub opening: Disk,
}

/// An inspected image; every plane has its size.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// The averaged reconstruction.
    pub reconstruction: Image,
    /// The residual map before the opening.
    pub residual: Image,
    /// The residual map after the opening: the scores that thresholds apply to.
    pub anomaly_map: Image,
}

/// Inspects one image: reconstruction by patches, residual map, opening.
///
/// Calibration, evaluation and prediction all go through this function, so that a pixel has the same score in each.
///
/// # Errors
/// Those of [`reconstruct`](crate::reconstruct()) and [`residual_map`].
pub fn inspect(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    inspection: &Inspection,
) -> Result<Inspected, Error> {
    let (reconstruction, residual) = match (inspection.averaging, &inspection.residual) {
        (_, Residual::Sampled(sampled)) => {
            inspect_samples(image, reconstructor, inspection, sampled)?
        }
        (Averaging::Reconstruction, _) => {
            // Before the network spends minutes on an image whose residual cannot be taken.
            inspection.residual.check(image.width(), image.height())?;
            let reconstruction = crate::reconstruct(image, reconstructor, &inspection.tiling)?;
            let residual = residual_map(image, &reconstruction, &inspection.residual)?;
            (reconstruction, residual)
        }
        (Averaging::Residual, _) => average_residuals(image, reconstructor, inspection)?,
    };
    let anomaly_map = open(&residual, inspection.opening);
    Ok(Inspected { reconstruction, residual, anomaly_map })
}

/// The averaged reconstruction and the average of the patches' residual maps.
fn average_residuals(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    inspection: &Inspection,
) -> Result<(Image, Image), Error> {
    let grid = grid(image, reconstructor, &inspection.tiling)?;
    inspection.residual.check(grid.patch, grid.patch)?;
    let (mut reconstruction, mut residual) = (Stitch::new(&grid), Stitch::new(&grid));
    for_each_batch(image, reconstructor, &grid, inspection.tiling.batch, |batch| {
        reconstruction.add(batch.corners, batch.reconstructions);
        residual.add(batch.corners, &patch_residuals(batch, grid.patch, &inspection.residual)?);
        Ok(())
    })?;
    Ok((reconstruction.average(), residual.average()))
}

/// The residual map of each patch of a batch, `(corners, patch, patch)`.
fn patch_residuals(
    batch: &Batch<'_>,
    patch: usize,
    residual: &Residual,
) -> Result<Vec<f32>, Error> {
    let patches = batch.patches.par_chunks_exact(patch * patch);
    let reconstructions = batch.reconstructions.par_chunks_exact(patch * patch);
    let maps: Vec<Vec<f32>> = patches
        .zip(reconstructions)
        .map(|(x, y)| residual_values(x, y, patch, patch, residual))
        .collect::<Result<_, _>>()?;
    Ok(maps.concat())
}
