use crate::check::{check_each, check_limit};
use crate::defects::Defects;
use crate::radix::Pixels;
use crate::{Error, ProCurve, RankedScores, ScoredImage};

/// All pixels of a data set, sorted once, and the regions of its ground truth,
/// to read pixel-wise metrics and the per-region overlap from.
///
/// Beside what [`RankedScores`] holds, 8 bytes per defective pixel.
///
/// ```
/// use metrics::{AU_PRO_LIMIT, RankedImages, ScoredImage};
///
/// let scores = [0.9, 0.1, 0.8, 0.3, 0.5, 0.2];
/// let labels = [true, false, true, true, false, false];
/// let image = ScoredImage { width: 6, height: 1, scores: &scores, labels: &labels };
/// let ranked = RankedImages::new(&[image])?;
///
/// assert_eq!(ranked.scores().roc_auc(), 8.0 / 9.0);
/// assert_eq!(ranked.pro_curve().area(AU_PRO_LIMIT)?, 0.75);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RankedImages {
    scores: RankedScores,
    defects: Defects,
}

impl RankedImages {
    /// Ranks the pooled pixels of the images and finds the regions of their
    /// ground truth.
    ///
    /// # Errors
    /// See [`pro_curve`](crate::pro_curve).
    pub fn new(images: &[ScoredImage<'_>]) -> Result<Self, Error> {
        Self::up_to(images, 1.0)
    }

    /// The pixels, for all metrics that do not depend on where they lie.
    pub fn scores(&self) -> &RankedScores {
        &self.scores
    }

    /// The per-region overlap over the false-positive rate; see
    /// [`pro_curve`](crate::pro_curve).
    pub fn pro_curve(&self) -> ProCurve {
        ProCurve::of_ranking(&self.scores, &self.defects)
    }

    /// The area under [`RankedImages::pro_curve`] up to a false-positive rate
    /// of `limit`, divided by `limit`, without making the curve.
    ///
    /// ```
    /// use metrics::{RankedImages, ScoredImage};
    ///
    /// let (scores, labels) = ([0.9, 0.5, 0.2], [true, false, true]);
    /// let image = ScoredImage { width: 3, height: 1, scores: &scores, labels: &labels };
    /// assert_eq!(RankedImages::new(&[image])?.au_pro(0.5)?, 0.5);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidLimit`] if `limit` does not lie in (0, 1].
    pub fn au_pro(&self, limit: f64) -> Result<f64, Error> {
        check_limit(limit)?;
        Ok(ProCurve::area_of_ranking(&self.scores, &self.defects, limit))
    }

    /// Enough of a ranking for areas up to `limit`.
    pub(crate) fn up_to(images: &[ScoredImage<'_>], limit: f64) -> Result<Self, Error> {
        check_each(images, |number, image| image.check(number))?;
        let pixels: Vec<Pixels<'_>> = images.iter().map(ScoredImage::pixels).collect();
        let scores = RankedScores::up_to(&pixels, limit)?;
        Ok(Self { scores, defects: Defects::of(images) })
    }
}
