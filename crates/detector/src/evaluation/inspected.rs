//! A test set as a model inspects it.

use crate::Result;
use crate::data::{Dataset, LeftOut, TestSample};
use crate::error::Context;
use crate::files::shown;
use crate::images::to_grey8;
use crate::inspector::Inspector;
use crate::progress::{Progress, tell};
use crate::records::{Calibration, RuleThreshold};
use crate::spread::evenly;
use inspect::{Decision, Image, Mask, NOT_SCORED, Plane};
use std::path::{Path, PathBuf};

/// Images that are drawn in a figure.
const SHOWN: usize = 4;

/// A test image with its maps; all planes have its size.
pub struct InspectedSample {
    /// The files, and the type of the defect.
    pub sample: TestSample,
    /// The image. It and its reconstruction are only to be looked at: 256 levels take a quarter of the memory.
    pub image: Plane<u8>,
    /// The image's reconstruction.
    pub reconstruction: Plane<u8>,
    /// The residual map.
    pub residual: Image,
    /// The anomaly map, [`NOT_SCORED`] outside of the region of interest.
    pub anomaly_map: Image,
    /// The ground truth in the region of interest; `None` of a defective image without a mask.
    pub mask: Option<Mask>,
}

/// A test set with its maps, and the thresholds that they are compared with.
pub struct InspectedSet {
    /// The test images, in the order of the data set.
    pub samples: Vec<InspectedSample>,
    /// Indices of those that a figure shows.
    pub shown: Vec<usize>,
    /// The calibrated threshold and least area of a defect.
    pub decision: Decision,
    /// The rule that it follows from, and then others; all from the same good images.
    pub rules: Vec<RuleThreshold>,
    /// The scores of good images that training held out, if no test image is good.
    pub held_out_scores: Vec<f32>,
    /// Masks that mark nothing, though their images count as defective.
    pub empty_masks: Vec<PathBuf>,
    /// Test images that count nowhere, and why: those without a region of interest, and those whose defects all lie outside of it.
    pub left_out: Vec<LeftOut>,
}

/// A test image, or why it counts nowhere.
enum Inspection {
    Done(Box<InspectedSample>),
    LeftOut(&'static str),
}

/// Inspects all test images of a data set, and `held_out` good images if it has none of its own.
///
/// # Errors
/// If there is no defective image, two cannot be told apart, one cannot be read or inspected, or the caller cancels.
pub fn inspect_set(
    dataset: &Dataset,
    held_out: &[PathBuf],
    inspector: &Inspector,
    calibration: &Calibration,
    progress: &mut Progress<'_>,
) -> Result<InspectedSet> {
    dataset.check_test()?;
    let mut samples = Vec::with_capacity(dataset.test.len());
    let (mut empty_masks, mut left_out) = (Vec::new(), Vec::new());
    for (index, sample) in dataset.test.iter().enumerate() {
        tell(progress, index)?;
        match inspect_sample(inspector, sample, &mut empty_masks)? {
            Inspection::Done(sample) => samples.push(*sample),
            Inspection::LeftOut(reason) => {
                left_out.push(LeftOut { image: sample.image.clone(), reason: reason.to_owned() });
            }
        }
    }
    let inspected = dataset.test.len();
    let held_out = held_out_for(dataset, held_out);
    let mut held_out_scores = Vec::with_capacity(held_out.len());
    for (index, path) in held_out.iter().enumerate() {
        tell(progress, inspected + index)?;
        match score(inspector, path, calibration.decision()) {
            Err(error) if error.is_empty_region() => {}
            score => held_out_scores.push(score?),
        }
    }
    tell(progress, inspected + held_out.len())?;
    let (decision, rules) = (calibration.decision(), rules(calibration));
    let files: Vec<TestSample> = samples.iter().map(|of| of.sample.clone()).collect();
    let shown = shown_samples(&files, SHOWN);
    Ok(InspectedSet { samples, shown, decision, rules, held_out_scores, empty_masks, left_out })
}

/// The held-out images that an evaluation on a data set inspects: none if the test set has good images of its own.
pub fn held_out_for<'a>(dataset: &Dataset, held_out: &'a [PathBuf]) -> &'a [PathBuf] {
    if dataset.test.iter().any(TestSample::is_good) { &[] } else { held_out }
}

/// The score of an image.
fn score(inspector: &Inspector, path: &Path, decision: Decision) -> Result<f32> {
    let inspected = inspector
        .inspect_named(&inspector.read(path)?, Some(path))
        .with_context(|| format!("cannot inspect {}", shown(path)))?;
    Ok(decision.score(&inspected.anomaly_map))
}

/// The rules of a calibration; those of earlier versions knew only their own.
fn rules(calibration: &Calibration) -> Vec<RuleThreshold> {
    let &Calibration { threshold, rule, ref rules, .. } = calibration;
    if rules.is_empty() { vec![RuleThreshold { rule, threshold }] } else { rules.clone() }
}

fn inspect_sample(
    inspector: &Inspector,
    sample: &TestSample,
    empty_masks: &mut Vec<PathBuf>,
) -> Result<Inspection> {
    let image = inspector.read(&sample.image)?;
    let mut mask = sample.mask(image.size())?;
    let is_empty = mask.as_ref().is_some_and(|mask| !mask.data().contains(&true));
    if is_empty && !sample.is_good() {
        empty_masks.extend(sample.masks.iter().cloned());
    }
    let inspected = match inspector.inspect_named(&image, Some(&sample.image)) {
        Err(error) if error.is_empty_region() => {
            return Ok(Inspection::LeftOut("it has no region of interest"));
        }
        inspected => {
            inspected.with_context(|| format!("cannot inspect {}", shown(&sample.image)))?
        }
    };
    if let Some(mask) = &mut mask {
        let scores = inspected.anomaly_map.data();
        let pixels = mask.data_mut().iter_mut().zip(scores);
        pixels.for_each(|(is_defective, &score)| *is_defective &= score > NOT_SCORED);
    }
    let is_left = mask.as_ref().is_none_or(|mask| mask.data().contains(&true));
    if !is_left && !is_empty {
        return Ok(Inspection::LeftOut("all its defects lie outside of the region of interest"));
    }
    Ok(Inspection::Done(Box::new(InspectedSample {
        sample: sample.clone(),
        image: to_grey8(&image),
        reconstruction: to_grey8(&inspected.reconstruction),
        residual: inspected.residual,
        anomaly_map: inspected.anomaly_map,
        mask,
    })))
}

/// The indices of `count` defective samples, evenly spaced over the set, or of all if there are fewer.
pub fn shown_samples(samples: &[TestSample], count: usize) -> Vec<usize> {
    let defective: Vec<usize> = (0..samples.len()).filter(|&i| !samples[i].is_good()).collect();
    evenly(&defective, count).copied().collect()
}

impl InspectedSample {
    /// The values of a map in the region of interest, with their labels; none if there is no ground truth.
    pub(super) fn judged<'a>(&'a self, map: &'a Image) -> impl Iterator<Item = (f32, bool)> + 'a {
        let labels = self.mask.iter().flat_map(|mask| mask.data());
        let pixels = map.data().iter().zip(labels).zip(self.anomaly_map.data());
        let pixels = pixels.filter(|(_, score)| **score > NOT_SCORED);
        pixels.map(|((&value, &is_defective), _)| (value, is_defective))
    }

    /// Whether some pixels lie outside of the region of interest.
    pub(super) fn has_outside(&self) -> bool {
        self.anomaly_map.data().contains(&NOT_SCORED)
    }
}

impl InspectedSet {
    /// The scores of all defect-free and of all defective pixels.
    pub fn pixel_scores(&self) -> [Vec<f32>; 2] {
        let mut scores = [Vec::new(), Vec::new()];
        for sample in &self.samples {
            for (score, is_defective) in sample.judged(&sample.anomaly_map) {
                scores[usize::from(is_defective)].push(score);
            }
        }
        scores
    }

    /// The test images that a figure shows.
    pub fn shown(&self) -> impl Iterator<Item = &InspectedSample> {
        self.shown.iter().map(|&index| &self.samples[index])
    }
}
