//! Decisions by threshold and least area.

use inspect::{
    Connectivity, Decision, Image, NOT_SCORED, ThresholdRule, regions, threshold, threshold_mask,
};
use proptest::prelude::*;

use crate::fixtures::{images, levels};

proptest! {
    /// The mask holds the pixels of large regions, and the score says at which thresholds there are any.
    #[test]
    fn mask_and_score_agree(map in images(), min_area in 0usize..12) {
        for threshold in levels(&map) {
            let decision = Decision { threshold, min_area };
            let all = regions(&threshold_mask(&map, threshold), &map, Connectivity::Eight).unwrap();
            let areas = all.regions.iter().map(|region| region.area);
            let expected: usize = areas.filter(|&area| area >= min_area).sum();
            let got = decision.mask(&map).data().iter().filter(|&&pixel| pixel).count();
            prop_assert_eq!(got, expected);
            prop_assert_eq!(decision.score(&map) >= threshold, expected > 0);
        }
    }

    /// A rule that allows regions on good images comes with an area that they do not have.
    #[test]
    fn the_images_of_a_rule_are_good_by_its_decision(map in images(), max_area in 0usize..12) {
        let rule = ThresholdRule::LargestRegion { max_area };
        if let Ok(threshold) = threshold(std::slice::from_ref(&map), &rule) {
            let decision = Decision { threshold, min_area: rule.min_area() };
            prop_assert!(decision.score(&map) < threshold);
        }
    }
}

#[test]
fn an_image_without_pixels_or_with_too_few_has_no_defect() {
    let decision = Decision { threshold: 0.5, min_area: 5 };
    assert_eq!(decision.score(&Image::filled(2, 2, 1.0)), 0.5_f32.next_down());
    let map = Image::new(2, 2, vec![0.3, NOT_SCORED, 0.2, 0.9]).unwrap();
    assert_eq!(decision.score(&map), 0.2, "the lowest pixel that is scored");
    assert_eq!(decision.score(&Image::filled(0, 0, 1.0)), f32::MIN);
    assert!(decision.mask(&Image::filled(2, 2, 1.0)).data().iter().all(|&pixel| !pixel));
}
