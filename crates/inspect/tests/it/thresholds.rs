use inspect::{Error, Image, NOT_SCORED, ThresholdRule, threshold, threshold_mask};
use proptest::prelude::*;

use crate::fixtures::{at_least, images, levels};
use crate::naive;

fn row(values: &[f32]) -> Image {
    Image::new(values.len(), 1, values.to_vec()).unwrap()
}

fn flagged(maps: &[Image], threshold: f32) -> usize {
    let count = |map| threshold_mask(map, threshold).data().iter().filter(|&&f| f).count();
    maps.iter().map(count).sum()
}

/// The size of the largest region of `score >= threshold` on any map.
fn largest_region(maps: &[Image], threshold: f32) -> usize {
    let areas = |map| naive::regions(&at_least(map, threshold), true).into_iter().map(|r| r.len());
    maps.iter().flat_map(areas).max().unwrap_or(0)
}

/// Ten scores 0.0, 0.1, …, 0.9, shuffled: `q = 0.7` lets the seventh smallest be good and flags three.
#[test]
fn a_quantile_flags_the_rest() {
    let good = [row(&[0.9, 0.2, 0.5, 0.4]), row(&[0.0, 0.7, 0.1, 0.8, 0.3, 0.6])];
    let at = |q| threshold(&good, &ThresholdRule::Quantile { q }).unwrap();
    assert_eq!(at(0.7), 0.6_f32.next_up());
    assert_eq!(flagged(&good, at(0.7)), 3);
    assert_eq!(at(0.71), 0.7_f32.next_up());
    assert_eq!(at(1e-9), 0.0_f32.next_up());
    assert_eq!(at(1.0), threshold(&good, &ThresholdRule::Max {}).unwrap());
}

/// Mean 5, population standard deviation 2; all of it exact in f32.
#[test]
fn mean_sigma_uses_the_population_standard_deviation_over_all_maps() {
    let good = [row(&[2.0, 4.0, 4.0]), row(&[4.0, 5.0, 5.0, 7.0, 9.0])];
    let at = |k| threshold(&good, &ThresholdRule::MeanSigma { k }).unwrap();
    assert_eq!(at(0.0), 5.0_f32.next_up());
    assert_eq!(at(1.5), 8.0_f32.next_up());
    assert_eq!(at(-1.0), 3.0_f32.next_up());
}

/// Rounding must not flag maps without any spread: their mean is their only score.
#[test]
fn constant_maps_are_never_flagged() {
    for score in [0.1_f32, 0.3, 1e-20, 0.0, 0.999_999_9] {
        let good = vec![Image::filled(37, 53, score); 3];
        for rule in [
            ThresholdRule::Max {},
            ThresholdRule::Quantile { q: 0.5 },
            ThresholdRule::MeanSigma { k: 0.0 },
            ThresholdRule::LargestRegion { max_area: 100 },
        ] {
            assert_eq!(flagged(&good, threshold(&good, &rule).unwrap()), 0, "{rule:?} at {score}");
        }
    }
}

/// At 0.5 the map has regions of two and one pixels, at 0.3 the bridge between them makes one of four.
#[test]
fn largest_region_is_the_lowest_threshold_that_keeps_regions_small() {
    let good = [row(&[0.5, 0.6, 0.3, 0.5, 0.0, 0.3])];
    let at = |max_area| threshold(&good, &ThresholdRule::LargestRegion { max_area }).unwrap();
    assert_eq!(at(0), 0.6_f32.next_up());
    assert_eq!(at(1), 0.5_f32.next_up());
    assert_eq!(at(2), 0.3_f32.next_up());
    assert_eq!(at(3), 0.3_f32.next_up());
    assert_eq!(at(4), 0.0_f32.next_up());
    assert_eq!(at(5), 0.0_f32.next_up());
}

#[test]
fn an_area_that_no_region_can_exceed_is_an_error() {
    let good = [row(&[0.5, 0.6]), row(&[0.1, 0.2, 0.3])];
    let error = threshold(&good, &ThresholdRule::LargestRegion { max_area: 3 }).unwrap_err();
    assert_eq!(error.to_string(), "no region exceeds 3 pixels: the largest good map has only 3");
}

#[test]
fn parameters_out_of_range_are_errors() {
    for rule in [
        ThresholdRule::Quantile { q: 0.0 },
        ThresholdRule::Quantile { q: 1.1 },
        ThresholdRule::Quantile { q: f64::NAN },
        ThresholdRule::MeanSigma { k: f64::INFINITY },
        ThresholdRule::Manual { threshold: 1e300 },
    ] {
        let error = threshold(&[row(&[0.5])], &rule).unwrap_err();
        assert!(matches!(error, Error::RuleParameter { .. }), "{rule:?}: {error}");
    }
}

#[test]
fn missing_and_broken_scores_are_errors() {
    for good in [vec![], vec![Image::filled(0, 3, 0.0)], vec![row(&[NOT_SCORED; 2])]] {
        for rule in [ThresholdRule::Max {}, ThresholdRule::Quantile { q: 0.5 }] {
            assert!(matches!(threshold(&good, &rule), Err(Error::NoScores)));
        }
    }
    let error = threshold(&[row(&[0.5, f32::NAN])], &ThresholdRule::Max {}).unwrap_err();
    assert!(matches!(error, Error::NotFinite { index: 1, .. }));
    let error = threshold(&[row(&[f32::MAX])], &ThresholdRule::Max {}).unwrap_err();
    assert!(matches!(error, Error::ThresholdRange { statistic: f32::MAX }));
}

#[test]
fn rules_are_read_from_tagged_tables() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Config {
        threshold: ThresholdRule,
    }
    for (text, rule) in [
        (r#"{ rule = "max" }"#, ThresholdRule::Max {}),
        (r#"{ rule = "quantile", q = 0.999 }"#, ThresholdRule::Quantile { q: 0.999 }),
        (r#"{ rule = "mean_sigma", k = 3.0 }"#, ThresholdRule::MeanSigma { k: 3.0 }),
        (
            r#"{ rule = "largest_region", max_area = 9 }"#,
            ThresholdRule::LargestRegion { max_area: 9 },
        ),
        (r#"{ rule = "manual", threshold = 0.3 }"#, ThresholdRule::Manual { threshold: 0.3 }),
    ] {
        let config: Config = toml::from_str(&format!("threshold = {text}")).unwrap();
        assert_eq!(config.threshold, rule);
        let again: Config = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again.threshold, rule);
    }
    for typo in
        [r#"{ rule = "max", q = 1.0 }"#, r#"{ rule = "maximum" }"#, r#"{ rule = "quantile" }"#]
    {
        assert!(toml::from_str::<Config>(&format!("threshold = {typo}")).is_err(), "{typo}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_good_pixel_is_flagged_under_max(good in prop::collection::vec(images(), 1..4)) {
        let t = threshold(&good, &ThresholdRule::Max {}).unwrap();
        prop_assert_eq!(flagged(&good, t), 0);
        prop_assert!(flagged(&good, t.next_down()) > 0, "the smallest such threshold");
    }

    #[test]
    fn a_quantile_flags_at_most_its_complement(
        good in prop::collection::vec(images(), 1..4), q in 0.001f64..=1.0,
    ) {
        let count = good.iter().map(|map| map.data().len()).sum::<usize>() as f64;
        let t = threshold(&good, &ThresholdRule::Quantile { q }).unwrap();
        let unflagged = |t| count - flagged(&good, t) as f64;
        prop_assert!(unflagged(t) >= q * count);
        prop_assert!(unflagged(t.next_down()) < q * count, "the smallest such threshold");
    }

    #[test]
    fn mean_sigma_obeys_cantelli(good in prop::collection::vec(images(), 1..4), k in 0.0f64..4.0) {
        let count = good.iter().map(|map| map.data().len()).sum::<usize>() as f64;
        let t = threshold(&good, &ThresholdRule::MeanSigma { k }).unwrap();
        prop_assert!(flagged(&good, t) as f64 <= count / (1.0 + k * k));
    }

    /// Against the definition: try every threshold that changes any mask, from the lowest.
    #[test]
    fn largest_region_is_exact(good in prop::collection::vec(images(), 1..4), max_area in 0usize..40) {
        prop_assume!(good.iter().any(|map| map.data().len() > max_area));
        let mut candidates: Vec<f32> = good.iter().flat_map(levels).map(f32::next_up).collect();
        candidates.sort_unstable_by(f32::total_cmp);
        let expected = candidates.into_iter().find(|&t| largest_region(&good, t) <= max_area);
        let t = threshold(&good, &ThresholdRule::LargestRegion { max_area }).unwrap();
        prop_assert_eq!(Some(t), expected);
    }
}

#[test]
fn what_cannot_be_judged_is_defective() {
    let scores = Image::new(3, 1, vec![f32::NAN, 0.1, f32::INFINITY]).unwrap();
    assert_eq!(threshold_mask(&scores, 0.5).data(), [true, false, true]);
    assert_eq!(threshold_mask(&scores, f32::NAN).data(), [true; 3]);
}
