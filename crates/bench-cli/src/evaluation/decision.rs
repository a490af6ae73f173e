//! What a threshold decides, and how much of that is right.

use super::Inspection;
use anyhow::Result;
use inspect::{Connectivity, Plane, label, threshold_mask};
use metrics::Confusion;
use rayon::prelude::*;
use serde::Serialize;
use std::iter::Sum;

/// Pixel counts and ratios at a threshold; a ratio of nothing to nothing is absent.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AtThreshold {
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub false_positive_rate: Option<f64>,
    pub f1: Option<f64>,
    pub iou: Option<f64>,
    /// Defects, regions of the ground truth, of which at least one pixel was found.
    pub regions_found: usize,
    pub regions: usize,
    /// Flagged regions without a single defective pixel.
    pub false_alarms: usize,
    /// Their mean number on an image, whether it is good or defective.
    pub false_alarms_per_image: f64,
    /// Images with a flagged pixel.
    pub images_flagged: usize,
}

/// Counts of an image, or the sums of several.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    confusion: Confusion,
    regions_found: usize,
    regions: usize,
    false_alarms: usize,
    images_flagged: usize,
    images: usize,
}

impl AtThreshold {
    /// Of images together. Regions are 8-connected.
    ///
    /// # Errors
    /// If the threshold is NaN or a score is not finite.
    pub fn of(inspections: &[&Inspection], threshold: f32) -> Result<Self> {
        // Sums of counts are the same in any order.
        let counts: Result<Vec<Counts>> =
            inspections.par_iter().map(|inspection| count(inspection, threshold)).collect();
        let counts: Counts = counts?.into_iter().sum();
        let Counts { confusion, regions_found, regions, false_alarms, .. } = counts;
        Ok(Self {
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
        })
    }
}

fn count(inspection: &Inspection, threshold: f32) -> Result<Counts> {
    let Inspection { anomaly_map, mask, .. } = inspection;
    let flagged = threshold_mask(anomaly_map, threshold);
    let alarms = touched(&label(&flagged, Connectivity::Eight), mask);
    let defects = touched(&label(mask, Connectivity::Eight), &flagged);
    Ok(Counts {
        confusion: Confusion::at_threshold(anomaly_map.data(), mask.data(), threshold)?,
        regions_found: number(&defects, true),
        regions: defects.len(),
        false_alarms: number(&alarms, false),
        images_flagged: usize::from(!alarms.is_empty()),
        images: 1,
    })
}

/// Whether each of the numbered regions has a pixel in common with `mask`.
pub(super) fn touched(labels: &Plane<u32>, mask: &Plane<bool>) -> Vec<bool> {
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
            images: a.images + b.images,
        })
    }
}
