use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::reconstruct::{Batch, for_each_batch, grid};
use crate::residual::residual_values;
use crate::sampled::inspect_samples;
use crate::stitch::Stitch;
use crate::{Disk, Error, Image, Reconstructor, Residual, Tiling, open, residual_map};

/// What is averaged where patches overlap.
///
/// ```
/// use inspect::{Averaging, Disk, Image, Inspection, Residual, Tiling, inspect};
///
/// /// Knows nothing but the mean of each patch.
/// struct PatchMean;
/// # impl inspect::Reconstructor for PatchMean {
/// #     fn patch_size(&self) -> usize {
/// #         2
/// #     }
/// #     fn reconstruct(
/// #         &self,
/// #         patches: &[f32],
/// #     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
/// #         let mean = |patch: &[f32]| [patch.iter().sum::<f32>() / 4.0; 4];
/// #         Ok(patches.chunks_exact(4).flat_map(mean).collect())
/// #     }
/// # }
///
/// // The means of the two patches are 0 and 1/2, and both hold the second column.
/// let image = Image::new(3, 2, vec![0.0, 0.0, 1.0,
///                                   0.0, 0.0, 1.0])?;
/// let residual = |averaging| {
///     let (tiling, opening) = (Tiling { stride: 1, batch: 8 }, Disk::with_diameter(0));
///     let inspection = Inspection { tiling, averaging, residual: Residual::L2, opening };
///     inspect(&image, &PatchMean, &inspection).map(|maps| maps.residual.get(1, 0))
/// };
/// assert_eq!(residual(Averaging::Reconstruction)?, 0.25 * 0.25);
/// assert_eq!(residual(Averaging::Residual)?, (0.0 + 0.5 * 0.5) / 2.0);
/// # Ok::<(), inspect::Error>(())
/// ```
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
///
/// ```
/// use inspect::{Averaging, Disk, Inspection, Residual, Tiling};
///
/// // As in section 4.2 of the paper, for the ℓ2-AE.
/// let paper = Inspection {
///     tiling: Tiling { stride: 30, batch: 64 },
///     averaging: Averaging::Reconstruction,
///     residual: Residual::L2,
///     opening: Disk::with_diameter(4),
/// };
/// let without_opening = Inspection { opening: Disk::with_diameter(0), ..paper };
/// assert_ne!(paper, without_opening);
/// ```
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
/// ```
/// use inspect::{Averaging, Disk, Image, Inspection, Reconstructor, Residual, Tiling, inspect};
///
/// /// Has only ever seen black.
/// struct Black;
///
/// impl Reconstructor for Black {
///     fn patch_size(&self) -> usize {
///         2
///     }
///
///     fn reconstruct(
///         &self,
///         patches: &[f32],
///     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
///         Ok(vec![0.0; patches.len()])
///     }
/// }
///
/// let inspection = Inspection {
///     tiling: Tiling { stride: 1, batch: 8 },
///     averaging: Averaging::Reconstruction,
///     residual: Residual::L2,
///     opening: Disk::with_diameter(2),
/// };
/// // The opening leaves the defect of 2×2 pixels and removes the single pixel.
/// let image = Image::new(5, 2, vec![1.0, 1.0, 0.0, 0.0, 1.0,
///                                   1.0, 1.0, 0.0, 0.0, 0.0])?;
/// let maps = inspect(&image, &Black, &inspection)?;
/// assert_eq!(maps.residual.row(0), [1.0, 1.0, 0.0, 0.0, 1.0]);
/// assert_eq!(maps.anomaly_map.row(0), [1.0, 1.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), inspect::Error>(())
/// ```
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
