//! What a figure shows, independent of how it is drawn.

use plotters::style::RGBColor;

use super::Figure;
use super::axis::Axis;

/// Lines over two axes, with a legend.
pub(super) struct Chart<'a> {
    pub figure: &'a Figure<'a>,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    pub lines: Vec<Line>,
}

pub(super) struct Line {
    pub points: Vec<(f64, f64)>,
    /// The entry in the legend, if there is one.
    pub label: Option<String>,
    pub colour: RGBColor,
    pub stroke: Stroke,
    pub fill: Fill,
    pub marks: Marks,
    pub error_bars: Vec<ErrorBar>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stroke {
    Solid,
    Dashed,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fill {
    Nothing,
    /// Tints the area between the line and the lower end of the axis.
    Below,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Marks {
    Nothing,
    /// A dot at each point.
    Dots,
}

/// A vertical bar from `low` to `high`.
pub(super) struct ErrorBar {
    pub x: f64,
    pub low: f64,
    pub high: f64,
}

impl Line {
    /// Number `index` of several lines to tell apart.
    pub fn series(index: usize, points: Vec<(f64, f64)>, label: String) -> Self {
        let (colour, stroke) = series_style(index);
        Self::plain(points, Some(label), colour, stroke)
    }

    /// A thin grey line to compare others with.
    pub fn reference(points: Vec<(f64, f64)>, label: Option<String>) -> Self {
        Self::plain(points, label, RGBColor(120, 120, 120), Stroke::Dashed)
    }

    fn plain(
        points: Vec<(f64, f64)>,
        label: Option<String>,
        colour: RGBColor,
        stroke: Stroke,
    ) -> Self {
        let (fill, marks, error_bars) = (Fill::Nothing, Marks::Nothing, Vec::new());
        Self { points, label, colour, stroke, fill, marks, error_bars }
    }
}

/// Colours that are told apart with any colour vision (Okabe and Ito, 2008),
/// the lighter ones last; when they run out, dashes begin.
fn series_style(index: usize) -> (RGBColor, Stroke) {
    const COLOURS: [RGBColor; 7] = [
        RGBColor(0, 114, 178),
        RGBColor(213, 94, 0),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(0, 0, 0),
        RGBColor(86, 180, 233),
        RGBColor(230, 159, 0),
    ];
    let round = index / COLOURS.len();
    let stroke = if round.is_multiple_of(2) { Stroke::Solid } else { Stroke::Dashed };
    (COLOURS[index % COLOURS.len()], stroke)
}
