#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use super::*;
use crate::TestSample;
use crate::records::{AtThreshold, RuleThreshold};
use inspect::{Decision, Image, Mask, NOT_SCORED, Plane, ThresholdRule};
use std::path::PathBuf;

/// An image of a row of scores, `#` marking defective pixels.
fn inspected(defect: &str, scores: &[f32], mask: &str) -> InspectedSample {
    let width = scores.len();
    let map = Image::new(width, 1, scores.to_vec()).unwrap();
    let mask = Mask::new(width, 1, mask.chars().map(|pixel| pixel == '#').collect()).unwrap();
    let sample = TestSample {
        image: PathBuf::new(),
        masks: Vec::new(),
        defect: defect.to_owned(),
        id: "000".to_owned(),
    };
    let image = Plane::filled(width, 1, 0);
    let reconstruction = image.clone();
    let (residual, mask) = (map.clone(), Some(mask));
    InspectedSample { sample, image, reconstruction, residual, anomaly_map: map, mask }
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
    let (shown, rules, empty_masks) = (vec![1], rules.into(), Vec::new());
    InspectedSet {
        samples,
        shown,
        decision,
        rules,
        held_out_scores,
        empty_masks,
        left_out: Vec::new(),
    }
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
    let pixel = metrics.pixel.unwrap();
    let oracle = &pixel.oracle;
    assert_eq!((oracle.threshold, oracle.result.f1), (0.2, Some(pixel.pixel_f1_max)));
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

/// The same images with pixels around them that are not scored have the same figures.
#[test]
fn pixels_outside_of_the_region_count_nowhere() {
    let (expected, curves) = test_set().measure().unwrap();
    let mut framed = test_set();
    for InspectedSample { image, reconstruction, residual, anomaly_map, mask, .. } in
        &mut framed.samples
    {
        let width = image.width();
        let frame = |map: &Image, outside: f32| {
            Image::from_fn(width + 2, 3, |x, y| match (1..=width).contains(&x) && y == 1 {
                true => map.get(x - 1, 0),
                false => outside,
            })
        };
        (*image, *reconstruction) =
            (Plane::filled(width + 2, 3, 0), Plane::filled(width + 2, 3, 0));
        (*residual, *anomaly_map) = (frame(residual, 0.0), frame(anomaly_map, NOT_SCORED));
        let labels = mask.as_ref().unwrap().map(|defective| f32::from(u8::from(defective)));
        *mask = Some(frame(&labels, 0.0).map(|label| label > 0.5));
    }
    let (metrics, framed_curves) = framed.measure().unwrap();
    assert_eq!(metrics, expected);
    let (framed_curves, curves) = (framed_curves.unwrap(), curves.unwrap());
    assert_eq!(framed_curves.pro, curves.pro);
    assert_eq!(framed.pixel_scores().map(|scores| scores.len()), [10, 4]);
}

#[test]
fn images_without_masks_have_figures_of_images_alone() {
    let mut set = test_set();
    set.samples[2].mask = None;
    let (metrics, _) = set.measure().unwrap();
    assert_eq!((metrics.images_without_mask, metrics.defective_images), (1, 2));
    assert_eq!((metrics.defective_pixels, metrics.at_threshold.regions), (3, 2));
    assert_eq!(metrics.image_au_roc, test_set().measure().unwrap().0.image_au_roc);
    set.samples[1].mask = None;
    let (metrics, curves) = set.measure().unwrap();
    assert!(metrics.pixel.is_none() && curves.is_none());
    assert_eq!((metrics.at_threshold.regions, metrics.at_threshold.defective_images_hit), (0, 1));
    assert_eq!(metrics.at_threshold.false_positive_rate, Some(0.25));
    let rows = set.rows();
    assert_eq!(
        rows.iter().map(|row| row.defective_pixels).collect::<Vec<_>>(),
        [Some(0), None, None]
    );
}
