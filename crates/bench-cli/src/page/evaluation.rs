//! A page with the results of an evaluation.

use super::document::{document, write_document};
use super::exhibits::{Exhibit, Pictures, Planes};
use super::levels::Levels;
use super::provenance::{self, Circumstances};
use super::workplace::{Recalibration, Workplace};
use super::{charts, tables};
use anyhow::Result;
use detector::records::AtThreshold;
use detector::{Evaluation, InspectedSample, InspectedSet};
use maud::{Markup, html};
use rayon::prelude::*;
use std::path::Path;

/// The pictures of a page take no more than this, in all its parts, so that it can be sent by mail.
const BUDGET: usize = 9_000_000;

/// Images whose pictures are made at once.
const AT_ONCE: usize = 16;

/// The content of the page.
pub struct Page<'a> {
    pub title: &'a str,
    pub circumstances: Circumstances,
    /// One or several models on the same images.
    pub parts: &'a [Evaluation],
    /// The settings that the evaluation was given.
    pub settings: &'a [String],
}

/// Writes the page.
///
/// # Errors
/// If the file cannot be written, a chart cannot be drawn, or a number of the evaluation is not finite.
pub fn write_page(path: &Path, page: &Page<'_>) -> Result<()> {
    write_document(path, document(page.title, None, &page.content()?))
}

impl Page<'_> {
    fn content(&self) -> Result<Markup> {
        let budget = BUDGET / self.parts.len().max(1);
        let parts = self.parts.iter().map(|part| section(part, self.settings, budget));
        let parts: Vec<Markup> = parts.collect::<Result<_>>()?;
        let provenance = provenance::section(&self.circumstances, self.parts)?;
        Ok(html! {
            (self.circumstances.summary(self.parts))
            section id="results" {
                h2 { "Results" }
                (tables::numbers(self.parts))
                (charts::curves(self.parts)?)
            }
            @for part in &parts { (part) }
            (provenance)
        })
    }
}

/// The section of a single model.
fn section(evaluation: &Evaluation, settings: &[String], budget: usize) -> Result<Markup> {
    let Evaluation { origin, test_set, metrics, .. } = evaluation;
    Ok(html! {
        section {
            h2 { (evaluation.method().title()) }
            h3 { "Images" }
            (images(evaluation, settings, budget)?)
            h3 { "Scores" }
            (charts::scores(test_set)?)
            h3 { "Thresholds" }
            p {
                "All thresholds but the last are derived from good images only, the first one being the calibrated one. The \
                 last one has the largest F1 and is chosen with the test labels in view: no threshold to use, but what the \
                 rules fall short of."
            }
            @if !origin.is_calibrated_alike() {
                p.warning { "They were calibrated with other settings than those of this inspection, and may not hold." }
            }
            (tables::thresholds(metrics))
            h3 { "Types of defects" }
            p { "At the calibrated threshold." }
            (tables::defect_types(metrics))
        }
    })
}

/// The images that fit on the page, with their counts at the threshold that can be moved.
fn images(evaluation: &Evaluation, settings: &[String], budget: usize) -> Result<Markup> {
    let Evaluation { origin, test_set, .. } = evaluation;
    let decision = test_set.decision;
    let levels = Levels::new(origin.calibration.good_unit(), decision.threshold);
    let judged = Judged::of(test_set)?;
    let shown = exhibits(&judged, test_set, &levels, budget)?;
    let samples: Vec<&InspectedSample> = judged[..shown.len()].iter().map(|of| of.sample).collect();
    let good = samples.iter().filter(|sample| sample.sample.is_good()).count();
    let workplace = Workplace {
        exhibits: &shown,
        levels: &levels,
        decision,
        counts: Some(&test_set.judge(&samples)?),
        images: [good, samples.len() - good],
        recalibration: Recalibration::of(
            &origin.model,
            origin.config.inspection.scores,
            Some(&origin.calibration),
        )
        .with_settings(settings),
        colour: evaluation.method().colour(),
    };
    let all = test_set.samples.len();
    Ok(html! {
        p {
            "Images with missed defects come first, those with false alarms next, then what was decided as it should be. "
            @if shown.len() < all {
                "Of " (all) " test images " (shown.len()) " are on this page, the others are rows of " code { "images.csv" } "; "
                code { "evaluate --maps" } " writes their maps. Counts beside the sliders are of the images on this page."
            } @else {
                "All " (all) " test images are on this page."
            }
        }
        (workplace.markup())
    })
}

/// An image and the decision on it.
struct Judged<'a> {
    sample: &'a InspectedSample,
    result: AtThreshold,
    score: f32,
}

/// How an image was decided on, in the order of the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Missed,
    FalseAlarm,
    Success,
    Quiet,
}

impl<'a> Judged<'a> {
    /// All images of a test set. Each outcome has its turn, so that those at the front show what there is; of misses the lowest
    /// scores come first, of the others the highest.
    fn of(test_set: &'a InspectedSet) -> Result<Vec<Self>> {
        let judge = |sample: &'a InspectedSample| {
            let result = test_set.judge(&[sample])?;
            Ok(Self { sample, result, score: test_set.decision.score(&sample.anomaly_map) })
        };
        let mut all: Vec<Self> = test_set.samples.iter().map(judge).collect::<Result<_>>()?;
        let key = |of: &Self| if of.outcome() == Outcome::Missed { of.score } else { -of.score };
        all.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let mut turns = [0; 4];
        let ranked = all.into_iter().map(|of| {
            let turn = &mut turns[of.outcome() as usize];
            *turn += 1;
            (*turn, of)
        });
        let mut ranked: Vec<(usize, Self)> = ranked.collect();
        ranked.sort_by_key(|(turn, of)| (*turn, of.outcome()));
        Ok(ranked.into_iter().map(|(_, of)| of).collect())
    }

    fn outcome(&self) -> Outcome {
        let AtThreshold { regions, regions_found, false_alarms, images_flagged, .. } = self.result;
        if self.sample.mask.is_none() {
            return if images_flagged > 0 { Outcome::Success } else { Outcome::Missed };
        }
        match (regions_found < regions, false_alarms > 0, regions > 0) {
            (true, ..) => Outcome::Missed,
            (false, true, _) => Outcome::FalseAlarm,
            (false, false, true) => Outcome::Success,
            (false, false, false) => Outcome::Quiet,
        }
    }

    fn text(&self) -> String {
        let AtThreshold { regions, regions_found, false_alarms, .. } = self.result;
        if self.sample.mask.is_none() {
            let flagged = if self.result.images_flagged > 0 { "flagged" } else { "not flagged" };
            return format!("score {:.3}, defective, without a mask, {flagged}", self.score);
        }
        let found = match regions {
            0 => String::new(),
            _ => format!(", {regions_found} of {regions} defects found"),
        };
        let alarms = if false_alarms == 1 { "alarm" } else { "alarms" };
        format!("score {:.3}{found}, {false_alarms} false {alarms}", self.score)
    }

    fn exhibit(&self, test_set: &InspectedSet, levels: &Levels) -> Result<Exhibit> {
        let InspectedSample { sample, image, reconstruction, anomaly_map, mask, .. } = self.sample;
        let planes = Planes {
            image,
            reconstruction,
            map: anomaly_map,
            flagged: &test_set.decision.mask(anomaly_map),
            ground_truth: mask.as_ref(),
        };
        Ok(Exhibit {
            name: format!("{}/{}", sample.defect, sample.id),
            kind: Some(sample.defect.clone()),
            score: self.score,
            text: self.text(),
            pictures: Pictures::of(&planes, levels)?,
        })
    }
}

/// The images at the front, as many as the budget takes, in the order of the page.
fn exhibits(
    judged: &[Judged<'_>],
    test_set: &InspectedSet,
    levels: &Levels,
    budget: usize,
) -> Result<Vec<Exhibit>> {
    let (mut shown, mut bytes) = (Vec::new(), 0);
    'images: for some in judged.chunks(AT_ONCE) {
        let made = some.par_iter().map(|of| of.exhibit(test_set, levels));
        for (of, exhibit) in some.iter().zip(made.collect::<Result<Vec<_>>>()?) {
            bytes += exhibit.pictures.bytes();
            if bytes > budget && !shown.is_empty() {
                break 'images;
            }
            shown.push((of.outcome(), exhibit));
        }
    }
    // Stable, so that each outcome keeps its order.
    shown.sort_by_key(|&(outcome, _)| outcome);
    Ok(shown.into_iter().map(|(_, exhibit)| exhibit).collect())
}
