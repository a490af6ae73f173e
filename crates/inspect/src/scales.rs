use crate::finite::check_finite;
use crate::smooth::check_sigma;
use crate::{Error, Image, smooth};

/// A Gaussian, and what is normal for a map under it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// Standard deviation of the Gaussian in pixels, from 0, which leaves the map as it is, to 1000.
    pub sigma: f64,
    /// Mean of the good images' scores.
    pub mean: f64,
    /// Their standard deviation, above 0.
    pub deviation: f64,
}

impl Scale {
    /// The scale of `sigma` pixels, by scores of good images' maps under this Gaussian: the largest score of each image, for
    /// instance. The deviation is that of the population.
    ///
    /// ```
    /// use inspect::Scale;
    ///
    /// let scale = Scale::from_scores(4.0, &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])?;
    /// assert_eq!(scale, Scale { sigma: 4.0, mean: 5.0, deviation: 2.0 });
    /// # Ok::<(), inspect::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoScores`] without a score; [`Error::NotFinite`]; [`Error::Sigma`]; [`Error::Deviation`] if all are equal.
    pub fn from_scores(sigma: f64, scores: &[f32]) -> Result<Self, Error> {
        check_finite("the scores of good images", scores)?;
        if scores.is_empty() {
            return Err(Error::NoScores);
        }
        let average =
            |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / scores.len() as f64;
        let mean = average(&mut scores.iter().copied().map(f64::from));
        let square = |&score: &f32| (f64::from(score) - mean).powi(2);
        let scale = Self { sigma, mean, deviation: average(&mut scores.iter().map(square)).sqrt() };
        scale.validate()?;
        Ok(scale)
    }

    fn validate(&self) -> Result<(), Error> {
        check_sigma(self.sigma)?;
        let Self { mean, deviation, .. } = *self;
        let is_valid = mean.is_finite() && deviation.is_finite() && deviation > 0.0;
        if is_valid { Ok(()) } else { Err(Error::Deviation { mean, deviation }) }
    }

    /// The map under the Gaussian, in deviations above the mean.
    fn normalised(&self, map: &Image) -> Result<Image, Error> {
        let mut smooth = smooth(map, self.sigma)?;
        for score in smooth.data_mut() {
            *score = ((f64::from(*score) - self.mean) / self.deviation) as f32;
        }
        Ok(smooth)
    }
}

/// Up to eight scales. A map's score is the largest of all, each in deviations above its mean, so that no scale outvotes
/// another because its scores are larger.
///
/// ```
/// use inspect::{Disk, Image, Scale, Scales, Smoothing, anomaly_map};
///
/// let (fine, coarse) = (
///     Scale { sigma: 0.0, mean: 0.5, deviation: 0.25 },
///     Scale { sigma: 8.0, mean: 0.25, deviation: 0.0625 },
/// );
/// // Nothing that the fine scale would notice, but far too much of it.
/// let residual = Image::filled(32, 32, 0.5);
/// let smoothing = Smoothing::Scales(Scales::new(&[fine, coarse])?);
/// let map = anomaly_map(&residual, &smoothing, Disk::with_diameter(0))?;
/// assert!(map.data().iter().all(|score| (score - 4.0).abs() < 1e-5));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    /// Those that are left are [`Scale::default`].
    scales: [Scale; Self::MOST],
    count: usize,
}

impl Scales {
    /// The largest number of scales.
    pub const MOST: usize = 8;

    /// Combines `scales`.
    ///
    /// # Errors
    /// [`Error::Scales`] if there are none or too many; [`Error::Sigma`] and [`Error::Deviation`] if one is out of range.
    pub fn new(scales: &[Scale]) -> Result<Self, Error> {
        let count = scales.len();
        if !(1..=Self::MOST).contains(&count) {
            return Err(Error::Scales { most: Self::MOST, got: count });
        }
        scales.iter().try_for_each(Scale::validate)?;
        let mut padded = [Scale::default(); Self::MOST];
        padded[..count].copy_from_slice(scales);
        Ok(Self { scales: padded, count })
    }

    /// The scales, in the order given.
    pub fn as_slice(&self) -> &[Scale] {
        &self.scales[..self.count]
    }

    /// The largest normalised score of each pixel.
    pub(crate) fn largest(&self, map: &Image) -> Result<Image, Error> {
        let (first, rest) = (&self.scales[0], &self.as_slice()[1..]);
        let mut largest = first.normalised(map)?;
        for scale in rest {
            let other = scale.normalised(map)?;
            for (score, &other) in largest.data_mut().iter_mut().zip(other.data()) {
                *score = score.max(other);
            }
        }
        Ok(largest)
    }
}
