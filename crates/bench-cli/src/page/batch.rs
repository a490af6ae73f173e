//! The page of a batch of images without ground truth, and of a folder that is watched.

use super::charts::{Role, Titled, charts};
use super::document::document;
use super::exhibits::{Exhibit, exhibit, legend};
use super::levels::Levels;
use super::live::EVERY;
use super::provenance::rows;
use super::workplace::{Recalibration, Workplace};
use anyhow::Result;
use detector::records::Calibration;
use detector::{Decision, Drift};
use maud::{Markup, html};
use metrics::{Chart, Height, HistogramStyle, LineAxis, LineChart, Series, SeriesStyle, Spacing};

/// Points of the trend that are drawn as dots, at most; more are a line.
const DOTS: usize = 200;

/// Images of which it is said how many are flagged, at least.
const FEW: usize = 20;

/// A batch, as far as it has come.
pub struct BatchPage<'a> {
    pub title: &'a str,
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
    pub decision: Decision,
    /// Absent for a model that is used with a threshold of one's own.
    pub calibration: Option<&'a Calibration>,
    pub levels: &'a Levels,
    /// Of images in the order in which they were inspected.
    pub scores: &'a [f32],
    pub drift: Option<Drift>,
    /// The flagged ones of the last images, and the number of these.
    pub flagged: usize,
    pub of_last: usize,
    /// Why images could not be inspected, the last ones.
    pub failures: &'a [String],
    pub kind: Kind<'a>,
}

/// The images of a page.
pub enum Kind<'a> {
    /// A batch that is over, with the images of this run that score highest, and how many it has inspected.
    Batch { exhibits: &'a [Exhibit], inspected: usize, recalibration: Recalibration },
    /// A folder that is watched, with the images that came last, and seconds before now for each of the scores.
    Watch { exhibits: &'a [Exhibit], ages: &'a [f64], is_over: bool },
}

impl BatchPage<'_> {
    /// The page; one of a folder that is watched is loaded again and again.
    ///
    /// # Errors
    /// If a chart cannot be drawn.
    pub fn markup(&self) -> Result<Markup> {
        let live = matches!(self.kind, Kind::Watch { is_over: false, .. }).then_some(EVERY);
        let images = self.images();
        let charts = self.charts()?;
        let content = html! {
            (rows(&self.facts))
            @if self.are_mostly_flagged() { (said_of_flagged(self.flagged, self.of_last)) }
            @if let Some(drift) = self.drift.filter(|drift| drift.is_significant() || !self.are_mostly_flagged()) {
                (said_of_drift(&drift))
            }
            @for failure in self.failures { p.warning { (failure) } }
            section { h2 { "Scores" } (charts) }
            (images)
        };
        Ok(document(self.title, live, &content))
    }

    /// Whether too many images are flagged for the others to say that all is as in the calibration.
    fn are_mostly_flagged(&self) -> bool {
        self.of_last >= FEW && 2 * self.flagged >= self.of_last
    }

    fn images(&self) -> Markup {
        match &self.kind {
            Kind::Batch { exhibits, inspected, recalibration } => {
                let workplace = Workplace {
                    exhibits,
                    levels: self.levels,
                    decision: self.decision,
                    counts: None,
                    images: [0, 0],
                    recalibration: recalibration.clone(),
                    colour: 0,
                };
                html! {
                    section {
                        h2 { "Images by score" }
                        @if exhibits.len() < *inspected {
                            p {
                                "The " (exhibits.len()) " of this run's " (inspected) " images that score highest; all are rows of "
                                code { "predictions.csv" } ". Counts beside the sliders are of these images."
                            }
                        } @else if !exhibits.is_empty() { p { "The highest first." } }
                        @if !exhibits.is_empty() { (workplace.markup()) }
                    }
                }
            }
            Kind::Watch { exhibits, .. } => html! {
                section {
                    h2 { "The last images" }
                    (legend(exhibits))
                    @for image in exhibits.iter().rev() { (exhibit(image)) }
                }
            },
        }
    }

    fn charts(&self) -> Result<Markup> {
        let mut drawn = Vec::new();
        if let Kind::Watch { ages, .. } = self.kind {
            drawn.extend(self.trend(ages)?);
        }
        if !self.scores.is_empty() {
            drawn.push(self.histogram()?);
        }
        charts(&drawn)
    }

    /// Scores over time, and the threshold.
    fn trend(&self, ages: &[f64]) -> Result<Option<Titled>> {
        let Some(&oldest) = ages.first() else { return Ok(None) };
        let (unit, seconds) = if oldest < 7200.0 { ("Minutes", 60.0) } else { ("Hours", 3600.0) };
        let points = ages.iter().zip(self.scores);
        let points = points.map(|(age, &score)| (-age / seconds, f64::from(score)));
        let style = if ages.len() <= DOTS { SeriesStyle::Marked } else { SeriesStyle::Plain };
        let threshold = f64::from(self.decision.threshold);
        let label = format!("{unit} from now");
        let chart = LineChart {
            x: LineAxis { spacing: Spacing::Linear, ..LineAxis::new(&label) },
            y: LineAxis::new("Score"),
            series: vec![
                Series::new("images", style, points),
                Series::new(
                    "threshold",
                    SeriesStyle::Reference,
                    [(-oldest / seconds, threshold), (0.0, threshold)],
                ),
            ],
        };
        Ok(Some(Titled { title: "Scores over time", chart: Chart::lines(&chart)?, role: None }))
    }

    /// Beside those of the calibration's images, if they are known.
    fn histogram(&self) -> Result<Titled> {
        let good: Vec<f32> = self.calibration.map_or_else(Vec::new, |calibration| {
            calibration.scores.iter().map(|good| good.score).collect()
        });
        let lists = [("good images of the calibration", &good[..]), ("these images", self.scores)];
        let threshold = Some(self.decision.threshold);
        let style = HistogramStyle { bins: 40, height: Height::Share, threshold };
        let chart = Chart::histogram(&lists, &style)?;
        Ok(Titled { title: "Largest scores of images", chart, role: Some(Role::Scores) })
    }
}

fn said_of_flagged(flagged: usize, of_last: usize) -> Markup {
    html! {
        p.warning {
            (flagged) " of the last " (of_last) " images were flagged. If most of these are good, light, focus or material have changed \
             since the calibration. Look at the images, and calibrate on good ones with "
            code { "bench-cli calibrate MODEL --good FOLDER" } "."
        }
    }
}

/// The comparison with the calibration in words.
fn said_of_drift(drift: &Drift) -> Markup {
    let Drift { higher, z, recent } = drift;
    let percent = format!("{:.0} %", 100.0 * higher);
    // Without a negative zero.
    let z = (10.0 * z).round() / 10.0 + 0.0;
    let test = format!("Mann–Whitney U test, {z:+.1} standard deviations");
    html! {
        @if !drift.is_significant() {
            p { "The scores of the last " (recent) " images that were not flagged are like those of the calibration (" (test) ")." }
        } @else if *higher > 0.5 {
            p.warning {
                "Drift: the last " (recent) " images that were not flagged score higher than the calibration's in " (percent)
                " of comparisons, where 50 % is expected (" (test)
                "). Light, focus or material may have changed, and good images may soon be flagged; or the calibration's images were \
                 trained on. Look at the images; if they are good, calibrate on them with " code { "bench-cli calibrate MODEL --good FOLDER" } "."
            }
        } @else {
            p.warning {
                "Drift: the last " (recent) " images that were not flagged score lower than the calibration's: higher in " (percent)
                " of comparisons only, where 50 % is expected (" (test)
                "). Blurred or dark images hide defects. Look at the images; if they are good, calibrate on them with "
                code { "bench-cli calibrate MODEL --good FOLDER" } "."
            }
        }
    }
}
