use crate::area::mean_height;
use crate::check::check_limit;
use crate::sorted::Sorted;
use crate::{Error, Points};

/// A receiver operating characteristic: the true-positive rate over the
/// false-positive rate for descending thresholds.
///
/// All three lists are equally long. The first point is (0, 0) with the
/// threshold +∞, the last one (1, 1) with the lowest score.
///
/// ```
/// // Three scores; the first threshold lies above all of them.
/// let curve = metrics::roc(&[0.9, 0.5, 0.2], &[true, false, true])?;
/// assert_eq!(curve.thresholds(), [f32::INFINITY, 0.9, 0.5, 0.2]);
/// assert_eq!(curve.fpr(), [0.0, 0.0, 1.0, 1.0]);
/// assert_eq!(curve.tpr(), [0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.auc(), 0.5);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RocCurve {
    fpr: Vec<f64>,
    tpr: Vec<f64>,
    thresholds: Vec<f32>,
}

impl RocCurve {
    /// False-positive rates, ascending from 0 to 1.
    pub fn fpr(&self) -> &[f64] {
        &self.fpr
    }

    /// True-positive rates, ascending from 0 to 1.
    pub fn tpr(&self) -> &[f64] {
        &self.tpr
    }

    /// Thresholds, descending from +∞; a pixel counts as detected if
    /// `score >= threshold`.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// The area under the curve, in [0, 1].
    #[doc(alias = "roc_auc_score")]
    pub fn auc(&self) -> f64 {
        mean_height(self.points(), 1.0)
    }

    /// The area up to a false-positive rate of `max_fpr`, divided by
    /// `max_fpr`: the mean true-positive rate there, in [0, 1].
    ///
    /// The curve is interpolated linearly at the limit. This is MVTec's
    /// normalisation; scikit-learn's `max_fpr` instead rescales the area by
    /// McClish's formula, so that chance gives 0.5.
    ///
    /// ```
    /// // Up to a false-positive rate of 1/2, the curve lies at 1/2.
    /// let curve = metrics::roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
    /// assert_eq!((curve.partial_auc(0.5)?, curve.auc()), (0.5, 0.75));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidLimit`] if `max_fpr` does not lie in (0, 1].
    #[doc(alias = "max_fpr")]
    pub fn partial_auc(&self, max_fpr: f64) -> Result<f64, Error> {
        check_limit(max_fpr)?;
        Ok(mean_height(self.points(), max_fpr))
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.fpr.iter().copied().zip(self.tpr.iter().copied())
    }

    pub(crate) fn of_ranking(ranked: &Sorted, points: Points) -> Self {
        let mut count = 1;
        visit(ranked, points, |_| count += 1);
        let mut curve = Builder::new(ranked.positives as u64, ranked.negatives as u64, count);
        visit(ranked, points, |point| curve.push(point));
        curve.finish()
    }

    /// A curve through the points, which start above (0, 0) and end at all
    /// pixels detected.
    pub(crate) fn of_points(positives: u64, negatives: u64, points: &[Point]) -> Self {
        let mut curve = Builder::new(positives, negatives, points.len() + 1);
        points.iter().for_each(|&point| curve.push(point));
        curve.finish()
    }
}

/// The numbers of detected pixels at a threshold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub threshold: f32,
    pub tp: u64,
    pub fp: u64,
}

impl Point {
    const ORIGIN: Self = Self { threshold: f32::INFINITY, tp: 0, fp: 0 };

    /// Whether the three points, in this order on a curve, lie on a line.
    /// Neither product exceeds 2⁶²: there are fewer than 2³² pixels.
    fn in_line(a: Self, b: Self, c: Self) -> bool {
        (b.tp - a.tp) * (c.fp - b.fp) == (c.tp - b.tp) * (b.fp - a.fp)
    }
}

/// Calls `visit` for the points of the curve except the first. Running twice,
/// to count and to fill, is cheaper than growing a list of millions.
fn visit(ranked: &Sorted, points: Points, visit: impl FnMut(Point)) {
    match points {
        Points::All => visit_all(ranked, visit),
        Points::Corners => visit_corners(ranked, visit),
    }
}

fn visit_all(ranked: &Sorted, mut visit: impl FnMut(Point)) {
    ranked.for_each_score(|threshold, tp, fp| visit(Point { threshold, tp, fp }));
}

fn visit_corners(ranked: &Sorted, mut visit: impl FnMut(Point)) {
    let mut corner = Point::ORIGIN;
    let mut last = Point::ORIGIN;
    for step in ranked.steps() {
        let (tp, fp) = (last.tp + step.positives, last.fp + step.negatives);
        let next = Point { threshold: step.threshold, tp, fp };
        if !Point::in_line(corner, last, next) {
            visit(last);
            corner = last;
        }
        last = next;
    }
    visit(last);
}

/// A curve whose points are appended as counts.
struct Builder {
    curve: RocCurve,
    positives: f64,
    negatives: f64,
}

impl Builder {
    fn new(positives: u64, negatives: u64, count: usize) -> Self {
        let mut builder = Self {
            curve: RocCurve {
                fpr: Vec::with_capacity(count),
                tpr: Vec::with_capacity(count),
                thresholds: Vec::with_capacity(count),
            },
            positives: positives as f64,
            negatives: negatives as f64,
        };
        builder.push(Point::ORIGIN);
        builder
    }

    fn push(&mut self, point: Point) {
        self.curve.fpr.push(point.fp as f64 / self.negatives);
        self.curve.tpr.push(point.tp as f64 / self.positives);
        self.curve.thresholds.push(point.threshold);
    }

    fn finish(self) -> RocCurve {
        self.curve
    }
}
