use crate::check::{check_classes, check_image};
use crate::roc::Point;
use crate::{Error, RocCurve};

/// Counts of scores in bins, for data that does not fit in memory.
///
/// Memory is 20 bytes per bin whatever the number of pixels; histograms of
/// parts of the data can be made apart and merged. Bin `i` of `bins` begins at
/// `low + i * (high - low) / bins`. The outer bins are open: lower scores fall
/// into the first, higher ones into the last bin.
///
/// Every point of [`RocHistogram::roc`] lies on the exact curve, at an edge
/// between two bins. How far the area can be off is known, see
/// [`RocHistogram::auc_error_bound`].
///
/// ```
/// use metrics::RocHistogram;
///
/// let mut histogram = RocHistogram::new(0.0, 1.0, 4)?;
/// histogram.add(&[0.1, 0.6], &[false, false])?;
/// histogram.add(&[0.7, 0.9], &[true, true])?;
/// // 0.6 and 0.7 share a bin: this pair of the four counts half.
/// assert_eq!(histogram.auc()?, 0.875);
/// assert_eq!(histogram.auc_error_bound()?, 0.125);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RocHistogram {
    low: f32,
    high: f32,
    bins_per_unit: f64,
    /// Lower edges of the bins.
    edges: Vec<f32>,
    positives: Vec<u64>,
    negatives: Vec<u64>,
    /// The lowest score so far.
    lowest: f32,
}

impl RocHistogram {
    /// Lays out equal bins.
    ///
    /// # Errors
    /// [`Error::InvalidBins`] if there is no bin, or unless `low < high` are
    /// both finite.
    pub fn new(low: f32, high: f32, bins: usize) -> Result<Self, Error> {
        if bins == 0 || !low.is_finite() || !high.is_finite() || low >= high {
            return Err(Error::InvalidBins { low, high, bins });
        }
        let width = (f64::from(high) - f64::from(low)) / bins as f64;
        let edge = |bin| (f64::from(low) + bin as f64 * width) as f32;
        Ok(Self {
            low,
            high,
            bins_per_unit: 1.0 / width,
            edges: (0..bins).map(edge).collect(),
            positives: vec![0; bins],
            negatives: vec![0; bins],
            lowest: f32::INFINITY,
        })
    }

    /// Adds the pixels of an image; `true` is defective.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] and [`Error::NonFiniteScore`]; nothing is
    /// added then.
    pub fn add(&mut self, scores: &[f32], labels: &[bool]) -> Result<(), Error> {
        check_image(0, (scores, labels))?;
        for (&score, &label) in scores.iter().zip(labels) {
            let bin = self.bin(score);
            let counts = if label { &mut self.positives } else { &mut self.negatives };
            counts[bin] += 1;
            self.lowest = self.lowest.min(score);
        }
        Ok(())
    }

    /// The bin whose edges enclose the score.
    ///
    /// The quotient is right but for rounding; the comparison with the edges
    /// makes them exact thresholds.
    fn bin(&self, score: f32) -> usize {
        let offset = f64::from(score) - f64::from(self.low);
        let last = self.edges.len() - 1;
        let mut bin = ((offset * self.bins_per_unit) as usize).min(last);
        while bin > 0 && score < self.edges[bin] {
            bin -= 1;
        }
        while bin < last && score >= self.edges[bin + 1] {
            bin += 1;
        }
        bin
    }

    /// Adds the counts of another histogram with the same bins.
    ///
    /// ```
    /// use metrics::RocHistogram;
    ///
    /// let (mut whole, mut part) = (RocHistogram::new(0.0, 1.0, 4)?, RocHistogram::new(0.0, 1.0, 4)?);
    /// whole.add(&[0.1, 0.9], &[false, true])?;
    /// part.add(&[0.2, 0.3], &[true, false])?;
    /// whole.merge(&part)?;
    /// assert_eq!(whole.auc()?, 0.625);
    /// assert!(whole.merge(&RocHistogram::new(0.0, 1.0, 8)?).is_err());
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::BinsDiffer`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if (self.low, self.high, self.edges.len()) != (other.low, other.high, other.edges.len()) {
            return Err(Error::BinsDiffer {
                expected_low: self.low,
                expected_high: self.high,
                expected_bins: self.edges.len(),
                got_low: other.low,
                got_high: other.high,
                got_bins: other.edges.len(),
            });
        }
        self.positives.iter_mut().zip(&other.positives).for_each(|(sum, count)| *sum += count);
        self.negatives.iter_mut().zip(&other.negatives).for_each(|(sum, count)| *sum += count);
        self.lowest = self.lowest.min(other.lowest);
        Ok(())
    }

    /// The area under the ROC curve of the bins.
    ///
    /// # Errors
    /// [`Error::Empty`] or [`Error::SingleClass`] unless both classes were
    /// added.
    pub fn auc(&self) -> Result<f64, Error> {
        let (positives, negatives) = self.totals()?;
        let (mut below, mut doubled) = (0, 0);
        for (&p, &n) in self.positives.iter().zip(&self.negatives) {
            doubled += u128::from(p) * (2 * below + u128::from(n));
            below += u128::from(n);
        }
        Ok(doubled as f64 / (2.0 * positives as f64 * negatives as f64))
    }

    /// The largest difference there can be between [`RocHistogram::auc`] and
    /// the exact area.
    ///
    /// The area is the share of the pairs of a defective and a defect-free
    /// pixel that are in order. Binning never reverses a pair, so pairs in
    /// different bins are counted right. Of a pair within one bin, half is
    /// counted where the truth is anything between 0 and 1. With p and n
    /// pixels of the two classes in each bin, P and N in all, the difference
    /// is at most ½ Σ p·n / (P·N).
    ///
    /// # Errors
    /// As [`RocHistogram::auc`].
    pub fn auc_error_bound(&self) -> Result<f64, Error> {
        let (positives, negatives) = self.totals()?;
        let pairs: u128 = self
            .positives
            .iter()
            .zip(&self.negatives)
            .map(|(&p, &n)| u128::from(p) * u128::from(n))
            .sum();
        Ok(0.5 * pairs as f64 / (positives as f64 * negatives as f64))
    }

    /// The points of the exact ROC curve at the edges of the bins that are
    /// not empty, with these edges as thresholds; the last threshold is the
    /// lowest score.
    ///
    /// ```
    /// use metrics::RocHistogram;
    ///
    /// let mut histogram = RocHistogram::new(0.0, 1.0, 4)?;
    /// histogram.add(&[0.1, 0.6, 0.7, 0.9], &[false, false, true, true])?;
    /// let curve = histogram.roc()?;
    /// assert_eq!(curve.thresholds(), [f32::INFINITY, 0.75, 0.5, 0.1]);
    /// assert_eq!(curve.fpr(), [0.0, 0.0, 0.5, 1.0]);
    /// assert_eq!(curve.tpr(), [0.0, 0.5, 1.0, 1.0]);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`RocHistogram::auc`].
    pub fn roc(&self) -> Result<RocCurve, Error> {
        let (positives, negatives) = self.totals()?;
        let (mut tp, mut fp) = (0, 0);
        let mut points = Vec::new();
        for bin in (0..self.edges.len()).rev() {
            let (p, n) = (self.positives[bin], self.negatives[bin]);
            if p + n > 0 {
                tp += p;
                fp += n;
                points.push(Point { threshold: self.edges[bin], tp, fp });
            }
        }
        if let Some(last) = points.last_mut() {
            last.threshold = self.lowest;
        }
        Ok(RocCurve::of_points(positives, negatives, &points))
    }

    fn totals(&self) -> Result<(u64, u64), Error> {
        let (positives, negatives) = (self.positives.iter().sum(), self.negatives.iter().sum());
        check_classes(positives, negatives)?;
        Ok((positives, negatives))
    }
}
