//! Several reconstructions of each patch.

use candle_core::{DType, Tensor};

use super::residual::scores;
use super::stitch::Stitch;
use super::tiles::Tiles;
use super::{TensorReconstructor, check_shape};
use crate::{Averaging, Error, Sampled};

/// The averaged reconstruction, of all samples and patches, and the residual map, both `(H, W)`.
pub(super) fn inspect_samples(
    tiles: &Tiles<'_>,
    reconstructor: &dyn TensorReconstructor,
    averaging: Averaging,
    sampled: &Sampled,
) -> Result<[Tensor; 2], Error> {
    sampled.validate()?;
    let Sampled { samples, score } = *sampled;
    // Of the differences from the image: their means, and the means of their squares or else the scores.
    let (mut means, mut second) = (Stitch::new(tiles)?, Stitch::new(tiles)?);
    tiles.for_each_batch(|range, patches| {
        let corners = tiles.corners(range.clone());
        let decodes = reconstructor.sample(patches, &corners, samples);
        let decodes = decodes.map_err(Error::Reconstructor)?;
        check_shape(&decodes, &[range.len(), samples, tiles.patch(), tiles.patch()])?;
        let (mean, mean_square) = moments(patches, &decodes)?;
        match averaging {
            Averaging::Reconstruction => second.add(range.clone(), &mean_square)?,
            Averaging::Residual => {
                // Rounded as where each patch has a map of its own.
                let scores = scores(score, &mean, &mean_square)?.to_dtype(DType::F32)?;
                second.add(range.clone(), &scores)?;
            }
        }
        means.add(range, &mean)
    })?;
    let (means, second) = (means.precise_average()?, second.precise_average()?);
    let reconstruction = (tiles.image.to_dtype(DType::F64)? + &means)?.to_dtype(DType::F32)?;
    let residual = match averaging {
        Averaging::Reconstruction => scores(score, &means, &second)?,
        Averaging::Residual => second,
    };
    Ok([reconstruction, residual.to_dtype(DType::F32)?])
}

/// The means of the differences of `decodes` `(N, samples, patch, patch)` from `patches`, and of their squares, both
/// `(N, patch, patch)` in f64.
fn moments(patches: &Tensor, decodes: &Tensor) -> Result<(Tensor, Tensor), Error> {
    let patches = patches.to_dtype(DType::F64)?;
    let differences = decodes.to_dtype(DType::F64)?.broadcast_sub(&patches)?;
    Ok((differences.mean(1)?, differences.sqr()?.mean(1)?))
}
