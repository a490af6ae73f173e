//! The page of a training, while it runs and when it is over.

use super::charts::{Titled, charts};
use super::document::document;
use super::live::EVERY;
use super::picture::photograph;
use super::provenance::rows;
use crate::drawing::short;
use anyhow::Result;
use detector::records::{Calibration, GoodScore, LogEntry};
use detector::{Config, Image, RuleName, to_grey8};
use maud::{Markup, PreEscaped, html};
use metrics::{Chart, Height, HistogramStyle, LineAxis, LineChart, Series, SeriesStyle, Spacing};

/// Points of a curve that are drawn as dots, at most.
const DOTS: usize = 60;

/// Rows of the table of good images.
const LISTED: usize = 20;

/// A training, as far as it has come.
pub struct TrainingPage<'a> {
    pub title: &'a str,
    /// Whether it has ended, or stopped.
    pub is_over: bool,
    pub config: &'a Config,
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
    /// In whole sentences.
    pub warnings: Vec<String>,
    pub losses: Losses<'a>,
    pub reconstructions: &'a Reconstructions,
    /// Of a training that is over.
    pub calibration: Option<&'a Calibration>,
}

/// Losses over the patches that a network was trained on.
pub struct Losses<'a> {
    /// Means over steps of this part of the training.
    pub steps: &'a [(f64, f64)],
    /// Of good patches that it is not trained on, or the first ones that it is.
    pub good: &'a [(f64, f64)],
    pub good_are_held_out: bool,
    pub epochs: &'a [LogEntry],
}

/// Good patches, and what the network made of them at some points of its training.
#[derive(Default)]
pub struct Reconstructions {
    patches: Vec<String>,
    stages: Vec<(u64, Vec<String>)>,
}

impl Reconstructions {
    /// Patches that are shown, at most.
    pub const SHOWN: usize = 3;

    /// # Errors
    /// If a picture cannot be encoded.
    pub fn of(patches: &[Image]) -> Result<Self> {
        Ok(Self { patches: photographs(patches)?, stages: Vec::new() })
    }

    /// Adds what the network makes of the patches after `seen` patches.
    ///
    /// # Errors
    /// If a picture cannot be encoded.
    pub fn add(&mut self, seen: u64, reconstructions: &[Image]) -> Result<()> {
        self.stages.retain(|&(patches, _)| patches != seen);
        self.stages.push((seen, photographs(reconstructions)?));
        Ok(())
    }

    fn markup(&self) -> Markup {
        html! {
            div.scroll {
                table.stages {
                    thead { tr { th { "image" } @for (seen, _) in &self.stages { th { "after " (seen) } } } }
                    tbody {
                        @for (index, patch) in self.patches.iter().enumerate() {
                            tr {
                                td { img src=(patch) alt="good patch"; }
                                @for (seen, reconstructions) in &self.stages {
                                    td {
                                        @if let Some(data) = reconstructions.get(index) {
                                            img src=(data) alt={ "reconstruction after " (seen) " patches" };
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn photographs(images: &[Image]) -> Result<Vec<String>> {
    let shown = images.iter().take(Reconstructions::SHOWN);
    shown.map(|image| photograph(&to_grey8(image))).collect()
}

impl TrainingPage<'_> {
    /// The page; one of a training that is not over is loaded again and again.
    ///
    /// # Errors
    /// If a chart cannot be drawn.
    pub fn markup(&self) -> Result<Markup> {
        let live = (!self.is_over).then_some(EVERY);
        let curves = self.losses.charts()?;
        let calibration = self.calibration.map(calibration).transpose()?;
        let configuration = self.config.to_toml()?;
        let content = html! {
            (rows(&self.facts))
            @for warning in &self.warnings { p.warning { (warning) } }
            section {
                h2 { "Learning" }
                (curves)
                @if !self.reconstructions.stages.is_empty() {
                    h3 { "Reconstructions of good images over time" }
                    p {
                        "The middle of "
                        @if self.losses.good_are_held_out { "images that the training does not see" } @else { "images that the training sees" }
                        ", and the network's reconstruction after some numbers of patches. It should get the texture right, and need not get every \
                         thread."
                    }
                    (self.reconstructions.markup())
                }
            }
            @if let Some(calibration) = calibration { (calibration) }
            section { h2 { "Configuration" } pre { (configuration) } }
        };
        Ok(document(self.title, live, &content))
    }
}

impl Losses<'_> {
    fn charts(&self) -> Result<Markup> {
        let good = if self.good_are_held_out { "held-out images" } else { "images trained on" };
        let epochs = |value: fn(&LogEntry) -> f64| {
            let points = self.epochs.iter().map(move |epoch| (epoch.patches as f64, value(epoch)));
            points.filter(|(_, value)| value.is_finite())
        };
        let dots = if self.good.len() <= DOTS { SeriesStyle::Marked } else { SeriesStyle::Plain };
        let loss = [
            Series::new(
                "training, means over steps",
                SeriesStyle::Plain,
                self.steps.iter().copied(),
            ),
            Series::new(good, dots, self.good.iter().copied()),
            Series::new("training, epochs", SeriesStyle::Marked, epochs(|epoch| epoch.loss)),
        ];
        let contrast = [Series::new(
            "reconstructions relative to images",
            SeriesStyle::Marked,
            epochs(|epoch| epoch.contrast),
        )];
        let drawn = [lines("Loss", loss.into())?, lines("Contrast", contrast.into())?];
        charts(&drawn.into_iter().flatten().collect::<Vec<_>>())
    }
}

/// A chart over patches, if there is a point.
fn lines(title: &'static str, series: Vec<Series<'_>>) -> Result<Option<Titled>> {
    let series: Vec<_> = series.into_iter().filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        return Ok(None);
    }
    let chart = LineChart {
        x: LineAxis { spacing: Spacing::Linear, ..LineAxis::new("Patches") },
        y: LineAxis::new(title),
        series,
    };
    Ok(Some(Titled { title, chart: Chart::lines(&chart)?, role: None }))
}

/// Scores of the good images of a calibration, and where they lie.
fn calibration(calibration: &Calibration) -> Result<Markup> {
    let Calibration { threshold, rule, images, source, standard_error, min_area, .. } = calibration;
    let scores: Vec<f32> = calibration.scores.iter().map(|good| good.score).collect();
    let style = HistogramStyle { bins: 24, height: Height::Count, threshold: Some(*threshold) };
    let lists = [("good images", scores.as_slice())];
    let chart = Chart::histogram(&lists, &style)?;
    let histogram = charts(&[Titled { title: "Scores of good images", chart, role: None }])?;
    let mut listed: Vec<&GoodScore> = calibration.scores.iter().collect();
    listed.sort_by(|a, b| b.score.total_cmp(&a.score));
    let error = standard_error.map(|error| format!(", with a standard error of {error:.3}"));
    Ok(html! {
        section {
            h2 { "Calibration" }
            p {
                "Threshold " (short(*threshold)) " by " (RuleName(*rule)) " from " (images) " good images, " (source.describe())
                @if let Some(error) = error { (error) } "; a defect has at least " (min_area) " " @if *min_area == 1 { "pixel" } @else { "pixels" } "."
            }
            div.beside {
                (histogram)
                figure.places {
                    figcaption {
                        strong { "Where the largest scores lie" }
                        " A dot for each good image, at its place in the frame; those above the threshold are filled."
                    }
                    (places(calibration))
                }
            }
            details {
                summary { "The good images that score highest" }
                div.scroll {
                    table {
                        thead { tr { th { "Image" } th.number { "Score" } th.number { "Column" } th.number { "Row" } } }
                        tbody {
                            @for GoodScore { image, score, x, y, .. } in listed.into_iter().take(LISTED) {
                                tr { td { (image) } td.number { (format!("{score:.3}")) } td.number { (x) } td.number { (y) } }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// A frame as wide and high as the largest image, with a dot for each image.
fn places(calibration: &Calibration) -> Markup {
    let scores = &calibration.scores;
    let width = scores.iter().map(|good| good.width).max().unwrap_or(1);
    let height = scores.iter().map(|good| good.height).max().unwrap_or(1);
    let radius = width.max(height) as f64 / 60.0;
    let view = format!("0 0 {width} {height}");
    let dots: String = scores
        .iter()
        .map(|good| {
            let above = good.score >= calibration.threshold;
            let fill = if above { "currentColor" } else { "none" };
            let (x, y) = (good.x, good.y);
            let stroke = radius / 4.0;
            format!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"currentColor\" stroke-width=\"{stroke}\"/>"
            )
        })
        .collect();
    html! {
        svg viewBox=(view) role="img" aria-label="places of largest scores" {
            rect width=(width) height=(height) {}
            (PreEscaped(dots))
        }
    }
}
