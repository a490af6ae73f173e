//! Gaussians of maps.

use inspect::{Disk, Error, Image, Plane, Smoothing, anomaly_map, open, smooth};
use proptest::prelude::*;

use crate::fixtures::{SCORES, at_least, images, levels, mirrored, plane, transposed};
use crate::naive;

/// Of the largest value in a map. Both Gaussians of a wide one differ from theirs by less than 2·10⁻⁶ along either axis, in sum over
/// all weights; the rest is the rounding of sums of some hundred f32.
const BOUND: f64 = 1e-5;

fn largest(map: &Image) -> f64 {
    map.data().iter().map(|&score| f64::from(score).abs()).fold(0.0, f64::max)
}

/// The largest difference.
fn distance(got: &Image, expected: &[f64]) -> f64 {
    let pairs = got.data().iter().zip(expected);
    pairs.map(|(&got, expected)| (f64::from(got) - expected).abs()).fold(0.0, f64::max)
}

/// Narrow ones, one where sampling sets in, and one wider than the map.
#[test]
fn agrees_with_scipy() {
    let scores: Image = plane(SCORES);
    for (sigma, text) in [
        (0.5, include_str!("../data/smoothed_0.5.txt")),
        (1.5, include_str!("../data/smoothed_1.5.txt")),
        (4.0, include_str!("../data/smoothed_4.txt")),
        (12.0, include_str!("../data/smoothed_12.txt")),
        (40.0, include_str!("../data/smoothed_40.txt")),
    ] {
        let expected: Plane<f64> = plane(text);
        let got = smooth(&scores, sigma).unwrap();
        assert_eq!(got.size(), expected.size());
        let distance = distance(&got, expected.data());
        // The fixture has six decimals.
        assert!(distance < BOUND * largest(&scores) + 1e-6, "{sigma}: {distance}");
    }
}

/// Noise has all frequencies, which sampling could mistake for each other.
#[test]
fn large_maps_and_all_spacings_keep_the_bound() {
    let noise = |i: usize| (i as u32).wrapping_mul(2_654_435_761) >> 8;
    let map = Image::from_fn(157, 93, |x, y| noise(y * 157 + x) as f32 / (1 << 24) as f32);
    for sigma in [1e-200, 0.1, 0.7, 2.9, 3.99, 4.0, 5.99, 6.0, 7.3, 9.9, 14.0, 25.5] {
        let distance = distance(&smooth(&map, sigma).unwrap(), &naive::smooth(&map, sigma));
        assert!(distance < BOUND * largest(&map), "{sigma}: {distance}");
    }
}

#[test]
fn nothing_is_smoothed_by_zero_and_nothing_in_empty_maps() {
    let scores: Image = plane(SCORES);
    assert_eq!(smooth(&scores, 0.0).unwrap(), scores);
    for (width, height) in [(0, 0), (0, 3), (3, 0)] {
        let empty = Image::filled(width, height, 0.0);
        assert_eq!(smooth(&empty, 9.0).unwrap(), empty);
    }
}

#[test]
fn what_cannot_be_smoothed_is_an_error() {
    let map = Image::filled(3, 2, 0.5);
    for sigma in [-0.5, 1000.5, f64::NAN, f64::INFINITY] {
        let error = smooth(&map, sigma).unwrap_err();
        assert!(matches!(error, Error::Sigma { .. }), "{sigma}: {error}");
    }
    let broken = Image::new(2, 1, vec![0.0, f32::INFINITY]).unwrap();
    let error = smooth(&broken, 1.0).unwrap_err();
    assert!(matches!(error, Error::NotFinite { index: 1, .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn fast_equals_naive(image in images(), sigma in 0.05f64..30.0) {
        let distance = distance(&smooth(&image, sigma).unwrap(), &naive::smooth(&image, sigma));
        prop_assert!(distance <= BOUND * largest(&image), "{}", distance);
    }

    #[test]
    fn has_the_symmetries_of_the_gaussian(image in images(), sigma in 0.05f64..30.0) {
        let values = |image: &Image| -> Vec<f64> { image.data().iter().map(|&v| v.into()).collect() };
        let smoothed = smooth(&image, sigma).unwrap();
        let bound = 2.0 * BOUND * largest(&image);
        let other = smooth(&mirrored(&image), sigma).unwrap();
        prop_assert!(distance(&other, &values(&mirrored(&smoothed))) <= bound);
        let other = smooth(&transposed(&image), sigma).unwrap();
        prop_assert!(distance(&other, &values(&transposed(&smoothed))) <= bound);
    }

    /// No score lies beyond those of the map.
    #[test]
    fn is_a_mean(image in images(), sigma in 0.05f64..30.0) {
        let range = |image: &Image| image.data().iter().fold((f32::MAX, f32::MIN), |(low, high), &v| {
            (low.min(v), high.max(v))
        });
        let ((low, high), smoothed) = (range(&image), range(&smooth(&image, sigma).unwrap()));
        let rounding = BOUND as f32 * high;
        prop_assert!(low - rounding <= smoothed.0 && smoothed.1 <= high + rounding);
    }

    /// The maps for thresholds of the opened map are the openings of those of the smoothed map.
    #[test]
    fn thresholds_commute_with_the_opening_of_a_smoothed_map(image in images(), sigma in 0.1f64..4.0) {
        let disk = Disk::with_diameter(3);
        let opened = anomaly_map(&image, &Smoothing::Gaussian { sigma }, disk).unwrap();
        let smoothed = smooth(&image, sigma).unwrap();
        for t in levels(&smoothed) {
            let mask = at_least(&smoothed, t);
            prop_assert_eq!(at_least(&opened, t), open(&mask, disk));
        }
    }
}
