//! Whether scores of new images are still those of the calibration's good images.

/// Scores of the calibration and of new images that a comparison needs, at least.
const REFERENCE: usize = 8;
const RECENT: usize = 20;

/// The deviation of the rank sum, in standard deviations, that counts as drift: chance alone exceeds it in one of 15,000 comparisons.
const LIMIT: f64 = 4.0;

/// New scores compared with those of a calibration, by the Mann–Whitney U test (Mann and Whitney, 1947; also known as Wilcoxon's
/// rank-sum test), which assumes nothing of how scores are distributed.
///
/// ```
/// use detector::Drift;
///
/// let calibrated: Vec<f32> = (0..20).map(|i| 0.4 + 0.01 * i as f32).collect();
/// let alike: Vec<f32> = (0..40).map(|i| 0.4 + 0.005 * i as f32).collect();
/// let brighter: Vec<f32> = alike.iter().map(|score| score + 0.15).collect();
/// assert!(!Drift::between(&calibrated, &alike).unwrap().is_significant());
/// let drift = Drift::between(&calibrated, &brighter).unwrap();
/// assert!(drift.is_significant() && drift.higher > 0.9);
/// assert!(Drift::between(&calibrated, &alike[..3]).is_none(), "too few to say");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// The share of pairs of a new and a calibration's score of which the new one is higher, ties by half: 1/2 without drift.
    pub higher: f64,
    /// The deviation of that share from 1/2 in standard deviations, above 0 if new scores are higher.
    pub z: f64,
    /// Number of new scores.
    pub recent: usize,
}

impl Drift {
    /// Compares `recent` scores with those of good images in a calibration; `None` if either are too few, below 8 and 20, or all are
    /// equal. The deviation is by the normal approximation, corrected for ties.
    pub fn between(calibrated: &[f32], recent: &[f32]) -> Option<Self> {
        if calibrated.len() < REFERENCE || recent.len() < RECENT {
            return None;
        }
        let (m, n) = (recent.len() as f64, calibrated.len() as f64);
        let mut all: Vec<(f32, bool)> = recent.iter().map(|&score| (score, true)).collect();
        all.extend(calibrated.iter().map(|&score| (score, false)));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0.0);
        for tied in all.chunk_by(|a, b| a.0 == b.0) {
            let count = tied.len() as f64;
            let new = tied.iter().filter(|(_, is_recent)| *is_recent).count() as f64;
            rank_sum += new * (before + (count + 1.0) / 2.0);
            ties += count.powi(3) - count;
            before += count;
        }
        let u = rank_sum - m * (m + 1.0) / 2.0;
        let variance = m * n / 12.0 * (m + n + 1.0 - ties / ((m + n) * (m + n - 1.0)));
        let z = (u - m * n / 2.0) / variance.sqrt();
        z.is_finite().then_some(Self { higher: u / (m * n), z, recent: recent.len() })
    }

    /// Whether it deviates by more than four standard deviations, as chance alone does in one of 15,000 comparisons.
    pub fn is_significant(&self) -> bool {
        self.z.abs() > LIMIT
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;

    /// By `scipy.stats.mannwhitneyu(recent, calibrated, use_continuity=False, method="asymptotic")` of SciPy 1.17.1: U = 198 and
    /// p = 0.11891113287698289, and so z = `norm.isf(p / 2)` = 1.5593602754792013.
    #[test]
    fn the_deviation_is_scipys() {
        let calibrated: Vec<f32> =
            (0..12).map(|i| (30 + 5 * (i * 7 % 10)) as f32 / 100.0).collect();
        let recent: Vec<f32> = (0..25).map(|i| (35 + 4 * (i * 11 % 14)) as f32 / 100.0).collect();
        let drift = Drift::between(&calibrated, &recent).unwrap();
        assert_eq!((drift.higher, drift.recent), (198.0 / 300.0, 25));
        assert!((drift.z - 1.559_360_275_479_201_3).abs() < 1e-12, "{}", drift.z);
        assert!(!drift.is_significant());
    }

    #[test]
    fn equal_scores_say_nothing() {
        assert_eq!(Drift::between(&[0.5; 9], &[0.5; 30]), None);
    }
}
