use serde::{Deserialize, Serialize};

use crate::false_alarms::{check_images, threshold_of_false_alarms};
use crate::finite::check_finite;
use crate::largest_region::score_of_too_large_region;
use crate::{Error, Image, Mask, NOT_SCORED, Plane};

/// How a threshold follows from the scores of good images.
///
/// A pixel is defective if `score >= threshold`, everywhere in this workspace. Every rule but `Manual` names a
/// *statistic* of the good scores that still counts as good; the threshold is the next f32 above it.
///
/// In a configuration file a rule is a table such as `{ rule = "quantile", q = 0.999 }`.
///
/// ```
/// use inspect::{Image, ThresholdRule, threshold};
///
/// let good = [Image::new(5, 2, vec![0.0, 0.1, 0.2, 0.3, 0.4,
///                                   0.5, 0.6, 0.7, 0.8, 0.9])?];
/// let statistic = |rule| threshold(&good, &rule).map(f32::next_down);
/// assert_eq!(statistic(ThresholdRule::Max {})?, 0.9);
/// assert_eq!(statistic(ThresholdRule::Quantile { q: 0.5 })?, 0.4);
/// // At 0.6, four pixels would be flagged, and they are neighbours.
/// assert_eq!(statistic(ThresholdRule::LargestRegion { max_area: 3 })?, 0.6);
/// // A mean of 0.45 and a deviation of √0.0825.
/// assert!((statistic(ThresholdRule::MeanSigma { k: 2.0 })? - 1.0245).abs() < 1e-4);
/// assert_eq!(threshold(&[], &ThresholdRule::Manual { threshold: 0.25 })?, 0.25);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "rule",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "a table such as { rule = \"max\" }"
)]
pub enum ThresholdRule {
    /// The largest good score: no pixel of the good images is flagged.
    // The braces make serde refuse superfluous keys, which it would ignore beside a unit variant.
    Max {},
    /// The `⌈q·n⌉`-th smallest of the n good scores (the inverse of the empirical distribution function, no
    /// interpolation): at most a fraction `1 - q` of the pixels of the good images is flagged, and `q = 1` is
    /// `Max`.
    Quantile {
        /// The fraction, above 0 and at most 1.
        q: f64,
    },
    /// Mean plus `k` standard deviations of the good scores (divided by their number, not one less). By
    /// Cantelli's inequality, at most a fraction `1 / (1 + k²)` of the pixels is flagged, for `k > 0`.
    MeanSigma {
        /// The number of standard deviations, finite.
        k: f64,
    },
    /// The smallest threshold at which no 8-connected region of flagged pixels on any good image is larger than
    /// `max_area`, as MVTec chooses it (a minimum defect area of A there is `max_area = A - 1` here). The
    /// statistic is the largest score at which some region exceeds the area; `max_area = 0` is `Max`.
    LargestRegion {
        /// The largest area in pixels that may be flagged on a good image.
        max_area: usize,
    },
    /// The threshold that one of `images` good images reaches somewhere, on average, by extreme-value statistics; see
    /// [`false_alarm_threshold`](crate::false_alarm_threshold()).
    FalseAlarms {
        /// The number of good images per false alarm, finite and at least 1.
        images: f64,
    },
    /// A threshold given from outside, as it is (rounded to f32).
    Manual {
        /// The threshold, finite.
        threshold: f64,
    },
}

impl ThresholdRule {
    /// Checks the parameter of the rule.
    ///
    /// ```
    /// use inspect::ThresholdRule;
    ///
    /// assert!(ThresholdRule::Quantile { q: 1.0 }.validate().is_ok());
    /// assert!(ThresholdRule::Quantile { q: 1.5 }.validate().is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::RuleParameter`] if it is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        check_rule(self)
    }

    /// The pixels of the smallest region that a decision by this rule counts as a defect, where 1 is the least: a good image may have
    /// smaller ones at the threshold.
    pub fn min_area(&self) -> usize {
        match *self {
            Self::LargestRegion { max_area } => max_area.saturating_add(1),
            _ => 1,
        }
    }
}

/// The threshold that `rule` derives from the score maps of good images.
///
/// ```
/// use inspect::{Image, ThresholdRule, threshold, threshold_mask};
///
/// let good = Image::new(2, 2, vec![0.1, 0.4, 0.2, 0.3])?;
/// let t = threshold(&[good.clone()], &ThresholdRule::Max {})?;
/// assert_eq!(t, 0.4_f32.next_up());
/// assert!(threshold_mask(&good, t).data().iter().all(|&defective| !defective));
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// Pixels that are [`NOT_SCORED`] are left out.
///
/// # Errors
/// If there are no scores (except for `Manual`, which needs none), a score is not finite, a parameter of the rule
/// is out of range, or `max_area` is so large that every threshold would satisfy it.
pub fn threshold(good: &[Image], rule: &ThresholdRule) -> Result<f32, Error> {
    check_rule(rule)?;
    if !matches!(rule, ThresholdRule::Manual { .. }) {
        check_scores(good)?;
    }
    let statistic = match *rule {
        ThresholdRule::Manual { threshold } => return Ok(threshold as f32),
        ThresholdRule::Max {} => scores(good).fold(f32::NEG_INFINITY, f32::max),
        ThresholdRule::Quantile { q } => quantile(good, q),
        ThresholdRule::MeanSigma { k } => mean_plus_sigma(good, k) as f32,
        ThresholdRule::FalseAlarms { images } => threshold_of_false_alarms(good, images)? as f32,
        ThresholdRule::LargestRegion { max_area } => score_of_too_large_region(good, max_area)?,
    };
    let threshold = statistic.next_up();
    if threshold.is_finite() { Ok(threshold) } else { Err(Error::ThresholdRange { statistic }) }
}

/// The pixels that are defective at `threshold`: those with `score >= threshold`. A score that is NaN is defective, and with a
/// threshold that is NaN all are: what cannot be judged does not pass as good.
///
/// ```
/// use inspect::{Image, Mask, threshold_mask};
///
/// let scores = Image::new(3, 2, vec![0.1, 0.5, 0.4,
///                                    0.2, 0.6, 0.3])?;
/// let defective = Mask::new(3, 2, vec![false, true, false,
///                                      false, true, false])?;
/// assert_eq!(threshold_mask(&scores, 0.5), defective);
/// # Ok::<(), inspect::Error>(())
/// ```
pub fn threshold_mask(scores: &Image, threshold: f32) -> Mask {
    let is_good = |score: f32| score < threshold;
    Plane::from_fn(scores.width(), scores.height(), |x, y| !is_good(scores.get(x, y)))
}

fn check_rule(rule: &ThresholdRule) -> Result<(), Error> {
    let (name, value, valid, expected) = match *rule {
        ThresholdRule::Max {} | ThresholdRule::LargestRegion { .. } => return Ok(()),
        ThresholdRule::FalseAlarms { images } => return check_images(images),
        ThresholdRule::Quantile { q } => ("q", q, q > 0.0 && q <= 1.0, "above 0 and at most 1"),
        ThresholdRule::MeanSigma { k } => ("k", k, k.is_finite(), "finite"),
        ThresholdRule::Manual { threshold: t } => {
            ("threshold", t, (t as f32).is_finite(), "a finite f32")
        }
    };
    if valid { Ok(()) } else { Err(Error::RuleParameter { name, expected, got: value }) }
}

fn check_scores(good: &[Image]) -> Result<(), Error> {
    for map in good {
        check_finite("the score map of a good image", map.data())?;
    }
    if scores(good).next().is_none() { Err(Error::NoScores) } else { Ok(()) }
}

fn scores(maps: &[Image]) -> impl Iterator<Item = f32> {
    maps.iter().flat_map(|map| map.data().iter().copied()).filter(|&score| score > NOT_SCORED)
}

fn quantile(good: &[Image], q: f64) -> f32 {
    let mut scores: Vec<f32> = scores(good).collect();
    let rank = (q * scores.len() as f64).ceil() as usize;
    let index = rank.clamp(1, scores.len()) - 1;
    *scores.select_nth_unstable_by(index, f32::total_cmp).1
}

/// Two passes: the sum of squares minus the square of the sum would cancel.
fn mean_plus_sigma(good: &[Image], k: f64) -> f64 {
    let count = scores(good).count() as f64;
    let mean = scores(good).map(f64::from).sum::<f64>() / count;
    let variance = scores(good).map(|s| (f64::from(s) - mean).powi(2)).sum::<f64>() / count;
    mean + k * variance.sqrt()
}
