use super::chart::{Chart, ErrorBar, Line, Marks};
use super::placement::{LineAxis, Placement};
use crate::Error;

/// Labelled lines over two axes, for [`Chart::lines`].
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart<'a> {
    /// The horizontal axis.
    pub x: LineAxis<'a>,
    /// The vertical axis.
    pub y: LineAxis<'a>,
    /// The lines, in the order of the legend.
    pub series: Vec<Series<'a>>,
}

/// A line with its entry in the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// The entry in the legend.
    pub label: &'a str,
    /// How it is drawn.
    pub style: SeriesStyle,
    /// The points in the order in which they are joined.
    pub points: Vec<SeriesPoint>,
}

/// How a [`Series`] is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SeriesStyle {
    /// A line in a colour of its own with a dot at each point: single
    /// measurements.
    #[default]
    Marked,
    /// A line in a colour of its own: curves of many points.
    Plain,
    /// Thin grey dashes: what others are compared with.
    Reference,
}

/// A point of a [`Series`], made from (x, y) or (x, y, deviation).
///
/// ```
/// use metrics::SeriesPoint;
///
/// assert_eq!(SeriesPoint::from((50.0, 0.93)), SeriesPoint { x: 50.0, y: 0.93, deviation: 0.0 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesPoint {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Position on the vertical axis.
    pub y: f64,
    /// How far the error bar reaches up and down, for example a standard
    /// deviation; 0 draws none.
    pub deviation: f64,
}

impl From<(f64, f64)> for SeriesPoint {
    fn from((x, y): (f64, f64)) -> Self {
        Self { x, y, deviation: 0.0 }
    }
}

impl From<(f64, f64, f64)> for SeriesPoint {
    fn from((x, y, deviation): (f64, f64, f64)) -> Self {
        Self { x, y, deviation }
    }
}

impl<'a> Series<'a> {
    /// A series of points (x, y) or (x, y, deviation).
    ///
    /// ```
    /// use metrics::{Series, SeriesStyle};
    ///
    /// let with_deviation = Series::new("ours", SeriesStyle::Marked, [(50.0, 0.93, 0.004)]);
    /// let published = Series::new("published", SeriesStyle::Reference, [(50.0, 0.92)]);
    /// assert_eq!((with_deviation.points[0].deviation, published.points[0].deviation), (0.004, 0.0));
    /// ```
    pub fn new<P: Into<SeriesPoint>>(
        label: &'a str,
        style: SeriesStyle,
        points: impl IntoIterator<Item = P>,
    ) -> Self {
        Self { label, style, points: points.into_iter().map(Into::into).collect() }
    }
}

impl Chart {
    /// Labelled lines: measurements over a parameter, with error bars and what
    /// others have published, or curves read from files.
    ///
    /// ```
    /// use metrics::{Chart, Figure, LineAxis, LineChart, Series, SeriesStyle, Spacing};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// // Means and standard deviations of three trainings.
    /// let ours = [(50.0, 0.93, 0.004), (100.0, 0.95, 0.003), (500.0, 0.96, 0.002)];
    /// let published = [(50.0, 0.92), (100.0, 0.96), (500.0, 0.96)];
    /// let chart = LineChart {
    ///     x: LineAxis { spacing: Spacing::Even, ..LineAxis::new("Latent dimension") },
    ///     y: LineAxis::new("ROC-AUC"),
    ///     series: vec![
    ///         Series::new("published", SeriesStyle::Reference, published),
    ///         Series::new("3 seeds, mean ± standard deviation", SeriesStyle::Marked, ours),
    ///     ],
    /// };
    /// let path = folder.path().join("latent-dimension.png");
    /// Chart::lines(&chart)?.save(path, &Figure::new("Fabric"))?;
    ///
    /// // Points of a ROC curve, with the area and the line of chance.
    /// let curve = [(0.0, 0.0), (0.1, 0.8), (1.0, 1.0)];
    /// let chart = LineChart {
    ///     x: LineAxis::rate("False-positive rate"),
    ///     y: LineAxis::rate("True-positive rate"),
    ///     series: vec![
    ///         Series::new("chance", SeriesStyle::Reference, [(0.0, 0.0), (1.0, 1.0)]),
    ///         Series::new("SSIM-AE (AUC 0.850)", SeriesStyle::Plain, curve),
    ///     ],
    /// };
    /// let drawn = Chart::lines(&chart)?.to_svg(&Figure::new("Fabric"))?;
    /// assert!(drawn.contains("SSIM-AE (AUC 0.850)") && drawn.contains("chance"));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NothingToPlot`] without any point, [`Error::InvalidPoint`] and
    /// [`Error::InvalidAxis`] for numbers that have no place on an axis.
    pub fn lines(chart: &LineChart<'_>) -> Result<Self, Error> {
        chart.series.iter().try_for_each(|series| check(series, chart))?;
        let points = || chart.series.iter().flat_map(|series| &series.points);
        let x = chart.x.place(points().map(|point| point.x))?;
        let y = chart.y.place(points().flat_map(|point| [point.low(), point.high()]))?;
        let (Some(x), Some(y)) = (x, y) else { return Err(Error::NothingToPlot) };
        let lines = lines(&chart.series, &x, &y);
        Ok(Self { x: x.axis, y: y.axis, lines })
    }
}

impl SeriesPoint {
    fn low(&self) -> f64 {
        self.y - self.deviation
    }

    fn high(&self) -> f64 {
        self.y + self.deviation
    }
}

fn check(series: &Series<'_>, chart: &LineChart<'_>) -> Result<(), Error> {
    let fits = |point: &&SeriesPoint| {
        chart.x.spacing.holds(point.x)
            && point.deviation >= 0.0
            && [point.low(), point.high()].iter().all(|&end| chart.y.spacing.holds(end))
    };
    match series.points.iter().find(|point| !fits(point)) {
        Some(&SeriesPoint { x, y, deviation }) => {
            let series = series.label.to_owned();
            Err(Error::InvalidPoint { series, x, y, deviation })
        }
        None => Ok(()),
    }
}

/// The series as lines; references take no colour from the others.
fn lines(series: &[Series<'_>], x: &Placement, y: &Placement) -> Vec<Line> {
    let mut coloured = 0;
    let line = |series: &Series<'_>| {
        let points = series.points.iter().map(|point| (x.of(point.x), y.of(point.y))).collect();
        let label = series.label.to_owned();
        let line = match series.style {
            SeriesStyle::Reference => Line::reference(points, Some(label)),
            SeriesStyle::Marked | SeriesStyle::Plain => {
                coloured += 1;
                Line::series(coloured - 1, points, label)
            }
        };
        let marks = if series.style == SeriesStyle::Marked { Marks::Dots } else { Marks::Nothing };
        let with_bars = series.points.iter().filter(|point| point.deviation > 0.0);
        let error_bar = |point: &SeriesPoint| ErrorBar {
            x: x.of(point.x),
            low: y.of(point.low()),
            high: y.of(point.high()),
        };
        Line { marks, error_bars: with_bars.map(error_bar).collect(), ..line }
    };
    series.iter().map(line).collect()
}
