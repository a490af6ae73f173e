//! Per-region overlap against its definition and by hand.

use crate::fixture::{Fixture, assert_close};
use metrics::{AU_PRO_LIMIT, Error, ScoredImage, au_pro, pro_curve};

/// Weights are rounded quotients and sums of about 1,200 terms below 1.
const SUM: f64 = 1_242.0 * 4.0 * f64::EPSILON;

/// One threshold at a time, as `tests/data/make.py` does it.
#[test]
fn agrees_with_the_definition() {
    let expected = Fixture::parse(include_str!("../data/pro.txt"));
    let (scores, labels) = (expected.scores(), expected.labels());
    let [width, height] = [0, 1].map(|axis| expected.list("size")[axis] as usize);
    let images: Vec<_> = scores
        .chunks(width * height)
        .zip(labels.chunks(width * height))
        .map(|(scores, labels)| ScoredImage { width, height, scores, labels })
        .collect();
    assert_eq!(images.len(), 3);

    for (&limit, &area) in expected.list("limits").iter().zip(expected.list("areas")) {
        assert_close(&[au_pro(&images, limit).unwrap()], &[area], SUM / limit);
    }
    let curve = pro_curve(&images).unwrap();
    assert!(curve.fpr().len() > 50);
    for (fpr, pro) in curve.fpr().iter().zip(curve.pro()) {
        let on_curve = expected.list("fpr").iter().zip(expected.list("pro"));
        assert!(on_curve.into_iter().any(|(x, y)| (x - fpr).abs() < SUM && (y - pro).abs() < SUM));
    }
}

/// A 4×3 image with a region of one pixel and one of three, which touch at no
/// corner.
const LABELS: [bool; 12] = [
    true, false, false, false, //
    false, false, true, true, //
    false, false, false, true,
];

fn image(scores: &[f32; 12]) -> ScoredImage<'_> {
    ScoredImage { width: 4, height: 3, scores, labels: &LABELS }
}

#[test]
fn a_perfect_map_has_area_one() {
    let scores = LABELS.map(f32::from);
    for limit in [1e-3, 0.1, AU_PRO_LIMIT, 1.0] {
        assert_eq!(au_pro(&[image(&scores)], limit).unwrap(), 1.0);
    }
}

#[test]
fn a_reversed_map_has_area_zero() {
    let scores = LABELS.map(|label| 1.0 - f32::from(label));
    assert_eq!(au_pro(&[image(&scores)], AU_PRO_LIMIT).unwrap(), 0.0);
}

/// The only threshold detects everything: a straight line from (0, 0) to
/// (1, 1), whose mean up to the limit is half the limit.
#[test]
fn a_constant_map_is_the_diagonal() {
    let curve = pro_curve(&[image(&[0.5; 12])]).unwrap();
    assert_eq!(curve.fpr(), [0.0, 1.0]);
    assert_eq!(curve.pro(), [0.0, 1.0]);
    let area = curve.area(AU_PRO_LIMIT).unwrap();
    assert!((area - AU_PRO_LIMIT / 2.0).abs() < 4.0 * f64::EPSILON, "{area}");
}

/// Missing the small region costs as much as missing the large one.
#[test]
fn regions_weigh_the_same_whatever_their_size() {
    let without = |missed: &[usize]| {
        let mut scores = LABELS.map(f32::from);
        missed.iter().for_each(|&pixel| scores[pixel] = -1.0);
        au_pro(&[image(&scores)], AU_PRO_LIMIT).unwrap()
    };
    assert_eq!(without(&[0]), 0.5);
    assert_eq!(without(&[6, 7, 11]), 0.5);
    assert!((without(&[6]) - (1.0 + 2.0 / 3.0) / 2.0).abs() < 4.0 * f64::EPSILON);
}

/// Of two images, each mean is over the regions of both.
#[test]
fn regions_are_averaged_over_all_images() {
    let found = LABELS.map(f32::from);
    let single = ScoredImage { width: 2, height: 1, scores: &[-1.0, 0.0], labels: &[true, false] };
    let curve = pro_curve(&[image(&found), single]).unwrap();
    // Two of three regions are found before the nine defect-free pixels.
    assert_eq!(curve.pro(), [0.0, 2.0 / 3.0, 2.0 / 3.0, 1.0]);
    assert_eq!(curve.fpr(), [0.0, 0.0, 1.0, 1.0]);
}

/// 3,000 regions of 7 pixels, whose weights 1/7 add up to slightly more or
/// less than their number.
#[test]
fn never_above_one() {
    let labels: Vec<bool> = (0..24_000).map(|x| x % 8 != 7).collect();
    // Distinct scores, so that the sum runs over all pixels one by one.
    let scores: Vec<f32> =
        (0..24_000_u16).map(|x| f32::from(x % 8 != 7) * 30_000.0 + f32::from(x)).collect();
    let image = ScoredImage { width: 24_000, height: 1, scores: &scores, labels: &labels };
    let curve = pro_curve(&[image]).unwrap();
    assert!(curve.pro().windows(2).all(|pro| pro[0] <= pro[1]));
    assert_eq!(curve.pro().iter().copied().fold(0.0, f64::max), 1.0);
    assert_eq!(curve.area(AU_PRO_LIMIT).unwrap(), 1.0);
}

#[test]
fn mistakes_are_named() {
    let scores = [0.5; 12];
    let good = image(&scores);
    let wide = ScoredImage { width: 5, ..good };
    let result = pro_curve(&[good, wide]);
    assert!(matches!(result, Err(Error::ImageSize { image: 1, width: 5, height: 3, got: 12 })));

    // The first image at fault, not the first kind of fault.
    let undefined = [f32::NAN; 12];
    let result = pro_curve(&[image(&undefined), wide]);
    assert!(matches!(result, Err(Error::NonFiniteScore { image: 0, index: 0, .. })));

    let short = ScoredImage { labels: &LABELS[..4], ..good };
    let result = pro_curve(&[short]);
    assert!(matches!(result, Err(Error::LengthMismatch { image: 0, scores: 12, labels: 4 })));

    let healthy = ScoredImage { labels: &[false; 12], ..good };
    let result = pro_curve(&[healthy]);
    assert!(matches!(result, Err(Error::SingleClass { positives: 0, negatives: 12 })));

    for limit in [0.0, -0.1, 1.1, f64::NAN] {
        assert!(matches!(au_pro(&[good], limit), Err(Error::InvalidLimit { .. })));
    }
}
