#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use super::*;
use crate::TestSample;
use crate::records::{AtThreshold, RuleThreshold};
use inspect::{Decision, Image, Mask, Plane, ThresholdRule};
use std::path::PathBuf;

/// An image of a row of scores, `#` marking defective pixels.
fn inspected(defect: &str, scores: &[f32], mask: &str) -> InspectedSample {
    let width = scores.len();
    let map = Image::new(width, 1, scores.to_vec()).unwrap();
    let mask = Mask::new(width, 1, mask.chars().map(|pixel| pixel == '#').collect()).unwrap();
    let is_good = defect == "good";
    let sample = TestSample {
        image: PathBuf::new(),
        mask: (!is_good).then(PathBuf::new),
        defect: defect.to_owned(),
        id: "000".to_owned(),
    };
    let image = Plane::filled(width, 1, 0);
    let reconstruction = image.clone();
    InspectedSample { sample, image, reconstruction, residual: map.clone(), anomaly_map: map, mask }
}

fn test_set() -> InspectedSet {
    let samples = vec![
        inspected("good", &[0.1, 0.6, 0.1, 0.2], "...."),
        // Found in part, missed, and two false alarms, of which a lower threshold makes one.
        inspected("hole", &[0.9, 0.1, 0.1, 0.2, 0.1, 0.5, 0.4, 0.7], "##.#...."),
        inspected("slit", &[0.1, 0.3], ".#"),
    ];
    let rules = [0.5, 0.25].map(|threshold| RuleThreshold {
        rule: ThresholdRule::Manual { threshold: f64::from(threshold) },
        threshold,
    });
    let held_out_scores = Vec::new();
    let decision = Decision { threshold: 0.5, min_area: 1 };
    InspectedSet { samples, shown: vec![1], decision, rules: rules.into(), held_out_scores }
}

#[test]
fn counts_at_a_threshold_are_those_of_a_hand() {
    let (metrics, _) = test_set().measure().unwrap();
    let found = metrics.at_threshold;
    // Flagged: one good pixel of the first image, one defective and two good ones of the second.
    assert_eq!((found.precision, found.recall), (Some(0.25), Some(0.25)));
    assert_eq!((found.f1, found.iou), (Some(0.25), Some(1.0 / 7.0)));
    assert_eq!(found.false_positive_rate, Some(0.3));
    assert_eq!((found.regions_found, found.regions), (1, 3));
    assert_eq!((found.false_alarms, found.images_flagged), (3, 2));
    assert_eq!(found.false_alarms_per_image, 1.0);
}

#[test]
fn rules_stand_beside_what_labels_would_choose() {
    let (metrics, _) = test_set().measure().unwrap();
    let [own, lower] = &metrics.rules[..] else { panic!("two rules") };
    assert_eq!(own.threshold, metrics.threshold);
    assert_eq!(own.result.f1, metrics.at_threshold.f1);
    assert_eq!((lower.result.regions_found, lower.result.false_alarms), (2, 2));
    let oracle = &metrics.oracle;
    assert_eq!((oracle.threshold, oracle.result.f1), (0.2, Some(metrics.pixel_f1_max)));
    assert!(metrics.rules.iter().all(|rule| rule.result.f1 <= oracle.result.f1));
}

#[test]
fn defects_are_told_apart_by_type() {
    let (metrics, _) = test_set().measure().unwrap();
    let types: Vec<_> = metrics
        .defect_types
        .iter()
        .map(|found| {
            let AtThreshold { recall, regions_found, images_flagged, .. } = found.result;
            (
                &*found.defect,
                found.images,
                found.defective_pixels,
                recall,
                regions_found,
                images_flagged,
            )
        })
        .collect();
    assert_eq!(
        types,
        [
            ("good", 1, 0, None, 0, 1),
            ("hole", 1, 3, Some(1.0 / 3.0), 1, 1),
            ("slit", 1, 1, Some(0.0), 0, 0)
        ]
    );
}

#[test]
fn an_image_is_judged_alone() {
    let test_set = test_set();
    let judged = test_set.samples.iter().map(|sample| {
        let found = test_set.judge(&[sample]).unwrap();
        [found.regions_found, found.regions, found.false_alarms, found.images_flagged]
    });
    assert_eq!(Vec::from_iter(judged), [[0, 0, 1, 1], [1, 2, 2, 1], [0, 1, 0, 0]]);
}
