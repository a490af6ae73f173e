//! Inspection of a whole test set, and what it amounts to.

mod decision;
mod measured;
mod measures;
mod mistakes;
#[cfg(test)]
mod tests;

pub use decision::AtThreshold;
pub use measured::{Measured, Origin};
pub use measures::{Curves, DefectType, GoodImages, Metrics};
pub use mistakes::Mistake;

use crate::config::RuleThreshold;
use crate::data::{Dataset, TestSample, crop};
use crate::interrupt;
use crate::io::{read_image, to_grey8};
use crate::model_folder::Calibration;
use crate::pipeline::Inspector;
use crate::report::Reporter;
use anyhow::{Context, Result, bail};
use inspect::{Image, Mask, Plane};
use metrics::image_score;
use std::path::{Path, PathBuf};

/// Images that are drawn in a figure.
const SHOWN: usize = 4;

/// A test image with its maps; all planes show the region of interest.
pub struct Inspection {
    pub sample: TestSample,
    /// The image and its reconstruction are only to be looked at: 256 levels take a quarter of the memory.
    pub image: Plane<u8>,
    pub reconstruction: Plane<u8>,
    pub residual: Image,
    pub anomaly_map: Image,
    pub mask: Mask,
}

/// The test set as a model sees it.
pub struct Evaluation {
    pub inspections: Vec<Inspection>,
    /// Which of them a figure shows.
    pub shown: Vec<usize>,
    /// The calibrated threshold.
    pub threshold: f32,
    /// The rule that it follows from, and then others; all from the same good images.
    pub rules: Vec<RuleThreshold>,
    /// The scores of good images that training held out, if no test image is good.
    pub held_out_scores: Vec<f32>,
}

/// Inspects all test images of a data set, and `held_out` good images if it has none of its own.
///
/// # Errors
/// If there is none, or one cannot be read or inspected.
fn evaluate(
    reporter: Reporter,
    inspector: &Inspector,
    dataset: &Dataset,
    calibration: &Calibration,
    held_out: &[PathBuf],
) -> Result<Evaluation> {
    if dataset.test.iter().all(TestSample::is_good) {
        bail!("{}: expected test images with ground truth, found none", dataset.root.display());
    }
    let held_out = if dataset.test.iter().any(TestSample::is_good) { &[] } else { held_out };
    let bar = reporter.bar(
        (dataset.test.len() + held_out.len()) as u64,
        "inspecting {wide_bar} {pos}/{len} images, {eta} left",
    );
    let next = || {
        bar.inc(1);
        interrupt::check(|| "interrupted; no results were written".to_owned())
    };
    let mut inspections = Vec::with_capacity(dataset.test.len());
    for sample in &dataset.test {
        inspections.push(inspect_sample(inspector, sample)?);
        next()?;
    }
    let mut held_out_scores = Vec::with_capacity(held_out.len());
    for path in held_out {
        held_out_scores.push(score(inspector, path)?);
        next()?;
    }
    bar.finish_and_clear();
    let (threshold, rules) = (calibration.threshold, rules(calibration));
    let shown = shown_samples(&dataset.test, SHOWN);
    Ok(Evaluation { inspections, shown, threshold, rules, held_out_scores })
}

/// The largest score of an image.
fn score(inspector: &Inspector, path: &Path) -> Result<f32> {
    let inspected = inspector
        .inspect(&read_image(path)?)
        .with_context(|| format!("cannot inspect {}", path.display()))?;
    Ok(image_score(inspected.anomaly_map.data())?)
}

/// The rules of a calibration; those of earlier versions knew only their own.
fn rules(calibration: &Calibration) -> Vec<RuleThreshold> {
    let &Calibration { threshold, rule, ref rules, .. } = calibration;
    if rules.is_empty() { vec![RuleThreshold { rule, threshold }] } else { rules.clone() }
}

fn inspect_sample(inspector: &Inspector, sample: &TestSample) -> Result<Inspection> {
    let (image, mask) = sample.load()?;
    let inspected = inspector
        .inspect(&image)
        .with_context(|| format!("cannot inspect {}", sample.image.display()))?;
    Ok(Inspection {
        sample: sample.clone(),
        image: to_grey8(&crop(&image, inspector.margins())?),
        reconstruction: to_grey8(&inspected.reconstruction),
        residual: inspected.residual,
        anomaly_map: inspected.anomaly_map,
        mask: crop(&mask, inspector.margins())?,
    })
}

/// So many defective samples, evenly spaced over the set, or all if they are fewer.
pub fn shown_samples(samples: &[TestSample], count: usize) -> Vec<usize> {
    let defective: Vec<usize> = (0..samples.len()).filter(|&i| !samples[i].is_good()).collect();
    let count = count.min(defective.len());
    (0..count).map(|i| defective[i * defective.len() / count]).collect()
}

impl Evaluation {
    /// The test images that a figure shows.
    pub fn shown(&self) -> impl Iterator<Item = &Inspection> {
        self.shown.iter().map(|&index| &self.inspections[index])
    }
}
