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
        ProCurve::of_ranking(self.scores.sorted(), &self.defects)
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
        Ok(ProCurve::area_of_ranking(self.scores.sorted(), &self.defects, limit))
    }

    /// Enough of a ranking for areas up to `limit`.
    pub(crate) fn up_to(images: &[ScoredImage<'_>], limit: f64) -> Result<Self, Error> {
        check_each(images, |number, image| image.check(number))?;
        let pixels: Vec<Pixels<'_>> = images.iter().map(ScoredImage::pixels).collect();
        let scores = RankedScores::up_to(&pixels, limit)?;
        Ok(Self { scores, defects: Defects::of(images) })
    }
}

/// The area under the per-region overlap curve up to a false-positive rate of
/// `limit`, divided by `limit`: what [`pro_curve`] and [`ProCurve::area`] give,
/// but defect-free pixels beyond the limit are not ranked.
///
/// ```
/// use metrics::{AU_PRO_LIMIT, ScoredImage, au_pro};
///
/// // A region of one pixel that scores above all others, and one of two of which one does.
/// let image = ScoredImage {
///     width: 6,
///     height: 1,
///     scores: &[0.9, 0.1, 0.8, 0.3, 0.5, 0.2],
///     labels: &[true, false, true, true, false, false],
/// };
/// assert_eq!(au_pro(&[image], AU_PRO_LIMIT)?, 0.75);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidLimit`], and see [`pro_curve`].
#[doc(alias = "aupro")]
#[doc(alias = "AUPRO")]
#[doc(alias = "per_region_overlap")]
pub fn au_pro(images: &[ScoredImage<'_>], limit: f64) -> Result<f64, Error> {
    check_limit(limit)?;
    RankedImages::up_to(images, limit)?.au_pro(limit)
}

/// The per-region overlap (PRO) over the false-positive rate.
///
/// This is the definition of MVTec's evaluation. The regions are the
/// 8-connected components of each ground-truth mask. The PRO at a threshold is
/// the fraction of its pixels that a region has at `score >= threshold`,
/// averaged over all regions of all images, so that a small defect weighs as
/// much as a large one. The false-positive rate is that of all defect-free
/// pixels of all images, those of images without any defect included.
///
/// ```
/// use metrics::{AU_PRO_LIMIT, ScoredImage, pro_curve};
///
/// // A region of one pixel and one of two; the larger is half covered
/// // before the first false positive.
/// let image = ScoredImage {
///     width: 6,
///     height: 1,
///     scores: &[0.9, 0.1, 0.8, 0.3, 0.5, 0.2],
///     labels: &[true, false, true, true, false, false],
/// };
/// let curve = pro_curve(&[image])?;
/// assert_eq!(curve.fpr(), [0.0, 0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0]);
/// assert_eq!(curve.pro(), [0.0, 0.5, 0.75, 0.75, 1.0, 1.0]);
/// assert_eq!(curve.area(AU_PRO_LIMIT)?, 0.75);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::ImageSize`], [`Error::LengthMismatch`] and
/// [`Error::NonFiniteScore`] for the first image at fault, and as
/// [`RankedScores::pooled`].
#[doc(alias = "per_region_overlap")]
pub fn pro_curve(images: &[ScoredImage<'_>]) -> Result<ProCurve, Error> {
    Ok(RankedImages::new(images)?.pro_curve())
}
