use crate::check::{check_classes, check_each, check_image};
use crate::radix::{Pixels, sorted_keys};
use crate::sorted::Sorted;
use crate::{Confusion, Error, Points, PrCurve, RocCurve, key};

/// All scores of a data set, sorted once, to read any number of exact metrics
/// from.
///
/// The pixels of all images are pooled, as in the evaluation of the paper
/// (section 4): there is one curve per data set, not an average over images.
/// Labels are `true` for defective pixels, and a pixel counts as detected if
/// `score >= threshold`. Equal scores (0.0 and -0.0 are equal) are one step of
/// every curve.
///
/// The ranking holds 4 bytes per pixel, and building it takes a quarter of
/// that more; images are neither copied nor concatenated.
///
/// ```
/// use metrics::RankedScores;
///
/// let first = (&[0.1, 0.8, 0.9][..], &[false, true, true][..]);
/// let second = (&[0.3, 0.2][..], &[false, true][..]);
/// let ranked = RankedScores::pooled([first, second])?;
///
/// assert_eq!(ranked.roc_auc(), 5.0 / 6.0);
/// assert_eq!(ranked.f1_max().threshold, 0.2);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RankedScores {
    sorted: Sorted,
}

/// The largest F1 over all thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct F1Max {
    /// 2·precision·recall / (precision + recall), in [0, 1].
    pub f1: f64,
    /// The highest threshold that reaches it.
    pub threshold: f32,
}

impl RankedScores {
    /// Ranks the scores of one image, or of anything else with one label per
    /// score, such as the image scores of a data set.
    ///
    /// # Errors
    /// See [`RankedScores::pooled`].
    pub fn new(scores: &[f32], labels: &[bool]) -> Result<Self, Error> {
        Self::pooled([(scores, labels)])
    }

    /// Ranks the pooled pixels of several images, given as (scores, labels).
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] and [`Error::NonFiniteScore`] for the first
    /// image at fault; [`Error::Empty`] or [`Error::SingleClass`] unless both
    /// classes occur; [`Error::TooManyScores`] for 2³² scores or more.
    pub fn pooled<'a>(
        images: impl IntoIterator<Item = (&'a [f32], &'a [bool])>,
    ) -> Result<Self, Error> {
        let images: Vec<Pixels<'a>> = images.into_iter().collect();
        check_each(&images, |number, &image| check_image(number, image))?;
        Self::up_to(&images, 1.0)
    }

    /// Ranks checked pixels up to a false-positive rate above `limit`: what
    /// lies beyond it in a curve of these ranks is not true.
    pub(crate) fn up_to(images: &[Pixels<'_>], limit: f64) -> Result<Self, Error> {
        let total: usize = images.iter().map(|(scores, _)| scores.len()).sum();
        let most = u64::from(u32::MAX);
        if total as u64 > most {
            return Err(Error::TooManyScores { limit: most, got: total as u64 });
        }
        if total == 0 {
            return Err(Error::Empty);
        }
        let sorted = sorted_keys(images, total, limit);
        check_classes(sorted.positives as u64, sorted.negatives as u64)?;
        Ok(Self { sorted })
    }

    /// The sorted keys of the scores.
    pub(crate) fn sorted(&self) -> &Sorted {
        &self.sorted
    }

    /// The number of defective pixels.
    ///
    /// ```
    /// let ranked = metrics::RankedScores::new(&[0.1, 0.8, 0.9], &[false, true, true])?;
    /// assert_eq!((ranked.positives(), ranked.negatives()), (2, 1));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    pub fn positives(&self) -> u64 {
        self.sorted.positives as u64
    }

    /// The number of defect-free pixels.
    pub fn negatives(&self) -> u64 {
        self.sorted.negatives as u64
    }

    /// The ROC curve.
    ///
    /// With [`Points::Corners`], collinear points are left out; these include
    /// all that scikit-learn's `drop_intermediate=True` leaves out.
    #[doc(alias = "roc_curve")]
    #[doc(alias = "drop_intermediate")]
    pub fn roc(&self, points: Points) -> RocCurve {
        RocCurve::of_ranking(&self.sorted, points)
    }

    /// The area under the ROC curve, without making the curve.
    ///
    /// This is the Mann–Whitney statistic, the probability that a random
    /// defective pixel scores higher than a random defect-free one, ties
    /// counting half. All counts are integers; the only rounding is that of
    /// the final division.
    ///
    /// ```
    /// // Of two pairs, one is in order and one is tied.
    /// let ranked = metrics::RankedScores::new(&[0.1, 0.5, 0.5], &[false, false, true])?;
    /// assert_eq!(ranked.roc_auc(), 0.75);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    #[doc(alias = "roc_auc_score")]
    #[doc(alias = "auroc")]
    #[doc(alias = "mannwhitneyu")]
    pub fn roc_auc(&self) -> f64 {
        let mut above = 0_u64;
        let mut doubled_misordered = 0_u64;
        // Below 2⁶³: there are fewer than 2³² pixels of both classes together.
        for step in self.sorted.steps() {
            doubled_misordered += step.positives * (2 * above + step.negatives);
            above += step.negatives;
        }
        let doubled_pairs = 2 * self.positives() * self.negatives();
        (doubled_pairs - doubled_misordered) as f64 / doubled_pairs as f64
    }

    /// The precision–recall curve.
    ///
    /// With [`Points::Corners`], points between the first and the last of
    /// equal recall are left out, as with scikit-learn's
    /// `drop_intermediate=True` (which also keeps the first point of a data set
    /// whose highest score is a defect-free pixel's).
    ///
    /// ```
    /// use metrics::{Points, RankedScores};
    ///
    /// let ranked = RankedScores::new(&[0.9, 0.8, 0.7], &[true, false, true])?;
    /// let curve = ranked.precision_recall(Points::All);
    /// assert_eq!(curve.precision(), [1.0, 1.0, 0.5, 2.0 / 3.0]);
    /// assert_eq!(curve.recall(), [0.0, 0.5, 0.5, 1.0]);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    #[doc(alias = "precision_recall_curve")]
    pub fn precision_recall(&self, points: Points) -> PrCurve {
        PrCurve::of_ranking(&self.sorted, points)
    }

    /// The average precision: Σ (recallᵢ − recallᵢ₋₁)·precisionᵢ over
    /// descending thresholds, without interpolation.
    ///
    /// ```
    /// let ranked = metrics::RankedScores::new(&[0.9, 0.8, 0.7, 0.6], &[true, false, false, true])?;
    /// assert_eq!(ranked.average_precision(), 0.5 * 1.0 + 0.5 * 0.5);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    #[doc(alias = "average_precision_score")]
    pub fn average_precision(&self) -> f64 {
        let (mut tp, mut fp, mut sum) = (0, 0, 0.0);
        for step in self.sorted.steps() {
            tp += step.positives;
            fp += step.negatives;
            sum += step.positives as f64 * (tp as f64 / (tp + fp) as f64);
        }
        sum / self.positives() as f64
    }

    /// The largest F1 (equal to the largest Dice) over all thresholds.
    ///
    /// ```
    /// use metrics::{F1Max, RankedScores};
    ///
    /// let ranked = RankedScores::new(&[0.9, 0.8, 0.7], &[true, false, true])?;
    /// assert_eq!(ranked.f1_max(), F1Max { f1: 0.8, threshold: 0.7 });
    /// # Ok::<(), metrics::Error>(())
    /// ```
    pub fn f1_max(&self) -> F1Max {
        let (mut tp, mut fp) = (0, 0);
        let mut best = F1Max { f1: 0.0, threshold: f32::INFINITY };
        for step in self.sorted.steps() {
            tp += step.positives;
            fp += step.negatives;
            let f1 = 2.0 * tp as f64 / (tp + fp + self.positives()) as f64;
            if f1 > best.f1 {
                best = F1Max { f1, threshold: step.threshold };
            }
        }
        best
    }

    /// The counts at a threshold, by binary search.
    ///
    /// ```
    /// let ranked = metrics::RankedScores::new(&[0.9, 0.8, 0.7], &[true, false, true])?;
    /// let counts = ranked.confusion(0.8)?;
    /// assert_eq!((counts.precision(), counts.recall()), (Some(0.5), Some(0.5)));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidThreshold`] if the threshold is NaN.
    #[doc(alias = "confusion_matrix")]
    pub fn confusion(&self, threshold: f32) -> Result<Confusion, Error> {
        if threshold.is_nan() {
            return Err(Error::InvalidThreshold);
        }
        // Keys of infinities lie beyond those of all finite scores.
        let lowest = key::encode(threshold);
        let detected = |keys: &[u32]| keys.partition_point(|&key| key <= lowest) as u64;
        let (tp, fp) =
            (detected(self.sorted.positive_keys()), detected(self.sorted.negative_keys()));
        Ok(Confusion {
            true_positives: tp,
            false_positives: fp,
            true_negatives: self.negatives() - fp,
            false_negatives: self.positives() - tp,
        })
    }
}

/// The ROC curve of pooled scores, exact, with the ties merged:
/// [`RankedScores::roc`] with [`Points::Corners`].
///
/// ```
/// let curve = metrics::roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// assert_eq!(curve.fpr(), [0.0, 0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.tpr(), [0.0, 0.5, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.thresholds(), [f32::INFINITY, 0.8, 0.4, 0.35, 0.1]);
/// assert_eq!(curve.auc(), 0.75);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// See [`RankedScores::pooled`].
#[doc(alias = "roc_curve")]
#[doc(alias = "BinaryROC")]
pub fn roc(scores: &[f32], labels: &[bool]) -> Result<RocCurve, Error> {
    Ok(RankedScores::new(scores, labels)?.roc(Points::Corners))
}

/// The area under the ROC curve: [`RankedScores::roc_auc`].
///
/// The image-level AUROC is this over one score and one label per image; see
/// [`image_score`](crate::image_score).
///
/// ```
/// // Three of four pairs of a defective and a defect-free pixel are in order.
/// let area = metrics::roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// assert_eq!(area, 0.75);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// See [`RankedScores::pooled`].
#[doc(alias = "roc_auc_score")]
#[doc(alias = "auroc")]
#[doc(alias = "AUROC")]
#[doc(alias = "BinaryAUROC")]
pub fn roc_auc(scores: &[f32], labels: &[bool]) -> Result<f64, Error> {
    Ok(RankedScores::new(scores, labels)?.roc_auc())
}

/// The precision–recall curve of pooled scores, exact, with the ties merged:
/// [`RankedScores::precision_recall`] with [`Points::Corners`].
///
/// ```
/// let labels = [false, false, true, true];
/// let curve = metrics::precision_recall(&[0.1, 0.4, 0.35, 0.8], &labels)?;
/// assert_eq!(curve.recall(), [0.0, 0.5, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.precision(), [1.0, 1.0, 0.5, 2.0 / 3.0, 0.5]);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// See [`RankedScores::pooled`].
#[doc(alias = "precision_recall_curve")]
#[doc(alias = "BinaryPrecisionRecallCurve")]
pub fn precision_recall(scores: &[f32], labels: &[bool]) -> Result<PrCurve, Error> {
    Ok(RankedScores::new(scores, labels)?.precision_recall(Points::Corners))
}

/// The average precision: [`RankedScores::average_precision`].
///
/// ```
/// // Recall goes from 0 to 1/2 at precision 1, and from there to 1 at precision 2/3.
/// let labels = [false, false, true, true];
/// let average = metrics::average_precision(&[0.1, 0.4, 0.35, 0.8], &labels)?;
/// assert!((average - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// See [`RankedScores::pooled`].
#[doc(alias = "average_precision_score")]
#[doc(alias = "aupr")]
#[doc(alias = "BinaryAveragePrecision")]
pub fn average_precision(scores: &[f32], labels: &[bool]) -> Result<f64, Error> {
    Ok(RankedScores::new(scores, labels)?.average_precision())
}

/// The largest F1 and its threshold: [`RankedScores::f1_max`].
///
/// ```
/// // Precision 2/3 and recall 1.
/// let best = metrics::f1_max(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// assert_eq!((best.f1, best.threshold), (0.8, 0.35));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// See [`RankedScores::pooled`].
pub fn f1_max(scores: &[f32], labels: &[bool]) -> Result<F1Max, Error> {
    Ok(RankedScores::new(scores, labels)?.f1_max())
}
