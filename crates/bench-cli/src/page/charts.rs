//! Curves and histograms of the page, in its colours.

use anyhow::Result;
use detector::{Evaluation, InspectedSet};
use maud::{Markup, PreEscaped, html};
use metrics::{AU_PRO_LIMIT, Chart, Figure, Height, HistogramStyle};

/// The number of the colour of residual maps' curves, which is no method's.
pub const RESIDUAL_COLOUR: usize = 6;

/// A chart of a page, with its title.
pub struct Titled {
    pub title: &'static str,
    pub chart: Chart,
    /// For the script, which puts the present decision on curves and score axes: `data-curve` or `data-axis` with its value.
    pub role: Option<Role>,
}

/// The values of a chart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Roc,
    PrecisionRecall,
    Pro,
    /// Scores along the horizontal axis.
    Scores,
}

impl Role {
    fn curve(self) -> Option<&'static str> {
        match self {
            Self::Roc => Some("roc"),
            Self::PrecisionRecall => Some("pr"),
            Self::Pro => Some("pro"),
            Self::Scores => None,
        }
    }
}

/// Pixel ROC, precision–recall and per-region overlap curves of all parts, each in the colour of its method.
///
/// # Errors
/// If a chart cannot be drawn.
pub fn curves<'a>(parts: &'a [Evaluation]) -> Result<Markup> {
    let of_part = |part: &'a Evaluation| Some((part.method(), part.curves.as_ref()?));
    let of_parts: Vec<_> = parts.iter().filter_map(of_part).collect();
    let titled: Vec<_> =
        of_parts.iter().map(|(method, curves)| (method.title(), *curves)).collect();
    if titled.is_empty() {
        return Ok(
            html! { p { "No defective image has a mask: there are no figures of pixels." } },
        );
    }
    let mut colours: Vec<usize> = of_parts.iter().map(|(method, _)| method.colour()).collect();
    let pr: Vec<_> =
        titled.iter().map(|(title, curves)| (*title, &curves.precision_recall)).collect();
    let pro: Vec<_> = titled.iter().map(|(title, curves)| (*title, &curves.pro)).collect();
    let pr = Chart::precision_recall(&pr)?.in_colours(&colours);
    let pro = Chart::pro(&pro, AU_PRO_LIMIT)?.in_colours(&colours);
    let mut roc: Vec<_> = titled.iter().map(|(title, curves)| (*title, &curves.roc)).collect();
    // With several parts the chart is full enough.
    if let [(_, curves)] = titled[..] {
        roc.push(("residual map", &curves.roc_raw));
        colours.push(RESIDUAL_COLOUR);
    }
    let roc = Chart::roc(&roc)?.in_colours(&colours);
    charts(&[
        Titled { title: "Pixel ROC", chart: roc, role: Some(Role::Roc) },
        Titled {
            title: "Precision and recall of pixels",
            chart: pr,
            role: Some(Role::PrecisionRecall),
        },
        Titled { title: "Per-region overlap", chart: pro, role: Some(Role::Pro) },
    ])
}

/// Histograms of the largest scores of images and of the scores of pixels, with the calibrated threshold.
///
/// # Errors
/// If a map is empty, or a chart cannot be drawn.
pub fn scores(test_set: &InspectedSet) -> Result<Markup> {
    let good_images = match test_set.held_out_scores.as_slice() {
        [] => "good images",
        _ => "good images, held out from training",
    };
    let (good, defective) = test_set.image_scores();
    let images = [(good_images, good.as_slice()), ("defective images", &defective)];
    let [good, defective] = test_set.pixel_scores();
    let pixels = [("defect-free pixels", good.as_slice()), ("defective pixels", &defective)];
    let style = |bins, height| HistogramStyle {
        bins,
        height,
        threshold: Some(test_set.decision.threshold),
    };
    let scores = |title, chart| Titled { title, chart, role: Some(Role::Scores) };
    let images = Chart::histogram(&images, &style(24, Height::Count))?;
    let mut all = vec![scores("Largest scores of images", images)];
    if pixels.iter().all(|(_, scores)| !scores.is_empty()) {
        let pixels = Chart::histogram(&pixels, &style(80, Height::LogarithmicShare))?;
        all.push(scores("Scores of pixels", pixels));
    }
    charts(&all)
}

/// Charts beside each other.
///
/// # Errors
/// If one cannot be drawn.
pub fn charts(charts: &[Titled]) -> Result<Markup> {
    let drawn = charts.iter().map(|Titled { chart, .. }| {
        // The same room for all axes.
        let height = 400 + 30 * chart.legend_entries() as u32;
        Ok(chart.to_inline_svg(&Figure { width: 520, height, ..Figure::new("") })?)
    });
    let drawn = drawn.collect::<Result<Vec<_>>>()?;
    Ok(html! {
        div.charts {
            @for (Titled { title, role, .. }, svg) in charts.iter().zip(&drawn) {
                @let axis = (*role == Some(Role::Scores)).then_some("score");
                figure.chart data-curve=[role.and_then(Role::curve)] data-axis=[axis] {
                    figcaption { strong { (title) } }
                    (PreEscaped(svg))
                }
            }
        }
    })
}
