//! Inspection of a whole test set, and what it amounts to.

use crate::data::{Dataset, TestSample, crop};
use crate::interrupt;
use crate::io::read_image;
use crate::pipeline::Inspector;
use crate::report::Reporter;
use anyhow::{Context, Result, bail};
use inspect::{Connectivity, Image, Mask, Plane, label, threshold_mask};
use metrics::{
    AU_PRO_LIMIT, Confusion, Points, PrCurve, ProCurve, RankedImages, RankedScores, RocCurve,
    ScoredImage, image_score, roc_auc,
};
use serde::Serialize;
use std::path::PathBuf;

/// Images that are kept whole for a figure.
const SHOWN: usize = 4;

/// A test image with its maps; all planes show the region of interest.
pub struct Inspection {
    pub sample: TestSample,
    pub residual: Image,
    pub anomaly_map: Image,
    pub mask: Mask,
    /// Image and reconstruction, for a few.
    pub shown: Option<Shown>,
}

/// What a figure shows beside maps and mask.
pub struct Shown {
    pub image: Image,
    pub reconstruction: Image,
}

/// The test set as a model sees it.
pub struct Evaluation {
    pub inspections: Vec<Inspection>,
    pub threshold: f32,
    /// The scores of good images that training held out, if no test image is good.
    pub held_out_scores: Vec<f32>,
}

/// Good images that defective ones are told from as wholes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoodImages {
    /// Of the test set.
    Test,
    /// Held out from training, the same that thresholds are calibrated on; many test sets have no good image.
    HeldOut,
}

/// The numbers of an evaluation. All pixels of the test set are pooled, as in the paper (section 4.2).
#[derive(Clone, Debug, Serialize)]
pub struct Metrics {
    /// Area under the ROC curve of the opened anomaly maps.
    pub pixel_au_roc: f64,
    /// Area under the ROC curve of the residual maps before the opening.
    pub pixel_au_roc_raw: f64,
    pub pixel_average_precision: f64,
    pub pixel_f1_max: f64,
    /// The threshold of `pixel_f1_max`, chosen with the test labels in view.
    pub pixel_f1_max_threshold: f32,
    /// Area under the per-region-overlap curve up to a false-positive rate of 0.3, divided by it.
    pub au_pro: f64,
    /// Of the images' largest scores; absent unless there are good and defective images.
    pub image_au_roc: Option<f64>,
    /// Which good images this compares with.
    pub image_au_roc_good: Option<GoodImages>,
    /// The threshold calibrated on good images, and what it gives.
    pub threshold: f32,
    pub at_threshold: AtThreshold,
    pub images: usize,
    pub defective_images: usize,
    pub pixels: u64,
    pub defective_pixels: u64,
}

/// Pixel counts and ratios at the calibrated threshold; a ratio of nothing to nothing is absent.
#[derive(Clone, Debug, Serialize)]
pub struct AtThreshold {
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub false_positive_rate: Option<f64>,
    pub f1: Option<f64>,
    pub iou: Option<f64>,
    /// Defects, regions of the ground truth, of which at least one pixel was found.
    pub regions_found: usize,
    pub regions: usize,
}

/// The curves of an evaluation.
pub struct Curves {
    pub roc: RocCurve,
    pub roc_raw: RocCurve,
    pub precision_recall: PrCurve,
    pub pro: ProCurve,
}

/// One line of the table of images.
#[derive(Clone, Debug, Serialize)]
pub struct ImageRow {
    pub image: String,
    pub defect: String,
    /// The largest score of the anomaly map.
    pub score: f32,
    pub flagged_pixels: usize,
    pub defective_pixels: usize,
}

/// Inspects all test images of a data set, and `held_out` good images if it has none of its own.
///
/// # Errors
/// If there is none, or one cannot be read or inspected.
pub fn evaluate(
    reporter: Reporter,
    inspector: &Inspector,
    dataset: &Dataset,
    threshold: f32,
    held_out: &[PathBuf],
) -> Result<Evaluation> {
    if dataset.test.iter().all(TestSample::is_good) {
        bail!("{}: expected test images with ground truth, found none", dataset.root.display());
    }
    let shown = shown_samples(&dataset.test, SHOWN);
    let held_out = if dataset.test.iter().any(TestSample::is_good) { &[] } else { held_out };
    let bar = reporter.bar(
        (dataset.test.len() + held_out.len()) as u64,
        "inspecting {wide_bar} {pos}/{len} images, {eta} left",
    );
    let mut inspections = Vec::with_capacity(dataset.test.len());
    for (index, sample) in dataset.test.iter().enumerate() {
        interrupt::check(|| "interrupted; no results were written".to_owned())?;
        let mut inspection = inspect_sample(inspector, sample)?;
        if !shown.contains(&index) {
            inspection.shown = None;
        }
        inspections.push(inspection);
        bar.inc(1);
    }
    let mut held_out_scores = Vec::with_capacity(held_out.len());
    for path in held_out {
        interrupt::check(|| "interrupted; no results were written".to_owned())?;
        let inspected = inspector
            .inspect(&read_image(path)?)
            .with_context(|| format!("cannot inspect {}", path.display()))?;
        held_out_scores.push(image_score(inspected.anomaly_map.data())?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Evaluation { inspections, threshold, held_out_scores })
}

fn inspect_sample(inspector: &Inspector, sample: &TestSample) -> Result<Inspection> {
    let (image, mask) = sample.load()?;
    let inspected = inspector
        .inspect(&image)
        .with_context(|| format!("cannot inspect {}", sample.image.display()))?;
    let image = crop(&image, inspector.margins())?;
    Ok(Inspection {
        sample: sample.clone(),
        residual: inspected.residual,
        anomaly_map: inspected.anomaly_map,
        mask: crop(&mask, inspector.margins())?,
        shown: Some(Shown { image, reconstruction: inspected.reconstruction }),
    })
}

/// So many defective samples, evenly spaced over the set, or all if they are fewer.
pub fn shown_samples(samples: &[TestSample], count: usize) -> Vec<usize> {
    let defective: Vec<usize> = (0..samples.len()).filter(|&i| !samples[i].is_good()).collect();
    let count = count.min(defective.len());
    (0..count).map(|i| defective[i * defective.len() / count]).collect()
}

impl Evaluation {
    /// All numbers and curves.
    ///
    /// # Errors
    /// If all pixels are of one class.
    pub fn measure(&self) -> Result<(Metrics, Curves)> {
        let raw = self.inspections.iter().map(|i| (i.residual.data(), i.mask.data()));
        let raw = RankedScores::pooled(raw.collect::<Vec<_>>())?;
        let (roc_raw, pixel_au_roc_raw) = (raw.roc(Points::Corners), raw.roc_auc());
        drop(raw);
        let images: Vec<ScoredImage<'_>> = self.inspections.iter().map(scored).collect();
        let images = RankedImages::new(&images)?;
        let opened = images.scores();
        let curves = Curves {
            roc: opened.roc(Points::Corners),
            roc_raw,
            precision_recall: opened.precision_recall(Points::Corners),
            pro: images.pro_curve(),
        };
        let best = opened.f1_max();
        let image = self.image_au_roc()?;
        let defective_images = self.inspections.iter().filter(|i| !i.sample.is_good()).count();
        let metrics = Metrics {
            pixel_au_roc: opened.roc_auc(),
            pixel_au_roc_raw,
            pixel_average_precision: opened.average_precision(),
            pixel_f1_max: best.f1,
            pixel_f1_max_threshold: best.threshold,
            au_pro: curves.pro.area(AU_PRO_LIMIT)?,
            image_au_roc: image.map(|(area, _)| area),
            image_au_roc_good: image.map(|(_, good)| good),
            threshold: self.threshold,
            at_threshold: self.at_threshold(&opened.confusion(self.threshold)?),
            images: self.inspections.len(),
            defective_images,
            pixels: opened.positives() + opened.negatives(),
            defective_pixels: opened.positives(),
        };
        Ok((metrics, curves))
    }

    fn at_threshold(&self, confusion: &Confusion) -> AtThreshold {
        let (mut regions, mut regions_found) = (0, 0);
        for inspection in &self.inspections {
            let labels = label(&inspection.mask, Connectivity::Eight);
            let count = labels.data().iter().copied().max().unwrap_or(0) as usize;
            let mut found = vec![false; count + 1];
            for (&region, &score) in labels.data().iter().zip(inspection.anomaly_map.data()) {
                found[region as usize] |= score >= self.threshold;
            }
            regions += count;
            regions_found += found[1..].iter().filter(|&&found| found).count();
        }
        AtThreshold {
            precision: confusion.precision(),
            recall: confusion.recall(),
            false_positive_rate: confusion.false_positive_rate(),
            f1: confusion.f1(),
            iou: confusion.iou(),
            regions_found,
            regions,
        }
    }

    fn image_au_roc(&self) -> Result<Option<(f64, GoodImages)>> {
        let scores = self.inspections.iter().map(|i| image_score(i.anomaly_map.data()));
        let mut scores: Vec<f32> = scores.collect::<Result<_, _>>()?;
        let mut labels: Vec<bool> = self.inspections.iter().map(|i| !i.sample.is_good()).collect();
        let good = match self.held_out_scores.as_slice() {
            [] => GoodImages::Test,
            _ => GoodImages::HeldOut,
        };
        scores.extend(&self.held_out_scores);
        labels.resize(scores.len(), false);
        if labels.iter().all(|&defective| defective) {
            return Ok(None);
        }
        Ok(Some((roc_auc(&scores, &labels)?, good)))
    }

    /// The table of images.
    ///
    /// # Errors
    /// If a map is empty.
    pub fn rows(&self) -> Result<Vec<ImageRow>> {
        let count = |mask: &Mask| mask.data().iter().filter(|&&pixel| pixel).count();
        let row = |inspection: &Inspection| {
            let map = &inspection.anomaly_map;
            Ok(ImageRow {
                image: inspection.sample.id.clone(),
                defect: inspection.sample.defect.clone(),
                score: image_score(map.data())?,
                flagged_pixels: count(&threshold_mask(map, self.threshold)),
                defective_pixels: count(&inspection.mask),
            })
        };
        self.inspections.iter().map(row).collect()
    }
}

fn scored(inspection: &Inspection) -> ScoredImage<'_> {
    let (map, mask): (&Image, &Plane<bool>) = (&inspection.anomaly_map, &inspection.mask);
    ScoredImage {
        width: map.width(),
        height: map.height(),
        scores: map.data(),
        labels: mask.data(),
    }
}
