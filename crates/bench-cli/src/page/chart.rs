//! Charts as inline SVG, in the colours of the page.

use maud::{Markup, html};
use std::fmt::Write;
use std::ops::Range;

/// The size of a chart in its own units, and the room for ticks and the names of the axes.
const SIZE: (f64, f64) = (420.0, 320.0);
const LEFT: f64 = 66.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// Lines over two axes.
pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
    /// A position on the horizontal axis, and what it is.
    pub marker: Option<(f64, String)>,
}

/// An axis with its ticks, which need not lie on it.
pub struct Axis {
    pub name: &'static str,
    pub range: Range<f64>,
    pub ticks: Vec<(f64, String)>,
}

/// A line with its entry in the legend.
pub struct Line {
    pub label: String,
    /// Its colour's number.
    pub colour: usize,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Solid,
    Dashed,
    /// With what lies below it tinted.
    Filled,
}

impl Axis {
    /// From 0 to `end`, at most 1.
    pub fn rate(name: &'static str, end: f64) -> Self {
        Self::linear(name, 0.0..end)
    }

    /// With a tick at each of a few round numbers.
    pub fn linear(name: &'static str, range: Range<f64>) -> Self {
        let step = round_step((range.end - range.start) / 5.0);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let first = (range.start / step - 1e-9).ceil() as i64;
        let last = (range.end / step + 1e-9).floor() as i64;
        let tick = |number: i64| {
            let position = number as f64 * step;
            (position, format!("{position:.decimals$}"))
        };
        Self { name, range, ticks: (first..=last).map(tick).collect() }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * 0.999);
    factor.unwrap_or(10.0) * power
}

impl Chart {
    /// The chart with its legend.
    pub fn draw(&self) -> Markup {
        html! {
            figure.chart {
                svg viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-label=(self.title) {
                    (self.grid())
                    @for line in &self.lines { (self.line(line)) }
                    @if let Some((position, _)) = &self.marker {
                        @let x = number(self.left(*position));
                        line.marker x1=(x) x2=(x) y1=(TOP) y2=(SIZE.1 - BOTTOM) {}
                    }
                }
                figcaption {
                    strong { (self.title) }
                    (self.legend())
                }
            }
        }
    }

    fn grid(&self) -> Markup {
        let (right, bottom) = (SIZE.0 - RIGHT, SIZE.1 - BOTTOM);
        html! {
            @for (position, text) in &self.x.ticks {
                @let x = number(self.left(*position));
                line.grid x1=(x) x2=(x) y1=(TOP) y2=(bottom) {}
                text.tick.across x=(x) y=(bottom + 16.0) { (text) }
            }
            @for (position, text) in &self.y.ticks {
                @let y = number(self.top(*position));
                line.grid x1=(LEFT) x2=(right) y1=(y) y2=(y) {}
                text.tick.down x=(LEFT - 6.0) y=(y) { (text) }
            }
            rect.frame x=(LEFT) y=(TOP) width=(right - LEFT) height=(bottom - TOP) {}
            text.name x=((LEFT + right) / 2.0) y=(SIZE.1 - 6.0) { (self.x.name) }
            @let middle = (TOP + bottom) / 2.0;
            text.name x="12" y=(middle) transform={ "rotate(-90 12 " (middle) ")" } { (self.y.name) }
        }
    }

    fn line(&self, line: &Line) -> Markup {
        let mut points = String::new();
        for &(x, y) in &line.points {
            // Writing to a string does not fail.
            let _ = write!(points, "{},{} ", number(self.left(x)), number(self.top(y)));
        }
        let class = format!("line colour-{} {}", line.colour, line.style.class());
        html! { polyline class=(class) points=(points.trim_end()) {} }
    }

    fn legend(&self) -> Markup {
        html! {
            ul.legend {
                @for line in &self.lines {
                    li { span class={ "sample colour-" (line.colour) " " (line.style.class()) } {} (line.label) }
                }
                @if let Some((_, text)) = &self.marker {
                    li { span.sample.marker {} (text) }
                }
            }
        }
    }

    fn left(&self, x: f64) -> f64 {
        let Range { start, end } = self.x.range;
        LEFT + (x - start) / (end - start) * (SIZE.0 - LEFT - RIGHT)
    }

    fn top(&self, y: f64) -> f64 {
        let Range { start, end } = self.y.range;
        SIZE.1 - BOTTOM - (y - start) / (end - start) * (SIZE.1 - TOP - BOTTOM)
    }
}

impl Style {
    fn class(self) -> &'static str {
        match self {
            Self::Solid => "solid",
            Self::Dashed => "dashed",
            Self::Filled => "filled",
        }
    }
}

/// To a tenth of a unit, which is less than a pixel.
fn number(position: f64) -> String {
    format!("{position:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let ticks = |range| -> Vec<String> {
            Axis::linear("x", range).ticks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(ticks(0.0..1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(ticks(0.0..0.3), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(ticks(0.0..7.0), ["0", "2", "4", "6"]);
        assert_eq!(ticks(0.013..0.032), ["0.015", "0.020", "0.025", "0.030"]);
        assert_eq!(ticks(90.0..1100.0), ["500", "1000"]);
    }

    #[test]
    fn points_lie_where_the_axes_have_them() {
        let line = Line {
            label: "<b>".to_owned(),
            colour: 1,
            style: Style::Dashed,
            points: vec![(0.0, 0.0), (0.3, 1.0)],
        };
        let (x, y) = (Axis::rate("x", 0.3), Axis::rate("y", 1.0));
        let marker = Some((0.15, "half & half".to_owned()));
        let chart = Chart { title: "ROC".to_owned(), x, y, lines: vec![line], marker };
        let text = chart.draw().into_string();
        assert!(text.contains(r#"class="line colour-1 dashed" points="66.0,276.0 408.0,12.0""#));
        assert!(text.contains(r#"<line class="marker" x1="237.0" x2="237.0" y1="12" y2="276">"#));
        assert!(text.contains("&lt;b&gt;") && text.contains("half &amp; half"), "{text}");
    }
}
