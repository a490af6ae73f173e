//! What a figure shows, independent of how it is drawn.

use std::ops::Range;

use plotters::style::RGBColor;

use super::Figure;

/// Lines over two axes, with a legend.
pub(super) struct Chart<'a> {
    pub figure: &'a Figure<'a>,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

pub(super) struct Axis {
    pub label: &'static str,
    pub range: Range<f64>,
    /// How a tick is written.
    pub tick: fn(f64) -> String,
}

pub(super) struct Line {
    pub points: Vec<(f64, f64)>,
    /// The entry in the legend, if there is one.
    pub label: Option<String>,
    pub colour: RGBColor,
    pub stroke: Stroke,
    pub fill: Fill,
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

impl Axis {
    /// An axis of rates, from 0 to `end`.
    pub fn rate(label: &'static str, end: f64) -> Self {
        Self { label, range: 0.0..end, tick: decimal }
    }
}

/// A number with as many decimals as it needs, three at most.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Line {
    /// Number `index` of several lines to tell apart.
    pub fn series(index: usize, points: Vec<(f64, f64)>, label: String) -> Self {
        let (colour, stroke) = series_style(index);
        Self { points, label: Some(label), colour, stroke, fill: Fill::Nothing }
    }

    /// A thin grey line to compare others with.
    pub fn reference(points: Vec<(f64, f64)>, label: Option<String>) -> Self {
        let colour = RGBColor(120, 120, 120);
        Self { points, label, colour, stroke: Stroke::Dashed, fill: Fill::Nothing }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_short() {
        let texts = [0.0, -0.0, 1.0, 0.25, -1.5, 12.0625, 100.0].map(decimal);
        assert_eq!(texts, ["0", "0", "1", "0.25", "-1.5", "12.062", "100"]);
    }
}
