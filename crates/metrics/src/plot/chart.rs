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

impl Chart {
    /// The number of entries in the legend, each of which takes 30 pixels of the
    /// height of a [`Figure`](crate::Figure).
    ///
    /// ```
    /// use metrics::{Chart, roc};
    ///
    /// let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
    /// assert_eq!(Chart::roc(&[("SSIM-AE", &curve)])?.legend_entries(), 1);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    pub fn legend_entries(&self) -> usize {
        self.labelled().count()
    }

    /// The same chart with other colours: those of its labelled lines are numbers of
    /// [`Chart::COLOURS`], from 0 on, in the order of the legend. A method then has
    /// one colour in all charts, whatever it is compared with. References stay
    /// grey.
    ///
    /// ```
    /// use metrics::{Chart, Figure, roc};
    ///
    /// let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
    /// let chart = Chart::roc(&[("ℓ2-AE", &curve)])?.in_colours(&[1]);
    /// assert!(chart.to_inline_svg(&Figure::new(""))?.contains("stroke=\"var(--series-2, #D55E00)\""));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    #[must_use]
    pub fn in_colours(mut self, colours: &[usize]) -> Self {
        let series = self.lines.iter_mut().filter(|line| line.label.is_some());
        let series = series.filter(|line| line.colour != REFERENCE);
        for (line, &colour) in series.zip(colours) {
            line.colour = SERIES[colour % SERIES.len()];
        }
        self
    }

    /// The number of colours that lines are told apart by.
    pub const COLOURS: usize = SERIES.len();

    /// The lines with an entry in the legend.
    pub(super) fn labelled(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.label.is_some())
    }
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
