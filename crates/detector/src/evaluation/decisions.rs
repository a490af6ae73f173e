//! The decisions at a threshold, compared with the ground truth.

use super::inspected::InspectedSample;
use crate::Result;
use crate::records::AtThreshold;
use inspect::{Connectivity, Decision, Mask, NOT_SCORED, Plane, label};
use metrics::Confusion;
use rayon::prelude::*;
use std::iter::Sum;

/// Counts of an image, or the sums of several.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    confusion: Confusion,
    regions_found: usize,
    regions: usize,
    false_alarms: usize,
    images_flagged: usize,
    defective_images_hit: usize,
    good_images_flagged: usize,
    images: usize,
}

/// The decisions on several images. Regions are 8-connected.
///
/// # Errors
/// If a map and its ground truth differ in size.
pub fn decisions(samples: &[&InspectedSample], decision: Decision) -> Result<AtThreshold> {
    // Sums of counts are the same in any order.
    let counts: Result<Vec<Counts>> =
        samples.par_iter().map(|sample| count(sample, decision)).collect();
    let counts: Counts = counts?.into_iter().sum();
    let Counts { confusion, regions_found, regions, false_alarms, .. } = counts;
    Ok(AtThreshold {
        precision: confusion.precision(),
        recall: confusion.recall(),
        false_positive_rate: confusion.false_positive_rate(),
        f1: confusion.f1(),
        iou: confusion.iou(),
        regions_found,
        regions,
        false_alarms,
        false_alarms_per_image: false_alarms as f64 / counts.images.max(1) as f64,
        images_flagged: counts.images_flagged,
        defective_images_hit: counts.defective_images_hit,
        good_images_flagged: counts.good_images_flagged,
    })
}

fn count(sample: &InspectedSample, decision: Decision) -> Result<Counts> {
    let flagged = decision.mask(&sample.anomaly_map);
    let Some(mask) = &sample.mask else {
        let is_flagged = usize::from(flagged.data().contains(&true));
        let (images_flagged, defective_images_hit) = (is_flagged, is_flagged);
        return Ok(Counts { images_flagged, defective_images_hit, ..Counts::default() });
    };
    let alarms = touched(&label(&flagged, Connectivity::Eight), mask);
    let defects = touched(&label(mask, Connectivity::Eight), &flagged);
    Ok(Counts {
        confusion: confusion(sample, &flagged, mask)?,
        regions_found: number(&defects, true),
        regions: defects.len(),
        false_alarms: number(&alarms, false),
        images_flagged: usize::from(!alarms.is_empty()),
        defective_images_hit: usize::from(defects.contains(&true)),
        good_images_flagged: usize::from(sample.sample.is_good() && !alarms.is_empty()),
        images: 1,
    })
}

/// The decisions about pixels of the region of interest.
fn confusion(sample: &InspectedSample, flagged: &Mask, mask: &Mask) -> Result<Confusion> {
    if !sample.has_outside() {
        return Ok(Confusion::of_masks(flagged.data(), mask.data())?);
    }
    let scores = sample.judged(&sample.anomaly_map);
    let decided = flagged.data().iter().zip(sample.anomaly_map.data());
    let decided = decided.filter(|(_, score)| **score > NOT_SCORED).map(|(flagged, _)| *flagged);
    let labels: Vec<bool> = scores.map(|(_, label)| label).collect();
    Ok(Confusion::of_masks(&decided.collect::<Vec<_>>(), &labels)?)
}

/// Whether each of the numbered regions has a pixel in common with `mask`.
fn touched(labels: &Plane<u32>, mask: &Plane<bool>) -> Vec<bool> {
    let regions = labels.data().iter().copied().max().unwrap_or(0);
    let mut touched = vec![false; regions as usize + 1];
    for (&label, &inside) in labels.data().iter().zip(mask.data()) {
        touched[label as usize] |= inside;
    }
    // The first is what lies outside of all regions.
    touched.split_off(1)
}

fn number(values: &[bool], value: bool) -> usize {
    values.iter().filter(|&&other| other == value).count()
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |a, b| Self {
            confusion: a.confusion + b.confusion,
            regions_found: a.regions_found + b.regions_found,
            regions: a.regions + b.regions,
            false_alarms: a.false_alarms + b.false_alarms,
            images_flagged: a.images_flagged + b.images_flagged,
            defective_images_hit: a.defective_images_hit + b.defective_images_hit,
            good_images_flagged: a.good_images_flagged + b.good_images_flagged,
            images: a.images + b.images,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;
    use inspect::Mask;

    #[test]
    fn regions_that_touch_a_mask_are_told_from_others() {
        let labels = Plane::new(5, 1, vec![1, 0, 2, 2, 3]).unwrap();
        let mask = |pixels: [bool; 5]| Mask::new(5, 1, pixels.into()).unwrap();
        let some = mask([false, true, false, true, false]);
        assert_eq!(touched(&labels, &some), [false, true, false]);
        assert!(touched(&Plane::filled(5, 1, 0), &some).is_empty());
    }
}
