//! Agreement with scikit-learn, whose values `tests/data/make.py` wrote.

use crate::fixture::{Fixture, assert_close};
use metrics::{Points, RankedScores};

/// Rates are quotients of equal integers on both sides, rounded once.
const EXACT: f64 = 0.0;

/// Sums of at most 300 terms below 1, each rounded to 2⁻⁵³ a few times.
const SUM: f64 = 300.0 * 4.0 * f64::EPSILON;

fn data() -> (Fixture, RankedScores) {
    let fixture = Fixture::parse(include_str!("../data/sklearn.txt"));
    let ranked = RankedScores::new(&fixture.scores(), &fixture.labels()).unwrap();
    (fixture, ranked)
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The values in reverse, as scikit-learn's recall falls where ours rises.
fn reversed(values: &[f64]) -> Vec<f64> {
    values.iter().rev().copied().collect()
}

#[test]
fn roc_with_all_points() {
    let (expected, ranked) = data();
    let curve = ranked.roc(Points::All);
    assert_close(curve.fpr(), expected.list("fpr"), EXACT);
    assert_close(curve.tpr(), expected.list("tpr"), EXACT);
    assert_eq!(curve.thresholds()[0], f32::INFINITY);
    assert_close(&wide(&curve.thresholds()[1..]), expected.list("thresholds"), EXACT);
}

/// scikit-learn keeps some points on straight lines, we none: ours must be
/// among them, and the area must not change.
#[test]
fn roc_corners_are_among_those_of_drop_intermediate() {
    let (expected, ranked) = data();
    let curve = ranked.roc(Points::Corners);
    let kept: Vec<_> = expected.list("fpr_drop").iter().zip(expected.list("tpr_drop")).collect();
    assert!(curve.fpr().len() < kept.len());
    assert!(curve.fpr().iter().zip(curve.tpr()).all(|point| kept.contains(&point)));
    assert_close(&[curve.auc()], expected.list("roc_auc"), SUM);
}

#[test]
fn roc_auc() {
    let (expected, ranked) = data();
    assert_close(&[ranked.roc_auc()], expected.list("roc_auc"), SUM);
    assert_close(&[ranked.roc(Points::All).auc()], expected.list("roc_auc"), SUM);
}

#[test]
fn precision_recall_with_all_points() {
    let (expected, ranked) = data();
    let curve = ranked.precision_recall(Points::All);
    assert_close(curve.precision(), &reversed(expected.list("precision")), EXACT);
    assert_close(curve.recall(), &reversed(expected.list("recall")), EXACT);
    assert_eq!(curve.thresholds()[1..], ranked.roc(Points::All).thresholds()[1..]);
}

#[test]
fn average_precision() {
    let (expected, ranked) = data();
    let value = expected.list("average_precision");
    assert_close(&[ranked.average_precision()], value, SUM);
    assert_close(&[ranked.precision_recall(Points::All).average_precision()], value, SUM);
    assert_close(&[ranked.precision_recall(Points::Corners).average_precision()], value, SUM);
}

#[test]
fn f1_max() {
    let (expected, ranked) = data();
    let best = ranked.f1_max();
    assert_close(&[best.f1], expected.list("f1_max"), EXACT);
    assert_close(&[f64::from(best.threshold)], expected.list("f1_threshold"), EXACT);
}

/// Ten scores by hand, with ties within and between the classes:
///
/// ```python
/// y = [0, 1, 0, 1, 1, 0, 0, 1, 0, 0]
/// s = [.1, .4, .4, .9, .8, .8, .3, .4, .2, -.5]
/// roc_curve(y, s)
/// precision_recall_curve(y, s, drop_intermediate=True)
/// ```
#[test]
fn corners_of_ten_scores() {
    let scores = [0.1, 0.4, 0.4, 0.9, 0.8, 0.8, 0.3, 0.4, 0.2, -0.5];
    let labels = [0, 1, 0, 1, 1, 0, 0, 1, 0, 0].map(|label| label == 1);
    let ranked = RankedScores::new(&scores, &labels).unwrap();

    let roc = ranked.roc(Points::Corners);
    assert_eq!(roc.fpr(), [0.0, 0.0, 1.0 / 6.0, 2.0 / 6.0, 1.0]);
    assert_eq!(roc.tpr(), [0.0, 0.25, 0.5, 1.0, 1.0]);
    assert_eq!(roc.thresholds(), [f32::INFINITY, 0.9, 0.8, 0.4, -0.5]);

    let pr = ranked.precision_recall(Points::Corners);
    assert_eq!(pr.precision(), [1.0, 1.0, 2.0 / 3.0, 4.0 / 6.0, 0.4]);
    assert_eq!(pr.recall(), [0.0, 0.25, 0.5, 1.0, 1.0]);
    assert_eq!(pr.thresholds(), [f32::INFINITY, 0.9, 0.8, 0.4, -0.5]);
}
