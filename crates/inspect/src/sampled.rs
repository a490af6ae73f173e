//! Residuals of several reconstructions of each patch.

use rayon::prelude::*;

use crate::finite::check_finite;
use crate::reconstruct::{check_reconstructions, cut_batches, grid};
use crate::stitch::Stitch;
use crate::{Averaging, Error, Image, Inspection, Plane, Reconstructor};

/// A residual of several reconstructions of each patch.
///
/// ```
/// use inspect::{SampleScore, Sampled};
///
/// let score = SampleScore::Probability { variance_floor: 1e-4 };
/// assert!(Sampled { samples: 6, score }.validate().is_ok());
/// assert!(Sampled { samples: 0, score }.validate().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// Reconstructions of each patch, at least 1; the paper's are 6 (section 4.2).
    pub samples: usize,
    /// What a pixel's reconstructions amount to.
    pub score: SampleScore,
}

/// What the reconstructions x̂₁, x̂₂, … of a pixel x amount to. Higher is more defective.
///
/// ```
/// use inspect::{Image, Residual, SampleScore, Sampled, residual_map};
///
/// // A single reconstruction has no variance but the floor: 0.5² / (2 · 0.125) = 1.
/// let score = SampleScore::Probability { variance_floor: 0.125 };
/// let (image, reconstruction) = (Image::filled(1, 1, 0.75), Image::filled(1, 1, 0.25));
/// let scored = |score| {
///     let residual = Residual::Sampled(Sampled { samples: 1, score });
///     residual_map(&image, &reconstruction, &residual).map(Image::into_data)
/// };
/// assert_eq!((scored(score)?, scored(SampleScore::Mse)?), (vec![1.0], vec![0.25]));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleScore {
    /// The reconstruction probability (An and Cho, 2015), as the paper names it (section 4.2), negated and logarithmic:
    /// −log of the density at x of a Gaussian with mean μ and variance v of the reconstructions, less its smallest value:
    ///
    /// `½ log(v / floor) + (x − μ)² / (2 v)`, where v is at least the floor.
    ///
    /// It is at least 0, and 0 where the reconstructions agree with each other and with the pixel.
    Probability {
        /// The smallest variance, above 0. A few samples may agree by chance, and then would make any difference infinite.
        variance_floor: f64,
    },
    /// The mean of (x − x̂)².
    Mse,
}

impl SampleScore {
    /// Of the mean of x̂ − x and the mean of its square.
    fn of(self, mean: f64, mean_square: f64) -> f32 {
        let score = match self {
            Self::Probability { variance_floor } => {
                let variance = (mean_square - mean * mean).max(variance_floor);
                0.5 * (variance / variance_floor).ln() + mean * mean / (2.0 * variance)
            }
            Self::Mse => mean_square,
        };
        score as f32
    }

    /// Of a single x̂ − x.
    pub(crate) fn of_single(self, difference: f64) -> f32 {
        self.of(difference, difference * difference)
    }
}

impl Sampled {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::ZeroSamples`], [`Error::VarianceFloor`].
    pub fn validate(&self) -> Result<(), Error> {
        if self.samples == 0 {
            return Err(Error::ZeroSamples);
        }
        match self.score {
            SampleScore::Probability { variance_floor: floor }
                if !(floor > 0.0 && floor.is_finite()) =>
            {
                Err(Error::VarianceFloor { got: floor })
            }
            _ => Ok(()),
        }
    }
}

/// The averaged reconstruction, of all samples and patches, and the residual map.
///
/// With [`Averaging::Reconstruction`], mean and variance of a pixel are those of all samples of all patches that cover it;
/// with [`Averaging::Residual`], each patch has its own, and their scores are averaged.
pub(crate) fn inspect_samples(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    inspection: &Inspection,
    sampled: &Sampled,
) -> Result<(Image, Image), Error> {
    sampled.validate()?;
    let (grid, Sampled { samples, score }) =
        (grid(image, reconstructor, &inspection.tiling)?, *sampled);
    // Of the differences from the image: their means, and the means of their squares or else the scores.
    let (mut means, mut second) = (Stitch::new(&grid), Stitch::new(&grid));
    cut_batches(image, &grid, inspection.tiling.batch, |corners, patches| {
        let decodes =
            reconstructor.sample(patches, corners, samples).map_err(Error::Reconstructor)?;
        check_reconstructions(&decodes, corners.len(), samples * patches.len())?;
        let (mean, mean_square) = moments(patches, &decodes, grid.patch * grid.patch, samples);
        match inspection.averaging {
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
        |value: &dyn Fn(usize, usize) -> f32| Plane::from_fn(grid.width, grid.height, value);
    let reconstruction = plane(&|x, y| (f64::from(image.get(x, y)) + means.get(x, y)) as f32);
    let residual = match inspection.averaging {
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
