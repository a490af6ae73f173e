use std::iter::Sum;
use std::ops::{Add, AddAssign};

use crate::Error;
use crate::check::check_image;

/// Counts of pixels by what they are and what they were taken for.
///
/// Counts of several images add up with `+` or `sum()`. A rate is `None` where
/// it would divide by zero, for example the recall of a defect-free image.
///
/// ```
/// use metrics::Confusion;
///
/// let counts = Confusion {
///     true_positives: 3,
///     false_positives: 1,
///     true_negatives: 9,
///     false_negatives: 2,
/// };
/// assert_eq!((counts.precision(), counts.recall()), (Some(0.75), Some(0.6)));
/// assert_eq!((counts.f1(), counts.dice()), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
/// assert_eq!((counts.iou(), counts.false_positive_rate()), (Some(0.5), Some(0.1)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "confusion_matrix")]
pub struct Confusion {
    /// Defective pixels that were detected.
    pub true_positives: u64,
    /// Defect-free pixels that were detected.
    pub false_positives: u64,
    /// Defect-free pixels that were not detected.
    pub true_negatives: u64,
    /// Defective pixels that were missed.
    pub false_negatives: u64,
}

impl Confusion {
    /// Counts the pixels of one image, detected if `score >= threshold`.
    ///
    /// Any classes may be missing, and the threshold may be infinite.
    ///
    /// ```
    /// use metrics::Confusion;
    ///
    /// let labels = [true, true, false, false];
    /// let counts = Confusion::at_threshold(&[0.9, 0.2, 0.6, 0.1], &labels, 0.6)?;
    /// assert_eq!((counts.true_positives, counts.false_negatives), (1, 1));
    /// assert_eq!((counts.false_positives, counts.true_negatives), (1, 1));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidThreshold`] if the threshold is NaN,
    /// [`Error::LengthMismatch`] and [`Error::NonFiniteScore`].
    #[doc(alias = "confusion_matrix")]
    pub fn at_threshold(scores: &[f32], labels: &[bool], threshold: f32) -> Result<Self, Error> {
        if threshold.is_nan() {
            return Err(Error::InvalidThreshold);
        }
        check_image(0, (scores, labels))?;
        let detected = scores.iter().map(|&score| score >= threshold);
        Ok(Self::count(detected, labels))
    }

    /// Compares a predicted mask with the ground truth, both `true` at
    /// defective pixels.
    ///
    /// ```
    /// use metrics::Confusion;
    ///
    /// let found = Confusion::of_masks(&[true, true, false], &[true, false, false])?;
    /// let missed = Confusion::of_masks(&[false, false, false], &[true, true, false])?;
    /// let pooled: Confusion = [found, missed].into_iter().sum();
    /// assert_eq!((missed.precision(), pooled.precision()), (None, Some(0.5)));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    #[doc(alias = "confusion_matrix")]
    pub fn of_masks(predicted: &[bool], labels: &[bool]) -> Result<Self, Error> {
        if predicted.len() != labels.len() {
            let (scores, labels) = (predicted.len(), labels.len());
            return Err(Error::LengthMismatch { image: 0, scores, labels });
        }
        Ok(Self::count(predicted.iter().copied(), labels))
    }

    fn count(detected: impl ExactSizeIterator<Item = bool>, labels: &[bool]) -> Self {
        let total = labels.len() as u64;
        let (mut both, mut found, mut defective) = (0, 0, 0);
        for (detected, &label) in detected.zip(labels) {
            both += u64::from(detected & label);
            found += u64::from(detected);
            defective += u64::from(label);
        }
        Self {
            true_positives: both,
            false_positives: found - both,
            true_negatives: total + both - found - defective,
            false_negatives: defective - both,
        }
    }

    /// The share of detected pixels that are defective: TP / (TP + FP).
    #[doc(alias = "precision_score")]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of defective pixels that are detected, the true-positive
    /// rate: TP / (TP + FN).
    #[doc(alias = "recall_score")]
    #[doc(alias = "sensitivity")]
    #[doc(alias = "true_positive_rate")]
    #[doc(alias = "tpr")]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// The share of defect-free pixels that are detected: FP / (FP + TN).
    #[doc(alias = "fpr")]
    pub fn false_positive_rate(&self) -> Option<f64> {
        ratio(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).
    #[doc(alias = "f1_score")]
    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.true_positives, 2 * self.true_positives + self.errors())
    }

    /// The Dice coefficient of detection and ground truth, which is
    /// [`Confusion::f1`] by another name.
    #[doc(alias = "DiceScore")]
    pub fn dice(&self) -> Option<f64> {
        self.f1()
    }

    /// Intersection over union of detection and ground truth, the Jaccard
    /// index: TP / (TP + FP + FN).
    #[doc(alias = "jaccard_score")]
    #[doc(alias = "JaccardIndex")]
    pub fn iou(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.errors())
    }

    fn errors(&self) -> u64 {
        self.false_positives + self.false_negatives
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Add for Confusion {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
            true_negatives: self.true_negatives + other.true_negatives,
            false_negatives: self.false_negatives + other.false_negatives,
        }
    }
}

impl AddAssign for Confusion {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Confusion {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_rates_are_none() {
        let nothing = Confusion::default();
        assert_eq!(nothing.precision(), None);
        assert_eq!(nothing.recall(), None);
        assert_eq!(nothing.false_positive_rate(), None);
        assert_eq!(nothing.f1(), None);
        assert_eq!(nothing.iou(), None);
    }

    #[test]
    fn a_missed_defect_has_f1_zero_but_no_precision() {
        let missed = Confusion { false_negatives: 4, ..Confusion::default() };
        assert_eq!(missed.precision(), None);
        assert_eq!(missed.f1(), Some(0.0));
    }

    #[test]
    fn counts_of_images_add_up() -> Result<(), Error> {
        let first = Confusion::at_threshold(&[0.5, 0.4], &[true, true], 0.5)?;
        let second = Confusion::of_masks(&[true, false], &[false, false])?;
        let expected = Confusion {
            true_positives: 1,
            false_positives: 1,
            true_negatives: 1,
            false_negatives: 1,
        };
        assert_eq!([first, second].into_iter().sum::<Confusion>(), expected);
        Ok(())
    }
}
