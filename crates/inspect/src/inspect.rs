use rayon::prelude::*;

use crate::reconstruct::{Batch, for_each_batch, grid};
use crate::residual::residual_values;
use crate::samples::inspect_samples;
use crate::stitch::Stitch;
use crate::{
    Averaging, Error, Image, Inspection, Reconstructor, Residual, anomaly_map, residual_map,
};

/// An inspected image; every plane has its size.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// The averaged reconstruction.
    pub reconstruction: Image,
    /// The residual map.
    pub residual: Image,
    /// The residual map after smoothing and opening: the scores that thresholds apply to.
    pub anomaly_map: Image,
}

/// Inspects one image: reconstruction by patches, residual map, smoothing, opening.
///
/// The residual is taken of the image and its reconstruction without their padding: it depends on the image's own pixels only.
///
/// ```
/// use inspect::{Disk, Image, Inspection, Reconstructor, Residual, Tiling, inspect};
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
/// let paper = Inspection::paper(Residual::L2);
/// let tiling = Tiling { stride: 1, ..paper.tiling };
/// let inspection = Inspection { tiling, opening: Disk::with_diameter(2), ..paper };
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
/// Those of [`reconstruct`](crate::reconstruct()), [`residual_map`] and [`smooth`](crate::smooth()).
pub fn inspect(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    inspection: &Inspection,
) -> Result<Inspected, Error> {
    inspection.smoothing.validate()?;
    let (reconstruction, residual) = match (inspection.averaging, &inspection.residual) {
        (_, Residual::Sampled(sampled)) => {
            inspect_samples(image, reconstructor, inspection.tiling, inspection.averaging, sampled)?
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
    let anomaly_map = anomaly_map(&residual, &inspection.smoothing, inspection.opening)?;
    Ok(Inspected { reconstruction, residual, anomaly_map })
}

/// The averaged reconstruction and the average of the patches' residual maps.
fn average_residuals(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    inspection: &Inspection,
) -> Result<(Image, Image), Error> {
    let grid = grid(image, reconstructor, &inspection.tiling)?;
    inspection.residual.check(grid.patch(), grid.patch())?;
    let (mut reconstruction, mut residual) = (Stitch::new(&grid), Stitch::new(&grid));
    for_each_batch(image, reconstructor, &grid, inspection.tiling.batch, |batch| {
        reconstruction.add(batch.corners, batch.reconstructions);
        residual.add(batch.corners, &patch_residuals(batch, grid.patch(), &inspection.residual)?);
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
