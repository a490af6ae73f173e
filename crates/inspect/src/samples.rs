//! The inspection of an image by several reconstructions of each patch.

use rayon::prelude::*;

use crate::finite::check_finite;
use crate::reconstruct::{check_reconstructions, cut_batches, grid};
use crate::stitch::Stitch;
use crate::{Averaging, Error, Image, Plane, Reconstructor, Sampled, Tiling};

/// The averaged reconstruction, of all samples and patches, and the residual map.
///
/// With [`Averaging::Reconstruction`], mean and variance of a pixel are those of all samples of all patches that cover it;
/// with [`Averaging::Residual`], each patch has its own, and their scores are averaged.
pub(crate) fn inspect_samples(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    tiling: Tiling,
    averaging: Averaging,
    sampled: &Sampled,
) -> Result<(Image, Image), Error> {
    sampled.validate()?;
    let (grid, Sampled { samples, score }) = (grid(image, reconstructor, &tiling)?, *sampled);
    // Of the differences from the image: their means, and the means of their squares or else the scores.
    let (mut means, mut second) = (Stitch::new(&grid), Stitch::new(&grid));
    cut_batches(image, &grid, tiling.batch, |corners, patches| {
        let decodes =
            reconstructor.sample(patches, corners, samples).map_err(Error::Reconstructor)?;
        check_reconstructions(&decodes, corners.len(), samples * patches.len())?;
        let (mean, mean_square) = moments(patches, &decodes, grid.patch() * grid.patch(), samples);
        match averaging {
            Averaging::Reconstruction => second.add(corners, &mean_square),
            Averaging::Residual => {
                let pixels = mean.iter().zip(&mean_square);
                let scores: Vec<f32> = pixels.map(|(&m, &s)| score.of(m, s)).collect();
                second.add(corners, &scores);
            }
        }
        means.add(corners, &mean);
        Ok(())
    })?;
    let (means, second) = (means.precise_average(), second.precise_average());
    let plane =
        |value: &dyn Fn(usize, usize) -> f32| Plane::from_fn(image.width(), image.height(), value);
    let reconstruction = plane(&|x, y| (f64::from(image.get(x, y)) + means.get(x, y)) as f32);
    let residual = match averaging {
        Averaging::Reconstruction => plane(&|x, y| score.of(means.get(x, y), second.get(x, y))),
        Averaging::Residual => plane(&|x, y| second.get(x, y) as f32),
    };
    check_finite("the residual map", residual.data())?;
    Ok((reconstruction, residual))
}

/// The means of the differences of `decodes` `(N, samples, patch, patch)` from `patches`, and of their squares, both
/// `(N, patch, patch)`.
pub(crate) fn moments(
    patches: &[f32],
    decodes: &[f32],
    area: usize,
    samples: usize,
) -> (Vec<f64>, Vec<f64>) {
    let mut moments = (vec![0.0; patches.len()], vec![0.0; patches.len()]);
    let sums = moments.0.par_chunks_mut(area).zip(moments.1.par_chunks_mut(area));
    let pixels = patches.par_chunks(area).zip(decodes.par_chunks(samples * area));
    sums.zip(pixels).for_each(|((mean, mean_square), (patch, decodes))| {
        let weight = 1.0 / samples as f64;
        for decode in decodes.chunks_exact(area) {
            let sums = mean.iter_mut().zip(mean_square.iter_mut());
            for ((mean, mean_square), (&x, &decoded)) in sums.zip(patch.iter().zip(decode)) {
                let difference = f64::from(decoded) - f64::from(x);
                *mean += weight * difference;
                *mean_square += weight * difference * difference;
            }
        }
    });
    moments
}
