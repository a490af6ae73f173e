use super::axis::Axis;
use super::colours::{Colour, REFERENCE, SERIES};

/// Lines over two axes, with a legend: ROC, precision–recall or per-region
/// overlap curves, histograms of scores, or any labelled points.
///
/// [`Chart::save`] writes it as PNG or SVG, and [`Chart::to_inline_svg`] draws
/// it for an HTML page.
#[derive(Clone, Debug)]
pub struct Chart {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub points: Vec<(f64, f64)>,
    /// The entry in the legend, if there is one.
    pub label: Option<String>,
    pub colour: Colour,
    pub stroke: Stroke,
    pub fill: Fill,
    pub marks: Marks,
    pub error_bars: Vec<ErrorBar>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stroke {
    Solid,
    Dashed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fill {
    Nothing,
    /// Tints the area between the line and the lower end of the axis.
    Below,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Marks {
    Nothing,
    /// A dot at each point.
    Dots,
}

/// A vertical bar from `low` to `high`.
#[derive(Clone, Debug)]
pub(super) struct ErrorBar {
    pub x: f64,
    pub low: f64,
    pub high: f64,
}

impl Line {
    /// Number `index` of several lines to tell apart: by colour, and by dashes
    /// when the colours run out.
    pub fn series(index: usize, points: Vec<(f64, f64)>, label: String) -> Self {
        let round = index / SERIES.len();
        let stroke = if round.is_multiple_of(2) { Stroke::Solid } else { Stroke::Dashed };
        Self::plain(points, Some(label), SERIES[index % SERIES.len()], stroke)
    }

    /// A grey dashed line to compare others with.
    pub fn reference(points: Vec<(f64, f64)>, label: Option<String>) -> Self {
        Self::plain(points, label, REFERENCE, Stroke::Dashed)
    }

    fn plain(
        points: Vec<(f64, f64)>,
        label: Option<String>,
        colour: Colour,
        stroke: Stroke,
    ) -> Self {
        let (fill, marks, error_bars) = (Fill::Nothing, Marks::Nothing, Vec::new());
        Self { points, label, colour, stroke, fill, marks, error_bars }
    }
}
