//! Scores and labels by two ways: the curves of `metrics`, and counting at each threshold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use metrics::{Confusion, Points, RankedScores, ScoredImage, au_pro, roc_auc};

/// Rounding of sums of at most 256 terms below 1.
const TOLERANCE: f64 = 1e-12;

fuzz_target!(|bytes: &[u8]| {
    let Some((&width, bytes)) = bytes.split_first() else { return };
    // Five bytes a pixel, of any bits: NaN, infinities, zeros of both signs.
    let pixels = bytes.as_chunks::<5>().0.iter().take(256);
    let (scores, labels): (Vec<f32>, Vec<bool>) = pixels
        .map(|&[a, b, c, d, label]| (f32::from_le_bytes([a, b, c, d]), label & 1 == 1))
        .unzip();
    let width = usize::from(width).clamp(1, scores.len().max(1));
    let height = scores.len() / width;
    let image = ScoredImage {
        width,
        height,
        scores: &scores[..width * height],
        labels: &labels[..width * height],
    };
    if let Ok(area) = au_pro(&[image], 0.3) {
        assert!((0.0..=1.0 + TOLERANCE).contains(&area), "{area}");
    }
    let Ok(ranked) = RankedScores::new(&scores, &labels) else {
        let has_both = labels.contains(&true) && labels.contains(&false);
        assert!(!has_both || scores.iter().any(|score| !score.is_finite()));
        return;
    };
    let area = mann_whitney(&scores, &labels);
    assert_eq!(ranked.roc_auc(), area);
    assert_eq!(roc_auc(&scores, &labels).expect("as before"), area);
    for points in [Points::All, Points::Corners] {
        let (roc, pr) = (ranked.roc(points), ranked.precision_recall(points));
        assert!((roc.auc() - area).abs() <= TOLERANCE);
        for (at, &threshold) in roc.thresholds().iter().enumerate() {
            let counts = counts(&scores, &labels, threshold);
            assert_eq!(counts.false_positive_rate(), Some(roc.fpr()[at]));
            assert_eq!(counts.recall(), Some(roc.tpr()[at]));
        }
        for (at, &threshold) in pr.thresholds().iter().enumerate() {
            let counts = counts(&scores, &labels, threshold);
            assert_eq!(counts.precision().unwrap_or(1.0), pr.precision()[at]);
            assert_eq!(counts.recall(), Some(pr.recall()[at]));
        }
    }
});

fn counts(scores: &[f32], labels: &[bool], threshold: f32) -> Confusion {
    let predicted: Vec<bool> = scores.iter().map(|&score| score >= threshold).collect();
    Confusion::of_masks(&predicted, labels).expect("as many of both")
}

/// The share of pairs in order, ties counting half.
fn mann_whitney(scores: &[f32], labels: &[bool]) -> f64 {
    let of_class = |class| {
        let members = scores.iter().zip(labels).filter(move |(_, label)| **label == class);
        members.map(|(score, _)| *score).collect::<Vec<_>>()
    };
    let (good, bad) = (of_class(false), of_class(true));
    let pairs =
        bad.iter().flat_map(|b| good.iter().map(move |g| u32::from(b > g) + u32::from(b >= g)));
    f64::from(pairs.sum::<u32>()) / (2 * good.len() * bad.len()) as f64
}
