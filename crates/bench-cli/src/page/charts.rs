//! Curves and histograms of the page, in its colours.

use anyhow::Result;
use detector::{Evaluation, InspectedSet};
use maud::{Markup, PreEscaped, html};
use metrics::{AU_PRO_LIMIT, Chart, Figure, Height, HistogramStyle};

/// Pixel ROC, precision–recall and per-region overlap curves of all parts.
///
/// # Errors
/// If a chart cannot be drawn.
pub fn curves(parts: &[Evaluation]) -> Result<Markup> {
    let titled: Vec<_> = parts.iter().map(|part| (part.method().title(), &part.curves)).collect();
    let mut roc: Vec<_> = titled.iter().map(|(title, curves)| (*title, &curves.roc)).collect();
    // With several parts the chart is full enough.
    if let [(_, curves)] = titled[..] {
        roc.push(("residual map", &curves.roc_raw));
    }
    let pr: Vec<_> =
        titled.iter().map(|(title, curves)| (*title, &curves.precision_recall)).collect();
    let pro: Vec<_> = titled.iter().map(|(title, curves)| (*title, &curves.pro)).collect();
    charts(&[
        ("Pixel ROC", Chart::roc(&roc)?),
        ("Precision and recall of pixels", Chart::precision_recall(&pr)?),
        ("Per-region overlap", Chart::pro(&pro, AU_PRO_LIMIT)?),
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
    let (good, defective) = test_set.image_scores()?;
    let images = [(good_images, good.as_slice()), ("defective images", &defective)];
    let [good, defective] = test_set.pixel_scores();
    let pixels = [("defect-free pixels", good.as_slice()), ("defective pixels", &defective)];
    let style = |bins, height| HistogramStyle {
        bins,
        height,
        threshold: Some(test_set.decision.threshold),
    };
    charts(&[
        ("Largest scores of images", Chart::histogram(&images, &style(24, Height::Count))?),
        ("Scores of pixels", Chart::histogram(&pixels, &style(80, Height::LogarithmicShare))?),
    ])
}

fn charts(charts: &[(&str, Chart)]) -> Result<Markup> {
    let charts = charts.iter().map(|(title, chart)| {
        // The same room for all axes.
        let height = 400 + 30 * chart.legend_entries() as u32;
        let figure = Figure { width: 520, height, ..Figure::new("") };
        Ok((*title, chart.to_inline_svg(&figure)?))
    });
    let charts = charts.collect::<Result<Vec<_>>>()?;
    Ok(html! {
        div.charts {
            @for (title, svg) in &charts {
                figure.chart { figcaption { strong { (title) } } (PreEscaped(svg)) }
            }
        }
    })
}
