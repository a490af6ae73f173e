use crate::Points;
use crate::sorted::Sorted;

/// Precision and recall for descending thresholds.
///
/// All three lists are equally long. The first point is, by convention,
/// recall 0 with precision 1 at the threshold +∞, the last one has recall 1.
/// These are scikit-learn's lists in reverse, whose first point has no
/// threshold there.
///
/// ```
/// let curve = metrics::precision_recall(&[0.1, 0.4, 0.8], &[false, true, true])?;
/// assert_eq!(curve.thresholds(), [f32::INFINITY, 0.8, 0.4, 0.1]);
/// assert_eq!(curve.precision(), [1.0, 1.0, 1.0, 2.0 / 3.0]);
/// assert_eq!(curve.recall(), [0.0, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.average_precision(), 1.0);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PrCurve {
    precision: Vec<f64>,
    recall: Vec<f64>,
    thresholds: Vec<f32>,
}

impl PrCurve {
    /// Precisions, in [0, 1].
    pub fn precision(&self) -> &[f64] {
        &self.precision
    }

    /// Recalls, ascending from 0 to 1.
    pub fn recall(&self) -> &[f64] {
        &self.recall
    }

    /// Thresholds, descending from +∞; a pixel counts as detected if
    /// `score >= threshold`.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// Σ (recallᵢ − recallᵢ₋₁)·precisionᵢ, without interpolation.
    pub fn average_precision(&self) -> f64 {
        let widths = self.recall.windows(2).map(|recall| recall[1] - recall[0]);
        widths.zip(&self.precision[1..]).map(|(width, precision)| width * precision).sum()
    }

    pub(crate) fn of_ranking(ranked: &Sorted, points: Points) -> Self {
        let mut count = 1;
        visit(ranked, points, |_, _, _| count += 1);
        let mut curve = Self {
            precision: Vec::with_capacity(count),
            recall: Vec::with_capacity(count),
            thresholds: Vec::with_capacity(count),
        };
        curve.push(1.0, 0.0, f32::INFINITY);
        let positives = ranked.positives as f64;
        visit(ranked, points, |threshold, tp, fp| {
            curve.push(tp as f64 / (tp + fp) as f64, tp as f64 / positives, threshold);
        });
        curve
    }

    fn push(&mut self, precision: f64, recall: f64, threshold: f32) {
        self.precision.push(precision);
        self.recall.push(recall);
        self.thresholds.push(threshold);
    }
}

/// Calls `visit(threshold, true positives, false positives)` for the points
/// of the curve except the first.
fn visit(ranked: &Sorted, points: Points, visit: impl FnMut(f32, u64, u64)) {
    match points {
        Points::All => ranked.for_each_score(visit),
        Points::Corners => visit_corners(ranked, visit),
    }
}

fn visit_corners(ranked: &Sorted, mut visit: impl FnMut(f32, u64, u64)) {
    let (mut tp, mut fp) = (0, 0);
    for step in ranked.steps() {
        tp += step.positives;
        fp += step.negatives;
        visit(step.threshold, tp, fp);
    }
}
