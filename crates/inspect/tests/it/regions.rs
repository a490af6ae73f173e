use inspect::{Connectivity, Error, Image, Mask, Plane, Regions, label, regions};
use proptest::prelude::*;

use crate::fixtures::{SCORES, at_least, images, masks, plane};
use crate::naive;

#[test]
fn labels_agree_with_scikit_image() {
    let mask = at_least(&plane(SCORES), 55.0);
    let eight = label(&mask, Connectivity::Eight);
    assert_eq!(eight, plane(include_str!("../data/labels.txt")));
    assert_eq!(label(&mask, Connectivity::Four), plane(include_str!("../data/labels_4.txt")));
}

/// `regions.txt` holds: label, area, x0, y0, x1, y1, centroid x and y, mean, maximum. Counts and maxima are exact;
/// means are quotients of exact sums of small integers and differ by the rounding of one division at most,
/// 2⁻⁵² relative, for values below 100.
#[test]
fn measurements_agree_with_scikit_image() {
    let scores: Image = plane(SCORES);
    let mask = at_least(&scores, 55.0);
    let found = regions(&mask, &scores, Connectivity::Eight).unwrap().regions;
    let expected: Plane<f64> = plane(include_str!("../data/regions.txt"));
    assert_eq!(found.len(), expected.height());
    for (region, row) in found.iter().zip(0..) {
        let row = expected.row(row);
        let exact =
            [region.label as usize, region.area, region.x0, region.y0, region.x1, region.y1];
        assert_eq!(exact.map(|n| n as f64), row[..6]);
        assert_eq!(f64::from(region.max_score), row[9]);
        let means = [region.centroid_x, region.centroid_y, region.mean_score];
        assert!(means.iter().zip(&row[6..9]).all(|(a, b)| (a - b).abs() < 100.0 * f64::EPSILON));
    }
}

/// The two arms get different labels before the bar joins them, and the lower-right pixel touches only by a corner.
#[test]
fn a_u_is_one_region() {
    let rows = ["#..#..", "#..#..", "####..", "....#."];
    let mask = Mask::from_fn(6, 4, |x, y| rows[y].as_bytes()[x] == b'#');
    let scores = Image::filled(6, 4, 0.25);
    let eight = regions(&mask, &scores, Connectivity::Eight).unwrap().regions;
    assert_eq!(eight.iter().map(|r| r.area).collect::<Vec<_>>(), [9]);
    let four = regions(&mask, &scores, Connectivity::Four).unwrap().regions;
    assert_eq!(four.iter().map(|r| r.area).collect::<Vec<_>>(), [8, 1]);
    assert_eq!((four[1].x0, four[1].y0, four[1].x1, four[1].y1), (4, 3, 5, 4));
}

#[test]
fn an_empty_mask_has_no_regions() {
    for (width, height) in [(5, 4), (0, 3), (3, 0)] {
        let mask = Mask::filled(width, height, false);
        let scores = Image::filled(width, height, 1.0);
        assert_eq!(regions(&mask, &scores, Connectivity::Eight).unwrap().regions, []);
    }
}

#[test]
fn unusable_scores_are_errors() {
    let mask = Mask::filled(3, 2, true);
    let error = regions(&mask, &Image::filled(2, 3, 0.0), Connectivity::Eight).unwrap_err();
    assert_eq!(error.to_string(), "the score map should be 3x2 pixels, got 2x3");
    let error = regions(&mask, &Image::filled(3, 2, f32::NAN), Connectivity::Eight).unwrap_err();
    assert!(matches!(error, Error::NotFinite { index: 0, .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn labels_are_those_of_a_flood_fill(mask in masks(), diagonal in any::<bool>()) {
        let connectivity = if diagonal { Connectivity::Eight } else { Connectivity::Four };
        let mut expected = Plane::filled(mask.width(), mask.height(), 0);
        for (number, pixels) in (1..).zip(naive::regions(&mask, diagonal)) {
            for (x, y) in pixels {
                expected.data_mut()[y * mask.width() + x] = number;
            }
        }
        prop_assert_eq!(label(&mask, connectivity), expected);
    }

    #[test]
    fn regions_hold_each_flagged_pixel_once(image in images(), t in 0.0f32..1.0) {
        let mask = at_least(&image, t);
        let found = regions(&mask, &image, Connectivity::Eight).unwrap();
        prop_assert_eq!(&found.labels, &label(&mask, Connectivity::Eight));
        let Regions { regions: found, .. } = found;
        let flagged = mask.data().iter().filter(|&&inside| inside).count();
        prop_assert_eq!(found.iter().map(|r| r.area).sum::<usize>(), flagged);
        for r in found {
            prop_assert!(r.max_score >= t && r.mean_score <= f64::from(r.max_score));
            prop_assert!(r.area <= (r.x1 - r.x0) * (r.y1 - r.y0));
            prop_assert!(r.centroid_x >= r.x0 as f64 && r.centroid_x <= (r.x1 - 1) as f64);
            prop_assert!(r.centroid_y >= r.y0 as f64 && r.centroid_y <= (r.y1 - 1) as f64);
        }
    }
}
