//! The residual maps that decide: those that see defects drawn into good images.

use super::drawn::{DrawnImage, found};
use super::good::{Good, relative_scores};
use crate::Result;
use crate::config::MapChoice;
use crate::inspector::Inspector;
use crate::progress::{Progress, tell};
use crate::records::{ENOUGH, ResidualMap};
use inspect::{Decision, Image, Reference};

/// A map is left out if 1 − its area under the ROC curve of drawn defects' pixels is more than this many times that of the best map.
const TIMES_THE_BEST: f64 = 2.0;

/// A map with 1 − area up to this is never left out.
const CLEAR: f64 = 0.02;

/// The residual maps, and how each of them alone sees the drawn defects. Empty if there is one map only, or too few defects were drawn.
///
/// # Errors
/// If scores are not finite, or the caller cancels.
pub fn judged_maps(
    inspector: &Inspector,
    good: &Good,
    drawn: &[DrawnImage],
    reference: &Reference,
    progress: &mut Progress<'_>,
) -> Result<Vec<ResidualMap>> {
    let constants = &inspector.config().residual.constants;
    let defects: usize = drawn.iter().map(|image| image.defects.len()).sum();
    if defects < ENOUGH || reference.residual_maps() < 2 {
        return Ok(Vec::new());
    }
    let mut areas = Vec::new();
    for index in 0..reference.residual_maps() {
        tell(progress, good.images.len())?;
        areas.push(area(inspector, good, drawn, reference, index)?);
    }
    let deciding = deciding(inspector.config().calibration.maps, &areas);
    let maps = constants.iter().zip(areas).zip(deciding);
    Ok(maps
        .map(|((constants, au_roc), decides)| ResidualMap {
            constants: constants.to_string(),
            au_roc,
            decides,
        })
        .collect())
}

/// The area under the ROC curve of the drawn defects' pixels by one residual map alone.
fn area(
    inspector: &Inspector,
    good: &Good,
    drawn: &[DrawnImage],
    reference: &Reference,
    index: usize,
) -> Result<f64> {
    let (alone, range) = (reference.of_maps(&[index]), index..index + 1);
    let good = good.relative_scores(inspector, &alone, range.clone())?;
    let of = |image: &DrawnImage| {
        relative_scores(inspector, &alone, &image.maps[range.clone()], &image.place)
    };
    let scores = drawn.iter().map(of).collect::<Result<Vec<Image>>>()?;
    // The area knows no threshold.
    let decision = Decision { threshold: f32::INFINITY, min_area: 1 };
    Ok(found(drawn, &scores, &good, decision).map_or(0.0, |found| found.au_roc))
}

/// Whether each map decides, by the areas of all.
fn deciding(choice: MapChoice, areas: &[f64]) -> Vec<bool> {
    let best = areas.iter().copied().fold(0.0, f64::max);
    let most = (TIMES_THE_BEST * (1.0 - best)).max(CLEAR);
    areas.iter().map(|area| choice == MapChoice::All || 1.0 - area <= most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear(areas: &[f64]) -> Vec<bool> {
        deciding(MapChoice::Clear, areas)
    }

    /// The areas are of short trainings, squared constants first: `results/decisions`.
    #[test]
    fn maps_that_miss_much_more_than_the_best_are_left_out() {
        assert_eq!(clear(&[0.987, 0.962]), [true, false]);
        assert_eq!(clear(&[0.821, 0.965]), [false, true]);
        assert_eq!(clear(&[0.987, 1.0]), [true, true], "both are clear");
        assert_eq!(clear(&[0.6, 0.5]), [true, true], "neither is");
        assert_eq!(clear(&[0.5]), [true]);
        assert_eq!(deciding(MapChoice::All, &[0.987, 0.962]), [true, true]);
    }
}
