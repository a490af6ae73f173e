//! The numbers, tables and curves of an evaluation.

use super::decisions::decisions;
use super::inspected::{InspectedSample, InspectedSet};
use crate::Result;
use crate::records::{
    AtThreshold, DefectType, GoodImages, ImageRow, Metrics, Oracle, PixelMetrics, RuleResult,
    RuleThreshold,
};
use inspect::{Connectivity, Decision, Mask, NOT_SCORED, label};
use metrics::{
    AU_PRO_LIMIT, Points, PrCurve, ProCurve, RankedImages, RankedScores, RocCurve, ScoredImage,
    roc_auc,
};
use std::borrow::Cow;

/// The curves of an evaluation.
pub struct Curves {
    /// Of the anomaly maps.
    pub roc: RocCurve,
    /// Of the first residual map of each image.
    pub roc_raw: RocCurve,
    /// Of the anomaly maps.
    pub precision_recall: PrCurve,
    /// Per-region overlap of the anomaly maps.
    pub pro: ProCurve,
}

impl InspectedSet {
    /// All numbers and curves. Without a mask of a defective image there are no figures of pixels and no curves.
    ///
    /// # Errors
    /// If there are masks, but all pixels are of one class.
    pub fn measure(&self) -> Result<(Metrics, Option<Curves>)> {
        let is_masked = |i: &InspectedSample| !i.sample.is_good() && i.mask.is_some();
        let pixels =
            self.samples.iter().any(is_masked).then(|| self.measure_pixels()).transpose()?;
        let (pixel, curves) = pixels.unzip();
        let image = self.image_au_roc()?;
        let all: Vec<&InspectedSample> = self.samples.iter().collect();
        let scored = |i: &&InspectedSample| i.judged(&i.anomaly_map).count() as u64;
        let defective = |i: &&InspectedSample| i.mask.as_ref().map_or(0, count) as u64;
        let metrics = Metrics {
            pixel,
            image_au_roc: image.map(|(area, _)| area),
            image_au_roc_good: image.map(|(_, good)| good),
            threshold: self.decision.threshold,
            min_area: self.decision.min_area,
            at_threshold: decisions(&all, self.decision)?,
            rules: self.rule_results(&all)?,
            defect_types: self.defect_types()?,
            images: all.len(),
            defective_images: all.iter().filter(|i| !i.sample.is_good()).count(),
            images_left_out: self.left_out.len(),
            images_without_mask: all.iter().filter(|i| i.mask.is_none()).count(),
            pixels: all.iter().map(scored).sum(),
            defective_pixels: all.iter().map(defective).sum(),
        };
        Ok((metrics, curves))
    }

    /// The figures and curves of the pixels of all images with ground truth.
    fn measure_pixels(&self) -> Result<(PixelMetrics, Curves)> {
        let (roc_raw, pixel_au_roc_raw) = self.raw_roc()?;
        let parts: Vec<Part<'_>> = self.samples.iter().flat_map(parts).collect();
        let images: Vec<ScoredImage<'_>> = parts.iter().map(Part::scored).collect();
        let images = RankedImages::new(&images)?;
        let opened = images.scores();
        let curves = Curves {
            roc: opened.roc(Points::Corners),
            roc_raw,
            precision_recall: opened.precision_recall(Points::Corners),
            pro: images.pro_curve(),
        };
        let best = opened.f1_max();
        let all: Vec<&InspectedSample> = self.samples.iter().collect();
        let pixel = PixelMetrics {
            pixel_au_roc: opened.roc_auc(),
            pixel_au_roc_raw,
            pixel_average_precision: opened.average_precision(),
            pixel_f1_max: best.f1,
            pixel_f1_max_threshold: best.threshold,
            au_pro: curves.pro.area(AU_PRO_LIMIT)?,
            oracle: Oracle {
                threshold: best.threshold,
                result: decisions(&all, Decision { threshold: best.threshold, min_area: 1 })?,
            },
        };
        Ok((pixel, curves))
    }

    /// Of the first residual map of each image, and the area under it.
    fn raw_roc(&self) -> Result<(RocCurve, f64)> {
        let judged = |i: &InspectedSample| i.judged(&i.residual).unzip();
        let raw: Vec<(Vec<f32>, Vec<bool>)> = self.samples.iter().map(judged).collect();
        let raw = raw.iter().map(|(scores, labels)| (&scores[..], &labels[..]));
        let raw = RankedScores::pooled(raw)?;
        Ok((raw.roc(Points::Corners), raw.roc_auc()))
    }

    /// The decision on some of the images.
    ///
    /// # Errors
    /// If a map and its ground truth differ in size.
    pub fn judge(&self, samples: &[&InspectedSample]) -> Result<AtThreshold> {
        decisions(samples, self.decision)
    }

    fn rule_results(&self, all: &[&InspectedSample]) -> Result<Vec<RuleResult>> {
        let mut is_own = true;
        let result = |of_rule: &RuleThreshold| {
            // The least area that is configured belongs to the rule that is.
            let min_area = if std::mem::take(&mut is_own) { self.decision.min_area } else { 1 };
            let &RuleThreshold { rule, threshold } = of_rule;
            Ok(RuleResult { rule, threshold, result: decisions(all, of_rule.decision(min_area))? })
        };
        self.rules.iter().map(result).collect()
    }

    /// In the order of their names.
    fn defect_types(&self) -> Result<Vec<DefectType>> {
        let of_type = |samples: &[&InspectedSample]| {
            let defective = samples.iter().map(|i| i.mask.as_ref().map_or(0, count) as u64);
            Ok(DefectType {
                defect: samples[0].sample.defect.clone(),
                images: samples.len(),
                defective_pixels: defective.sum(),
                result: decisions(samples, self.decision)?,
            })
        };
        let mut all: Vec<&InspectedSample> = self.samples.iter().collect();
        all.sort_by_key(|inspected| &inspected.sample.defect);
        all.chunk_by(|a, b| a.sample.defect == b.sample.defect).map(of_type).collect()
    }

    fn image_au_roc(&self) -> Result<Option<(f64, GoodImages)>> {
        let (good, defective) = self.image_scores();
        let source = match self.held_out_scores.as_slice() {
            [] => GoodImages::Test,
            _ => GoodImages::HeldOut,
        };
        if good.is_empty() || defective.is_empty() {
            return Ok(None);
        }
        let labels: Vec<bool> =
            (0..good.len() + defective.len()).map(|index| index >= good.len()).collect();
        Ok(Some((roc_auc(&[good, defective].concat(), &labels)?, source)))
    }

    /// The largest scores of good and of defective images. If the test set has no good ones, those that training held out
    /// stand for them.
    pub fn image_scores(&self) -> (Vec<f32>, Vec<f32>) {
        let (mut good, mut defective) = (self.held_out_scores.clone(), Vec::new());
        for InspectedSample { sample, anomaly_map, .. } in &self.samples {
            let scores = if sample.is_good() { &mut good } else { &mut defective };
            scores.push(self.decision.score(anomaly_map));
        }
        (good, defective)
    }

    /// The table of images.
    pub fn rows(&self) -> Vec<ImageRow> {
        let row = |sample: &InspectedSample| {
            let map = &sample.anomaly_map;
            ImageRow {
                image: sample.sample.id.clone(),
                defect: sample.sample.defect.clone(),
                score: self.decision.score(map),
                flagged_pixels: count(&self.decision.mask(map)),
                defective_pixels: sample.mask.as_ref().map(count),
            }
        };
        self.samples.iter().map(row).collect()
    }
}

fn count(mask: &Mask) -> usize {
    mask.data().iter().filter(|&&pixel| pixel).count()
}

/// Pixels of an image that is ranked.
struct Part<'a> {
    width: usize,
    scores: Cow<'a, [f32]>,
    labels: Cow<'a, [bool]>,
}

impl Part<'_> {
    fn scored(&self) -> ScoredImage<'_> {
        let Self { width, scores, labels } = self;
        ScoredImage { width: *width, height: scores.len() / width.max(&1), scores, labels }
    }
}

/// The scored pixels of an image with ground truth: the image, or, if some lie outside of the region of interest, a row for each
/// connected region of defective pixels, so that it stays one, and a row for all others.
fn parts(sample: &InspectedSample) -> Vec<Part<'_>> {
    let map = &sample.anomaly_map;
    let Some(mask) = &sample.mask else { return Vec::new() };
    if !sample.has_outside() {
        let (scores, labels) = (map.data().into(), mask.data().into());
        return vec![Part { width: map.width(), scores, labels }];
    }
    let regions = label(mask, Connectivity::Eight);
    let count = regions.data().iter().copied().max().unwrap_or(0) as usize;
    let mut scores = vec![Vec::new(); count + 1];
    for (&score, &region) in map.data().iter().zip(regions.data()) {
        if score > NOT_SCORED {
            scores[region as usize].push(score);
        }
    }
    let row = |(region, scores): (usize, Vec<f32>)| {
        let labels = vec![region > 0; scores.len()];
        Part { width: scores.len(), scores: scores.into(), labels: labels.into() }
    };
    let rows = scores.into_iter().enumerate().filter(|(_, scores)| !scores.is_empty());
    rows.map(row).collect()
}
