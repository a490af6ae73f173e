//! Residuals of several reconstructions of each patch.

use crate::Error;

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
    /// The score of a pixel's reconstructions.
    pub score: SampleScore,
}

/// The score of the reconstructions x̂₁, x̂₂, … of a pixel x. Higher is more defective.
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
    /// Scores a pixel by the mean of x̂ − x and the mean of its square.
    pub(crate) fn of(self, mean: f64, mean_square: f64) -> f32 {
        let score = match self {
            Self::Probability { variance_floor } => {
                let variance = (mean_square - mean * mean).max(variance_floor);
                0.5 * (variance / variance_floor).ln() + mean * mean / (2.0 * variance)
            }
            Self::Mse => mean_square,
        };
        score as f32
    }

    /// Scores a pixel by a single x̂ − x.
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
