//! How well drawn defects rank settings, by labels.

use super::measuring::Measuring;
use super::plan::Models;
use super::state::{State, Tuned};
use anyhow::{Context as _, Result};
use detector::records::{Agreement, MeasuredChoice};
use detector::{Effort, ResidualChoice, TuningImages, rank_correlation};

/// Measures the choices that were measured without test images once more, with them, and compares figures. Nothing is chosen by it.
///
/// # Errors
/// If an image cannot be read or inspected, or a signal came.
pub fn compare(measuring: &Measuring<'_>, models: &Models, state: &mut State) -> Result<()> {
    let has_labels = |candidate: &Tuned| {
        candidate.choices.iter().all(|choice| choice.figures.image_au_roc.is_some())
    };
    let all = state.record.candidates.iter().enumerate();
    let missing: Vec<usize> =
        all.filter(|(_, candidate)| !has_labels(candidate)).map(|(index, _)| index).collect();
    if !missing.is_empty() {
        let plan = measuring.plan;
        let images = TuningImages::read(&plan.good, &plan.base, plan.seed)?;
        let images = images.with_test(&plan.dataset.test, &plan.base)?;
        let labelled = Measuring { images: &images, ..*measuring };
        for index in missing {
            let is_thorough = state.record.candidates[index].is_thorough;
            let effort = if is_thorough { Effort::Thorough } else { Effort::Quick };
            labelled.again(models, state, index, effort)?;
        }
    }
    state.record.agreement = Some(
        agreement(&state.record.candidates)
            .context("no test image has a defect in its region of interest")?,
    );
    state.save()
}

fn agreement(candidates: &[Tuned]) -> Option<Agreement> {
    let area = |choice: &MeasuredChoice<ResidualChoice>| choice.figures.image_au_roc;
    let best: Vec<_> =
        candidates.iter().filter_map(|candidate| candidate.choices.first()).collect();
    let all: Vec<_> = candidates.iter().flat_map(|candidate| &candidate.choices).collect();
    let usual = candidates.first()?;
    let default = usual.choices.iter().find(|c| c.choice == ResidualChoice::usual(usual.method));
    Some(Agreement {
        over_candidates: correlation(&best),
        over_choices: correlation(&all),
        chosen: best.first().and_then(|choice| area(choice))?,
        best: all.iter().filter_map(|choice| area(choice)).reduce(f64::max)?,
        default: default.and_then(area),
    })
}

/// Of the order of [`ChoiceFigures::best_first`](detector::records::ChoiceFigures::best_first) and the area by labels.
fn correlation(choices: &[&MeasuredChoice<ResidualChoice>]) -> Option<f64> {
    let labels: Option<Vec<f64>> =
        choices.iter().map(|choice| choice.figures.image_au_roc).collect();
    let own: Vec<f64> = choices.iter().map(|choice| choice.figures.pixel_au_roc).collect();
    if choices.len() < 3 { None } else { rank_correlation(&own, &labels?) }
}
