//! A page with the results of an evaluation, which needs no other file, no network and no script.

mod chart;
mod curves;
mod gallery;
mod histogram;
mod provenance;
mod tables;

pub use provenance::Circumstances;

use anyhow::Result;
use detector::Evaluation;
use detector::files::write_atomic;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::io::Write;
use std::path::Path;

const STYLE: &str = include_str!("page.css");

/// The content of the page.
pub struct Page<'a> {
    pub title: &'a str,
    pub circumstances: Circumstances,
    /// One or several models on the same images.
    pub parts: &'a [Evaluation],
}

/// Writes the page.
///
/// # Errors
/// If the file cannot be written, or a number of the evaluation is not finite.
pub fn write_page(path: &Path, page: &Page<'_>) -> Result<()> {
    let text = page.markup()?.into_string();
    Ok(write_atomic(path, |file| Ok(file.write_all(text.as_bytes())?))?)
}

impl Page<'_> {
    fn markup(&self) -> Result<Markup> {
        let parts: Vec<Markup> = self.parts.iter().map(part).collect::<Result<_>>()?;
        let provenance = provenance::section(&self.circumstances, self.parts)?;
        Ok(html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (self.title) }
                        (self.circumstances.summary(self.parts))
                        section id="results" {
                            h2 { "Results" }
                            (tables::numbers(self.parts))
                            div.charts { @for chart in curves::charts(self.parts) { (chart.draw()) } }
                        }
                        @for part in &parts { (part) }
                        (provenance)
                    }
                }
            }
        })
    }
}

/// The section of a single model.
fn part(evaluation: &Evaluation) -> Result<Markup> {
    let Evaluation { origin, test_set, metrics, .. } = evaluation;
    let images = histogram::of_images(test_set)?;
    let pixels = histogram::of_pixels(test_set);
    Ok(html! {
        section {
            h2 { (evaluation.method().title()) }
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
            h3 { "Scores" }
            div.charts { (images.draw()) (pixels.draw()) }
            h3 { "Types of defects" }
            p { "At the calibrated threshold." }
            (tables::defect_types(metrics))
            (gallery::gallery(test_set)?)
        }
    })
}
