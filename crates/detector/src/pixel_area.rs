//! The area under the ROC curve of the pixels of one defect, against good ones that serve for many defects.

/// The scores in the order that [`pixel_area`] takes them in.
pub fn ascending(mut scores: Vec<f32>) -> Vec<f32> {
    scores.sort_unstable_by(f32::total_cmp);
    scores
}

/// The area under the ROC curve of good scores, which are in ascending order, and of those of a defect: the share of pairs in which the
/// good one is lower; of equal ones, a half.
pub fn pixel_area(good: &[f32], defective: &[f32]) -> f64 {
    let lower = |score: &f32| {
        let below = good.partition_point(|good| good < score);
        let not_above = good.partition_point(|good| good <= score);
        (below + not_above) as f64 / 2.0
    };
    defective.iter().map(lower).sum::<f64>() / (good.len() * defective.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::roc_auc;

    #[test]
    fn the_area_is_that_of_metrics_also_with_equal_scores() {
        let (good, defective) = ([0.0, 0.25, 0.25, 0.5], [0.25, 0.75, 0.5]);
        let labels: Vec<bool> = (0..7).map(|index| index >= 4).collect();
        let expected = roc_auc(&[&good[..], &defective[..]].concat(), &labels);
        let area = pixel_area(&ascending(good.to_vec()), &defective);
        // Sums of halves and quarters are exact but for one division.
        assert!(expected.is_ok_and(|expected| (area - expected).abs() < 1e-15));
    }
}
