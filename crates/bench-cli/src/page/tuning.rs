//! The page of a tuning.

use super::document::{document, write_document};
use super::exhibits::{Exhibit, Pictures, Planes, exhibit, legend};
use super::levels::Levels;
use super::provenance::Circumstances;
use crate::terminal::decimals;
use anyhow::Result;
use detector::records::{Agreement, ChoiceFigures, MeasuredChoice, TunedCandidate, TuningRecord};
use detector::synthetic::{DrawnDefect, DrawnKind};
use detector::{
    DrawnImage, Image, Margins, Mask, ResidualChoice, Shown, TuningImages, crop, to_grey8,
};
use inspect::threshold_mask;
use maud::{Markup, html};
use std::path::Path;

/// Residuals of the best model that are listed.
const LISTED: usize = 10;

/// Pixels around a defect's part of an image that are shown.
const MORE: usize = 16;

/// The content of the page.
pub struct TuningPage<'a> {
    pub circumstances: Circumstances,
    pub record: &'a TuningRecord<ResidualChoice>,
    /// The configuration that was chosen.
    pub tuned: &'a str,
    pub images: &'a TuningImages,
    /// The first of the images with drawn defects.
    pub shown: &'a [Shown],
}

/// Writes the page.
///
/// # Errors
/// If the file cannot be written, or a picture cannot be encoded.
pub fn write_tuning_page(path: &Path, page: &TuningPage<'_>) -> Result<()> {
    write_document(path, document("Which settings suit these images", None, &page.content()?))
}

impl TuningPage<'_> {
    fn content(&self) -> Result<Markup> {
        let record = self.record;
        let best = record.candidates.first();
        let exhibits = self.exhibits()?;
        Ok(html! {
            p {
                (record.drawn_defects) " defects were drawn into " (record.good_images) " good images. \"Found\" is the share of them that a \
                 model finds at the threshold of one false alarm in " (record.false_alarms) " good images, as the mean over the kinds of \
                 defects; \"area\" is that under the ROC curve of the largest scores of images with and without a defect."
            }
            @if !record.rungs.is_empty() { p { (steps(record)) } }
            section {
                h2 { "Models" }
                p { "Each with the residual that finds the most. What was trained longest stands first; the first row was chosen." }
                (candidates(record))
            }
            @if let Some(best) = best {
                section {
                    h2 { (best.name) }
                    h3 { "Residuals" }
                    p { (best.choices.len()) " were compared on this model without training again; the best, and the default." }
                    (residuals(best))
                    h3 { "Kinds of defects" }
                    (kinds(best))
                    h3 { "Drawn defects" }
                    p { "One of each kind, as image, reconstruction, anomaly map and mask." }
                    (legend(&exhibits))
                    @for drawn in &exhibits { (exhibit(drawn)) }
                }
            }
            section {
                h2 { "How far to trust it" }
                p {
                    "Drawn defects stand for real ones that nobody has shown yet. Whether they rank settings as real ones do depends on the \
                     data; on seven sets measured so far, rank correlations were 0.76, 0.75, 0.71, 0.27, 0.25, 0.08 and −0.19. \
                     The pictures above show what was drawn: if your defects look \
                     otherwise, compare the first rows by your own images before you rely on the order. On a data set with ground truth, \
                     the option --labels says how well it holds."
                }
                @if let Some(agreement) = &record.agreement { (compared(agreement)) }
            }
            section {
                h2 { "Configuration" }
                p { "tuned.toml, which " code { "bench-cli train --config" } " takes." }
                pre { (self.tuned) }
            }
            section id="provenance" { h2 { "Provenance" } (self.circumstances.list()) }
        })
    }

    /// One defect of each kind.
    fn exhibits(&self) -> Result<Vec<Exhibit>> {
        let drawn = self.images.drawn.iter().zip(self.shown);
        let all: Vec<_> = drawn
            .flat_map(|(image, shown)| {
                image.defects.iter().map(move |defect| (image, shown, defect))
            })
            .collect();
        let of_kind = |kind: DrawnKind| all.iter().find(|(.., defect)| defect.kind == kind);
        let one_each = DrawnKind::ALL.into_iter().filter_map(of_kind);
        one_each.map(|(image, shown, defect)| drawn_exhibit(image, shown, defect)).collect()
    }
}

fn steps(record: &TuningRecord<ResidualChoice>) -> String {
    let steps =
        record.rungs.iter().map(|rung| format!("{} on {} patches", rung.candidates, rung.patches));
    format!(
        "Successive halving: models were trained, {}. It took {}.",
        steps.collect::<Vec<_>>().join(", the best "),
        crate::progress::duration(record.seconds)
    )
}

fn candidates(record: &TuningRecord<ResidualChoice>) -> Markup {
    let has_labels = record.agreement.is_some();
    html! {
        div.scroll {
            table {
                thead { tr {
                    th { "Model" } th { "Scaled to" }
                    @for head in ["Patches", "Pixel area", "Found"] { th.number { (head) } }
                    @if has_labels { th.number { "Image area by labels" } }
                    th { "Residual" }
                } }
                tbody { @for candidate in &record.candidates { (candidate_row(candidate, has_labels)) } }
            }
        }
    }
}

fn candidate_row(candidate: &TunedCandidate<ResidualChoice>, has_labels: bool) -> Markup {
    let TunedCandidate { name, size, patches, collapsed, .. } = candidate;
    let size = size.map_or_else(|| "–".to_owned(), |[width, height]| format!("{width}×{height}"));
    html! {
        @if let Some(MeasuredChoice { choice, figures }) = candidate.choices.first() {
            tr {
                th { (name) @if *collapsed { " (of no use)" } }
                td { (size) }
                td.number { (patches) }
                (figure_cells(figures, has_labels))
                td { (choice) }
            }
        }
    }
}

fn figure_cells(figures: &ChoiceFigures, has_labels: bool) -> Markup {
    html! {
        td.number { (decimals(Some(figures.pixel_au_roc))) }
        td.number { (decimals(Some(figures.found))) }
        @if has_labels { td.number { (decimals(figures.image_au_roc)) } }
    }
}

/// The best residuals of a model, and the default one.
fn residuals(candidate: &TunedCandidate<ResidualChoice>) -> Markup {
    let usual = ResidualChoice::usual(candidate.method);
    let is_listed = |(index, of): &(usize, &MeasuredChoice<ResidualChoice>)| {
        *index < LISTED || of.choice == usual
    };
    let listed = candidate.choices.iter().enumerate().filter(is_listed);
    let has_labels = candidate.choices.iter().any(|of| of.figures.image_au_roc.is_some());
    html! {
        div.scroll {
            table {
                thead { tr {
                    th.number { "Rank" } th { "Residual" } th.number { "Pixel area" } th.number { "Found" }
                    @if has_labels { th.number { "Image area by labels" } }
                } }
                tbody {
                    @for (index, MeasuredChoice { choice, figures }) in listed {
                        tr {
                            td.number { (index + 1) }
                            th { (choice) @if *choice == usual { " (default)" } }
                            (figure_cells(figures, has_labels))
                        }
                    }
                }
            }
        }
    }
}

fn kinds(candidate: &TunedCandidate<ResidualChoice>) -> Markup {
    let usual = ResidualChoice::usual(candidate.method);
    let default = candidate.choices.iter().find(|of| of.choice == usual);
    let found_by_default = |kind: DrawnKind| {
        let kinds = default.map(|of| &of.figures.kinds)?;
        kinds.iter().find(|of_kind| of_kind.kind == kind).map(|of_kind| of_kind.found)
    };
    let chosen = candidate.choices.first().map_or(&[][..], |best| &best.figures.kinds);
    html! {
        div.scroll {
            table {
                thead { tr {
                    th { "Kind" }
                    @for head in ["Drawn", "Found", "Found with the default residual"] { th.number { (head) } }
                } }
                tbody {
                    @for of_kind in chosen {
                        tr {
                            th { (of_kind.kind) }
                            td.number { (of_kind.drawn) }
                            td.number { (of_kind.found) }
                            td.number { (found_by_default(of_kind.kind).map_or("–".to_owned(), |found| found.to_string())) }
                        }
                    }
                }
            }
        }
    }
}

/// A defect with its surroundings, and what the model makes of it.
fn drawn_exhibit(drawn: &DrawnImage, shown: &Shown, defect: &DrawnDefect) -> Result<Exhibit> {
    let margins = surroundings(defect, drawn.image.size());
    let part = |image: &Image| Ok::<_, anyhow::Error>(crop(image, margins)?);
    let (image, map) = (part(&drawn.image)?, part(&shown.map)?);
    let mut ground_truth = Mask::filled(drawn.image.width(), drawn.image.height(), false);
    let width = ground_truth.width();
    for (x, y) in drawn.defects.iter().flat_map(DrawnDefect::pixels) {
        ground_truth.data_mut()[y * width + x] = true;
    }
    let pictures = Pictures::of(
        &Planes {
            image: &to_grey8(&image),
            reconstruction: &to_grey8(&part(&shown.reconstruction)?),
            map: &map,
            flagged: &threshold_mask(&map, 1.0),
            ground_truth: Some(&crop(&ground_truth, margins)?),
        },
        &Levels::new(1.0, 1.0),
    )?;
    let score = defect.pixels().map(|(x, y)| shown.map.get(x, y)).fold(f32::MIN, f32::max);
    let verdict = if score >= 1.0 { "found" } else { "missed" };
    let text =
        format!("{verdict}, {} deviations of the texture, score {score:.2}", defect.contrast);
    let name = defect.kind.key().to_owned();
    Ok(Exhibit { name, kind: Some("drawn".to_owned()), score, text, pictures })
}

/// The margins around a defect's part of the image and a little more.
fn surroundings(defect: &DrawnDefect, (width, height): (usize, usize)) -> Margins {
    let (right, bottom) = (defect.left + defect.mask.width(), defect.top + defect.mask.height());
    Margins {
        left: defect.left.saturating_sub(MORE),
        top: defect.top.saturating_sub(MORE),
        right: (width - right).saturating_sub(MORE),
        bottom: (height - bottom).saturating_sub(MORE),
    }
}

fn compared(agreement: &Agreement) -> Markup {
    let Agreement { over_candidates, over_choices, chosen, best, default } = *agreement;
    html! {
        p {
            "This data set has labels, which were looked at after all was chosen. Image area under the ROC curve by labels: chosen "
            (decimals(Some(chosen))) ", the best of all, with the labels in view, " (decimals(Some(best)))
            @if default.is_some() { ", the default residual on the chosen model " (decimals(default)) }
            ". Rank correlation (Spearman) of the area of drawn pixels and that area: over the models "
            (decimals(over_candidates)) ", over all residuals of all models " (decimals(over_choices)) "."
        }
        @if over_choices.is_some_and(|correlation| correlation < 0.3) {
            p.warning { "Drawn defects do not rank settings here as real ones do." }
        }
    }
}
