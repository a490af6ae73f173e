//! The curves of an evaluation as charts.

use super::chart::{Axis, Chart, Line, Style};
use crate::curve_points::{Point, pr_points, pro_points, roc_points};
use detector::Evaluation;
use metrics::AU_PRO_LIMIT;

/// The largest distance of a point that is left out from one that is drawn: about a pixel of a chart.
const TOLERANCE: f64 = 1.0 / 400.0;

/// ROC, precision and recall, and per-region overlap of all parts.
pub fn charts(parts: &[Evaluation]) -> [Chart; 3] {
    [roc(parts), precision_recall(parts), pro(parts)]
}

fn roc(parts: &[Evaluation]) -> Chart {
    let rate = || Axis::rate("False-positive rate", 1.0);
    let opened = lines(parts, |part| {
        (pairs(roc_points(&part.curves.roc, TOLERANCE)), "AUC", part.metrics.pixel_au_roc)
    });
    // With several parts the charts are full enough.
    let raw = parts.iter().filter(|_| parts.len() == 1).map(|part| Line {
        label: format!("before opening: AUC {:.3}", part.metrics.pixel_au_roc_raw),
        colour: 1,
        style: Style::Dashed,
        points: pairs(roc_points(&part.curves.roc_raw, TOLERANCE)),
    });
    Chart {
        title: "Pixel ROC".to_owned(),
        x: rate(),
        y: Axis::rate("True-positive rate", 1.0),
        lines: opened.chain(raw).collect(),
        marker: None,
    }
}

fn precision_recall(parts: &[Evaluation]) -> Chart {
    let lines = lines(parts, |part| {
        let points = pairs(pr_points(&part.curves.precision_recall, TOLERANCE));
        (steps(&points), "average precision", part.metrics.pixel_average_precision)
    });
    Chart {
        title: "Precision and recall of pixels".to_owned(),
        x: Axis::rate("Recall", 1.0),
        y: Axis::rate("Precision", 1.0),
        lines: lines.collect(),
        marker: None,
    }
}

fn pro(parts: &[Evaluation]) -> Chart {
    let lines = lines(parts, |part| {
        (pairs(pro_points(&part.curves.pro, TOLERANCE)), "AU-PRO", part.metrics.au_pro)
    });
    Chart {
        title: "Per-region overlap".to_owned(),
        x: Axis::rate("False-positive rate", AU_PRO_LIMIT),
        y: Axis::rate("Per-region overlap", 1.0),
        lines: lines.collect(),
        marker: None,
    }
}

/// A line of each part, with the name and the value of its area.
fn lines<'a>(
    parts: &'a [Evaluation],
    of: impl Fn(&Evaluation) -> (Vec<(f64, f64)>, &'static str, f64) + 'a,
) -> impl Iterator<Item = Line> + 'a {
    parts.iter().enumerate().map(move |(colour, part)| {
        let (points, name, area) = of(part);
        let label = format!("{}: {name} {area:.3}", part.method().title());
        Line { label, colour, style: Style::Solid, points }
    })
}

fn pairs(points: Vec<Point>) -> Vec<(f64, f64)> {
    points.into_iter().map(|Point { x, y, .. }| (x, y)).collect()
}

/// Horizontally to each point, at its height: the steps that the average precision sums up.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let steps = points.windows(2).flat_map(|pair| [(pair[0].0, pair[1].1), pair[1]]);
    points.first().copied().into_iter().chain(steps).collect()
}
