//! Identities between the metrics, and invalid input.

use metrics::{
    Confusion, Error, Points, RankedImages, RankedScores, RocHistogram, ScoredImage, au_pro,
    pro_curve, roc, roc_auc,
};
use proptest::prelude::*;

/// Scores on a coarse grid around zero, so that ties are frequent, and labels
/// of both classes.
fn pixels() -> impl Strategy<Value = (Vec<f32>, Vec<bool>)> {
    let pixel = ((-12_i8..12).prop_map(|tick| f32::from(tick) / 4.0), any::<bool>());
    proptest::collection::vec(pixel, 2..80)
        .prop_map(|pixels| pixels.into_iter().unzip())
        .prop_filter("both classes", |(_, labels): &(_, Vec<bool>)| {
            labels.contains(&true) && labels.contains(&false)
        })
}

/// The share of pairs in order, ties counting half, over all pairs.
fn mann_whitney(scores: &[f32], labels: &[bool]) -> f64 {
    let of_class = |class| {
        let members = scores.iter().zip(labels).filter(move |(_, label)| **label == class);
        members.map(|(score, _)| *score).collect::<Vec<_>>()
    };
    let (good, bad) = (of_class(false), of_class(true));
    let doubled: u32 = bad
        .iter()
        .flat_map(|b| good.iter().map(move |g| u32::from(b > g) + u32::from(b >= g)))
        .sum();
    f64::from(doubled) / (2 * good.len() * bad.len()) as f64
}

/// Sums of at most 80 terms below 1, each rounded a few times.
const SUM: f64 = 80.0 * 4.0 * f64::EPSILON;

proptest! {
    #[test]
    fn auc_is_the_mann_whitney_statistic((scores, labels) in pixels()) {
        let auc = roc_auc(&scores, &labels).unwrap();
        // Both divide the same integers.
        prop_assert_eq!(auc, mann_whitney(&scores, &labels));
        for points in [Points::All, Points::Corners] {
            let curve = RankedScores::new(&scores, &labels).unwrap().roc(points);
            prop_assert!((curve.auc() - auc).abs() <= SUM);
            prop_assert!((curve.partial_auc(1.0).unwrap() - auc).abs() <= SUM);
        }
    }

    /// Each point of a curve is what counting at its threshold gives.
    #[test]
    fn curves_are_made_of_confusions((scores, labels) in pixels()) {
        let ranked = RankedScores::new(&scores, &labels).unwrap();
        for points in [Points::All, Points::Corners] {
            let (roc, pr) = (ranked.roc(points), ranked.precision_recall(points));
            for (i, &threshold) in roc.thresholds().iter().enumerate() {
                let counts = Confusion::at_threshold(&scores, &labels, threshold).unwrap();
                prop_assert_eq!(ranked.confusion(threshold).unwrap(), counts);
                prop_assert_eq!(counts.false_positive_rate(), Some(roc.fpr()[i]));
                prop_assert_eq!(counts.recall(), Some(roc.tpr()[i]));
            }
            for (i, &threshold) in pr.thresholds().iter().enumerate() {
                let counts = Confusion::at_threshold(&scores, &labels, threshold).unwrap();
                prop_assert_eq!(counts.precision().unwrap_or(1.0), pr.precision()[i]);
                prop_assert_eq!(counts.recall(), Some(pr.recall()[i]));
            }
        }
    }

    /// Between corners, all other points lie on the line.
    #[test]
    fn no_three_corners_are_in_line((scores, labels) in pixels()) {
        let curve = roc(&scores, &labels).unwrap();
        let ranked = RankedScores::new(&scores, &labels).unwrap();
        let counts = |rates: &[f64], total: u64| -> Vec<i64> {
            rates.iter().map(|rate| (rate * total as f64).round() as i64).collect()
        };
        let x = counts(curve.fpr(), ranked.negatives());
        let y = counts(curve.tpr(), ranked.positives());
        for i in 2..x.len() {
            let (before, after) = ((x[i - 1] - x[i - 2], y[i - 1] - y[i - 2]), (x[i] - x[i - 1], y[i] - y[i - 1]));
            prop_assert_ne!(before.0 * after.1, before.1 * after.0);
        }
    }

    #[test]
    fn only_the_order_of_scores_counts((scores, labels) in pixels()) {
        // Exact on the grid of quarters: no two scores become equal.
        let moved: Vec<f32> = scores.iter().map(|score| (2.0 * score + 8.0).powi(3)).collect();
        let (a, b) = (roc(&scores, &labels).unwrap(), roc(&moved, &labels).unwrap());
        prop_assert_eq!(a.fpr(), b.fpr());
        prop_assert_eq!(a.tpr(), b.tpr());
        let size = |scores| ScoredImage { width: labels.len(), height: 1, scores, labels: &labels };
        let areas = [&scores, &moved].map(|scores| au_pro(&[size(scores)], 0.3).unwrap());
        prop_assert_eq!(areas[0], areas[1]);
    }

    #[test]
    fn reversing_the_scores_mirrors_the_area((scores, labels) in pixels()) {
        let reversed: Vec<f32> = scores.iter().map(|score| -score).collect();
        let sum = roc_auc(&scores, &labels).unwrap() + roc_auc(&reversed, &labels).unwrap();
        prop_assert!((sum - 1.0).abs() <= 2.0 * f64::EPSILON);
    }

    #[test]
    fn pooled_images_are_one_long_image((scores, labels) in pixels(), cut in 0.0..1.0) {
        let cut = (cut * scores.len() as f64) as usize;
        let parts = [(&scores[..cut], &labels[..cut]), (&scores[cut..], &labels[cut..])];
        let pooled = RankedScores::pooled(parts).unwrap();
        let whole = RankedScores::new(&scores, &labels).unwrap();
        prop_assert_eq!(pooled.roc(Points::All), whole.roc(Points::All));
    }

    #[test]
    fn f1_max_is_the_largest_over_all_thresholds((scores, labels) in pixels()) {
        let best = RankedScores::new(&scores, &labels).unwrap().f1_max();
        let at = |threshold| Confusion::at_threshold(&scores, &labels, threshold).unwrap().f1().unwrap();
        prop_assert_eq!(at(best.threshold), best.f1);
        for &threshold in &scores {
            prop_assert!(at(threshold) < best.f1 || threshold <= best.threshold && at(threshold) == best.f1);
        }
    }

    /// With regions of one pixel each, the overlap is the true-positive rate.
    #[test]
    fn pro_of_single_pixels_is_roc((scores, labels) in pixels()) {
        let spread = |gap: f32, value: &[f32]| -> Vec<f32> {
            value.iter().flat_map(|&v| [v, gap]).collect()
        };
        // A defect-free pixel with the lowest score between any two pixels.
        let scores = spread(-3.0, &scores);
        let labels: Vec<bool> = labels.iter().flat_map(|&label| [label, false]).collect();
        let image = ScoredImage { width: labels.len(), height: 1, scores: &scores, labels: &labels };
        let (pro, roc) = (pro_curve(&[image]).unwrap(), roc(&scores, &labels).unwrap());
        for limit in [0.1, 0.3, 1.0] {
            let difference = pro.area(limit).unwrap() - roc.partial_auc(limit).unwrap();
            prop_assert!(difference.abs() <= 2.0 * SUM / limit);
        }
    }

    /// The same sums of the same terms, whether or not there is a curve and
    /// whatever is left out beyond the limit.
    #[test]
    fn au_pro_is_the_area_of_its_curve((scores, labels) in pixels(), limit in 0.01..=1.0) {
        let image = ScoredImage { width: labels.len(), height: 1, scores: &scores, labels: &labels };
        let area = pro_curve(&[image]).unwrap().area(limit).unwrap();
        let ranked = RankedImages::new(&[image]).unwrap();
        prop_assert_eq!(au_pro(&[image], limit).unwrap(), area);
        prop_assert_eq!(ranked.au_pro(limit).unwrap(), area);
        prop_assert_eq!(ranked.scores().roc_auc(), roc_auc(&scores, &labels).unwrap());
    }

    #[test]
    fn histogram_error_is_within_its_bound((scores, labels) in pixels(), bins in 1_usize..30) {
        let mut histogram = RocHistogram::new(-2.0, 2.3, bins).unwrap();
        histogram.add(&scores, &labels).unwrap();
        let error = histogram.auc().unwrap() - roc_auc(&scores, &labels).unwrap();
        prop_assert!(error.abs() <= histogram.auc_error_bound().unwrap() + 4.0 * f64::EPSILON);
        prop_assert!((histogram.roc().unwrap().auc() - histogram.auc().unwrap()).abs() <= SUM);
    }

    #[test]
    fn histogram_points_lie_on_the_exact_curve((scores, labels) in pixels(), bins in 1_usize..30) {
        let mut histogram = RocHistogram::new(-2.0, 2.3, bins).unwrap();
        histogram.add(&scores, &labels).unwrap();
        let curve = histogram.roc().unwrap();
        for (i, &threshold) in curve.thresholds().iter().enumerate() {
            let counts = Confusion::at_threshold(&scores, &labels, threshold).unwrap();
            prop_assert_eq!(counts.false_positive_rate(), Some(curve.fpr()[i]));
            prop_assert_eq!(counts.recall(), Some(curve.tpr()[i]));
        }
    }

    #[test]
    fn merged_histograms_are_one((scores, labels) in pixels(), cut in 0.0..1.0) {
        let cut = (cut * scores.len() as f64) as usize;
        let histogram = |from: usize, to: usize| {
            let mut histogram = RocHistogram::new(-2.0, 2.0, 9).unwrap();
            histogram.add(&scores[from..to], &labels[from..to]).unwrap();
            histogram
        };
        let mut merged = histogram(0, cut);
        merged.merge(&histogram(cut, scores.len())).unwrap();
        prop_assert_eq!(merged, histogram(0, scores.len()));
    }
}

/// The bound is reached: all pairs of one bin are in order.
#[test]
fn histogram_bound_is_tight() {
    let mut histogram = RocHistogram::new(0.0, 1.0, 1).unwrap();
    histogram.add(&[0.1, 0.9], &[false, true]).unwrap();
    assert_eq!(histogram.auc().unwrap(), 0.5);
    assert_eq!(histogram.auc_error_bound().unwrap(), 0.5);
}

/// The edges 0.1, 0.2, … are rounded to single precision, some up and some
/// down; scores at an edge belong above it.
#[test]
fn scores_at_an_edge_fall_into_the_bin_above() {
    for bin in 1_u8..10 {
        let edge = f32::from(bin) / 10.0;
        let mut histogram = RocHistogram::new(0.0, 1.0, 10).unwrap();
        histogram.add(&[edge.next_down(), edge], &[false, true]).unwrap();
        assert_eq!(histogram.auc().unwrap(), 1.0, "{edge}");
    }
}

/// Beside a range this wide, −1 and 1 vanish, but the edge at 0 is exact.
#[test]
fn edges_are_exact_in_a_wide_range() {
    let mut histogram = RocHistogram::new(-1e30, 1e30, 2).unwrap();
    histogram.add(&[-1.0, 1.0], &[false, true]).unwrap();
    assert_eq!(histogram.auc().unwrap(), 1.0);
}

#[test]
fn both_zeros_are_a_tie() {
    assert_eq!(roc_auc(&[-0.0, 0.0], &[false, true]).unwrap(), 0.5);
    assert_eq!(roc_auc(&[0.0, -0.0], &[false, true]).unwrap(), 0.5);
}

/// By hand: up to a rate of 0.5 the curve runs (0, 0), (0, 0.5), (0.5, 0.5);
/// its area is 0.25. (McClish would make 0.5·(1 + (0.25 − 0.125)/(0.5 − 0.125)) of
/// it, 0.67.)
#[test]
fn partial_auc_is_divided_by_its_limit() {
    let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]).unwrap();
    assert_eq!(curve.partial_auc(0.5).unwrap(), 0.5);
    assert_eq!(curve.partial_auc(0.75).unwrap(), (0.25 + 0.25) / 0.75);
    for limit in [0.0, 1.5, f64::NAN] {
        assert!(matches!(curve.partial_auc(limit), Err(Error::InvalidLimit { .. })));
    }
}

#[test]
fn scores_that_are_not_finite_are_named() {
    for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let second = (&[0.1, 0.2, score][..], &[true, false, true][..]);
        let result = RankedScores::pooled([(&[0.5][..], &[true][..]), second]);
        assert!(matches!(result, Err(Error::NonFiniteScore { image: 1, index: 2, .. })));
        let mut histogram = RocHistogram::new(0.0, 1.0, 2).unwrap();
        assert!(matches!(histogram.add(second.0, second.1), Err(Error::NonFiniteScore { .. })));
        assert!(matches!(histogram.auc(), Err(Error::Empty)));
    }
}

#[test]
fn missing_classes_are_errors_not_one_half() {
    let result = roc_auc(&[0.1, 0.2], &[true, true]);
    assert!(matches!(result, Err(Error::SingleClass { positives: 2, negatives: 0 })));
    assert!(matches!(roc_auc(&[], &[]), Err(Error::Empty)));
    assert!(matches!(RankedScores::pooled([]), Err(Error::Empty)));
    let result = roc_auc(&[0.1, 0.2], &[true]);
    assert!(matches!(result, Err(Error::LengthMismatch { image: 0, scores: 2, labels: 1 })));
}

#[test]
fn thresholds_that_are_not_numbers_are_errors() {
    let ranked = RankedScores::new(&[0.1, 0.2], &[false, true]).unwrap();
    assert!(matches!(ranked.confusion(f32::NAN), Err(Error::InvalidThreshold)));
    let result = Confusion::at_threshold(&[0.1], &[true], f32::NAN);
    assert!(matches!(result, Err(Error::InvalidThreshold)));
}

#[test]
fn infinite_thresholds_detect_nothing_or_all() {
    let ranked = RankedScores::new(&[f32::MAX, f32::MIN], &[false, true]).unwrap();
    let nothing = ranked.confusion(f32::INFINITY).unwrap();
    assert_eq!((nothing.true_positives, nothing.false_positives), (0, 0));
    let all = ranked.confusion(f32::NEG_INFINITY).unwrap();
    assert_eq!((all.true_positives, all.false_positives), (1, 1));
}

#[test]
fn histogram_bins_are_checked() {
    for (low, high, bins) in
        [(0.0, 1.0, 0), (1.0, 1.0, 4), (f32::NAN, 1.0, 4), (0.0, f32::INFINITY, 4)]
    {
        assert!(matches!(RocHistogram::new(low, high, bins), Err(Error::InvalidBins { .. })));
    }
    let mut histogram = RocHistogram::new(0.0, 1.0, 2).unwrap();
    let result = histogram.merge(&RocHistogram::new(0.0, 1.0, 3).unwrap());
    assert!(matches!(result, Err(Error::BinsDiffer { expected_bins: 2, got_bins: 3, .. })));
}

/// Enough pixels for several tasks and buckets of every kind; ties with both
/// classes, and regions whose weights round.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (width, height) = (640, 480);
    let labels: Vec<bool> =
        (0..width * height).map(|at| at % width % 50 < 13 && at / width % 40 < 7).collect();
    let scores: Vec<f32> = (0_u32..)
        .zip(&labels)
        .map(|(at, &label)| {
            (at.wrapping_mul(2_654_435_769) >> 12) as f32 * (1.0 + f32::from(label))
        })
        .collect();
    let images = [ScoredImage { width, height, scores: &scores, labels: &labels }];
    let measure = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let ranked = RankedImages::new(&images).unwrap();
            let curve = ranked.scores().roc(Points::All);
            (curve, ranked.pro_curve(), au_pro(&images, 0.3).unwrap())
        })
    };
    let single = measure(1);
    assert!(single.0.fpr().len() > 200_000);
    assert!([2, 3, 7].into_iter().all(|threads| measure(threads) == single));
}
