//! How well one figure ranks what another one measures.

/// Spearman's rank correlation of two figures of the same things, from −1 to 1; equal values share the mean of their ranks. There is
/// none of fewer than two things, or where a figure is the same for all.
///
/// ```
/// use detector::rank_correlation;
///
/// assert_eq!(rank_correlation(&[0.1, 0.2, 0.9], &[3.0, 5.0, 6.0]), Some(1.0));
/// // scipy.stats.spearmanr([1, 2, 3, 4], [2, 2, 4, 1]) of SciPy 1.17.1: -0.316227766016838
/// let correlation = rank_correlation(&[1.0, 2.0, 3.0, 4.0], &[2.0, 2.0, 4.0, 1.0]);
/// assert!(correlation.is_some_and(|value| (value + 0.316_227_766_016_838).abs() < 1e-12));
/// assert_eq!(rank_correlation(&[1.0, 2.0], &[5.0, 5.0]), None);
/// ```
pub fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let covariance = covariance(&a, &b);
    let deviations = (self::covariance(&a, &a) * self::covariance(&b, &b)).sqrt();
    (deviations > 0.0).then(|| covariance / deviations)
}

/// The place of each value among all, from 0.
fn ranks(values: &[f64]) -> Vec<f64> {
    let count = |of: &dyn Fn(f64) -> bool| values.iter().filter(|&&value| of(value)).count() as f64;
    let rank =
        |&value: &f64| count(&|other| other < value) + (count(&|other| other == value) - 1.0) / 2.0;
    values.iter().map(rank).collect()
}

/// The sum of products of the distances from the means.
fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum()
}
