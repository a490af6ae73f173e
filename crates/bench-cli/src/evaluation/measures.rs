//! The numbers, tables and curves of an evaluation.

use super::{AtThreshold, Evaluation, Inspection};
use crate::config::{RuleName, RuleThreshold};
use anyhow::Result;
use inspect::{Mask, ThresholdRule, threshold_mask};
use metrics::{
    AU_PRO_LIMIT, Points, PrCurve, ProCurve, RankedImages, RankedScores, RocCurve, ScoredImage,
    image_score, roc_auc,
};
use serde::Serialize;

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
    /// What the thresholds of several rules give, the calibrated one first; all are from good images only.
    pub rules: Vec<RuleResult>,
    pub oracle: Oracle,
    /// Test images by type of defect, good ones included.
    pub defect_types: Vec<DefectType>,
    pub images: usize,
    pub defective_images: usize,
    pub pixels: u64,
    pub defective_pixels: u64,
}

impl Metrics {
    /// All thresholds with their names: those of the rules, the calibrated one first, and last what only the test labels tell.
    pub fn thresholds(&self) -> impl Iterator<Item = (String, f32, &AtThreshold)> {
        let calibrated = |index| if index == 0 { " (calibrated)" } else { "" };
        let rules = self.rules.iter().enumerate().map(move |(index, of_rule)| {
            let name = format!("{}{}", RuleName(of_rule.rule), calibrated(index));
            (name, of_rule.threshold, &of_rule.result)
        });
        let Oracle { threshold, result } = &self.oracle;
        rules.chain([("test labels in view".to_owned(), *threshold, result)])
    }
}

/// A threshold from good images, and what it gives on the test set.
#[derive(Clone, Debug, Serialize)]
pub struct RuleResult {
    pub rule: ThresholdRule,
    pub threshold: f32,
    #[serde(flatten)]
    pub result: AtThreshold,
}

/// The threshold of the largest F1, chosen with the test labels in view: what no rule can know, and none can beat in F1.
#[derive(Clone, Debug, Serialize)]
pub struct Oracle {
    pub threshold: f32,
    #[serde(flatten)]
    pub result: AtThreshold,
}

impl Oracle {
    fn of(inspections: &[&Inspection], threshold: f32) -> Result<Self> {
        Ok(Self { threshold, result: AtThreshold::of(inspections, threshold)? })
    }
}

/// The test images of a type of defect, at the calibrated threshold.
#[derive(Clone, Debug, Serialize)]
pub struct DefectType {
    /// The name of the images' folder, `good` for none.
    pub defect: String,
    pub images: usize,
    pub defective_pixels: u64,
    #[serde(flatten)]
    pub result: AtThreshold,
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

impl Evaluation {
    /// All numbers and curves.
    ///
    /// # Errors
    /// If all pixels are of one class.
    pub fn measure(&self) -> Result<(Metrics, Curves)> {
        let (roc_raw, pixel_au_roc_raw) = self.raw_roc()?;
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
        let all: Vec<&Inspection> = self.inspections.iter().collect();
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
            at_threshold: AtThreshold::of(&all, self.threshold)?,
            rules: self.rule_results(&all)?,
            oracle: Oracle::of(&all, best.threshold)?,
            defect_types: self.defect_types()?,
            images: all.len(),
            defective_images: all.iter().filter(|i| !i.sample.is_good()).count(),
            pixels: opened.positives() + opened.negatives(),
            defective_pixels: opened.positives(),
        };
        Ok((metrics, curves))
    }

    /// Of the residual maps before the opening, and the area under it.
    fn raw_roc(&self) -> Result<(RocCurve, f64)> {
        let raw = self.inspections.iter().map(|i| (i.residual.data(), i.mask.data()));
        let raw = RankedScores::pooled(raw.collect::<Vec<_>>())?;
        Ok((raw.roc(Points::Corners), raw.roc_auc()))
    }

    fn rule_results(&self, all: &[&Inspection]) -> Result<Vec<RuleResult>> {
        let result = |&RuleThreshold { rule, threshold }| {
            Ok(RuleResult { rule, threshold, result: AtThreshold::of(all, threshold)? })
        };
        self.rules.iter().map(result).collect()
    }

    /// In the order of the test set.
    fn defect_types(&self) -> Result<Vec<DefectType>> {
        let is_same = |a: &Inspection, b: &Inspection| a.sample.defect == b.sample.defect;
        let of_type = |inspections: &[Inspection]| {
            let defective = inspections.iter().map(|i| count(&i.mask) as u64);
            let all: Vec<&Inspection> = inspections.iter().collect();
            Ok(DefectType {
                defect: inspections[0].sample.defect.clone(),
                images: inspections.len(),
                defective_pixels: defective.sum(),
                result: AtThreshold::of(&all, self.threshold)?,
            })
        };
        self.inspections.chunk_by(is_same).map(of_type).collect()
    }

    fn image_au_roc(&self) -> Result<Option<(f64, GoodImages)>> {
        let (good, defective) = self.image_scores()?;
        let source = match self.held_out_scores.as_slice() {
            [] => GoodImages::Test,
            _ => GoodImages::HeldOut,
        };
        if good.is_empty() {
            return Ok(None);
        }
        let labels: Vec<bool> =
            (0..good.len() + defective.len()).map(|index| index >= good.len()).collect();
        Ok(Some((roc_auc(&[good, defective].concat(), &labels)?, source)))
    }

    /// The largest scores of good and of defective images. If the test set has no good ones, those that training held out
    /// stand for them.
    ///
    /// # Errors
    /// If a map is empty.
    pub fn image_scores(&self) -> Result<(Vec<f32>, Vec<f32>)> {
        let (mut good, mut defective) = (self.held_out_scores.clone(), Vec::new());
        for Inspection { sample, anomaly_map, .. } in &self.inspections {
            let scores = if sample.is_good() { &mut good } else { &mut defective };
            scores.push(image_score(anomaly_map.data())?);
        }
        Ok((good, defective))
    }

    /// The table of images.
    ///
    /// # Errors
    /// If a map is empty.
    pub fn rows(&self) -> Result<Vec<ImageRow>> {
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

fn count(mask: &Mask) -> usize {
    mask.data().iter().filter(|&&pixel| pixel).count()
}

fn scored(inspection: &Inspection) -> ScoredImage<'_> {
    let (map, mask) = (&inspection.anomaly_map, &inspection.mask);
    ScoredImage {
        width: map.width(),
        height: map.height(),
        scores: map.data(),
        labels: mask.data(),
    }
}
