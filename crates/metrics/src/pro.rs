use crate::Error;
use crate::area::mean_height;
use crate::check::check_limit;
use crate::defects::Defects;
use crate::sorted::Sorted;

/// The false-positive rate up to which MVTec's benchmarks integrate.
pub const AU_PRO_LIMIT: f64 = 0.3;

/// The per-region overlap over the false-positive rate for descending
/// thresholds.
///
/// All three lists are equally long. The first point is (0, 0) with the
/// threshold +∞, the last one (1, 1) with the lowest score. Tied scores are
/// one point; of the points between two defective pixels, which lie on a
/// horizontal line, only the ends are kept.
///
/// ```
/// use metrics::{ScoredImage, pro_curve};
///
/// let (scores, labels) = ([0.9, 0.5, 0.2], [true, false, true]);
/// let curve = pro_curve(&[ScoredImage { width: 3, height: 1, scores: &scores, labels: &labels }])?;
/// assert_eq!(curve.thresholds(), [f32::INFINITY, 0.9, 0.5, 0.2]);
/// assert_eq!(curve.fpr(), [0.0, 0.0, 1.0, 1.0]);
/// assert_eq!(curve.pro(), [0.0, 0.5, 0.5, 1.0]);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProCurve {
    fpr: Vec<f64>,
    pro: Vec<f64>,
    thresholds: Vec<f32>,
}

impl ProCurve {
    /// False-positive rates, ascending from 0 to 1.
    pub fn fpr(&self) -> &[f64] {
        &self.fpr
    }

    /// Per-region overlaps, ascending from 0 to 1.
    pub fn pro(&self) -> &[f64] {
        &self.pro
    }

    /// Thresholds, descending from +∞; a pixel counts as detected if
    /// `score >= threshold`.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// The area up to a false-positive rate of `limit`, divided by `limit`:
    /// the mean overlap there, in [0, 1]. The curve is interpolated linearly
    /// at the limit. [`AU_PRO_LIMIT`] is the usual one.
    ///
    /// # Errors
    /// [`Error::InvalidLimit`] if `limit` does not lie in (0, 1].
    pub fn area(&self, limit: f64) -> Result<f64, Error> {
        check_limit(limit)?;
        let points = self.fpr.iter().copied().zip(self.pro.iter().copied());
        Ok(mean_height(points, limit))
    }

    pub(crate) fn of_ranking(ranked: &Sorted, defects: &Defects) -> Self {
        let count = 1 + ranked.steps().count();
        let mut curve = Self {
            fpr: Vec::with_capacity(count),
            pro: Vec::with_capacity(count),
            thresholds: Vec::with_capacity(count),
        };
        for point in points(ranked, defects) {
            curve.fpr.push(point.fpr);
            curve.pro.push(point.pro);
            curve.thresholds.push(point.threshold);
        }
        curve
    }

    /// [`ProCurve::area`] without the curve.
    pub(crate) fn area_of_ranking(ranked: &Sorted, defects: &Defects, limit: f64) -> f64 {
        mean_height(points(ranked, defects).map(|point| (point.fpr, point.pro)), limit)
    }
}

#[derive(Clone, Copy)]
struct Point {
    threshold: f32,
    fpr: f64,
    pro: f64,
}

/// All points of the curve.
fn points(ranked: &Sorted, defects: &Defects) -> impl Iterator<Item = Point> {
    let (negatives, regions) = (ranked.negatives as f64, defects.regions() as f64);
    let mut weights = defects.weights();
    let (mut fp, mut overlap) = (0, 0.0);
    let origin = Point { threshold: f32::INFINITY, fpr: 0.0, pro: 0.0 };
    let steps = ranked.steps().map(move |step| {
        fp += step.negatives;
        overlap += weights.by_ref().take(step.positives as usize).sum::<f64>();
        if weights.len() == 0 {
            // Every region is covered; the sum has rounding errors.
            overlap = regions;
        }
        // The weights of a region add up to 1 but for their rounding.
        let pro = (overlap / regions).min(1.0);
        Point { threshold: step.threshold, fpr: fp as f64 / negatives, pro }
    });
    std::iter::once(origin).chain(steps)
}
