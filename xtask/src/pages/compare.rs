//! Comparison of the figures of pages with those of `evaluate`.

use super::browser::Position;
use super::{Case, Tour};
use anyhow::{Context, Result, ensure};
use detector::records::{AtThreshold, EvaluationRecord};
use std::collections::BTreeMap;

/// The places of points are written with few digits, and the axes of charts are a few thousand units long.
const TOLERANCE: f64 = 1e-3;

/// A position of the sliders, and what `evaluate` measured with the command that the page showed.
pub struct Compared {
    pub page: &'static str,
    pub position: Position,
    pub measured: BTreeMap<String, String>,
    /// False-positive rate, recall and precision.
    pub rates: [Option<f64>; 3],
    /// Whether the command has all that this page's has to have.
    pub is_complete: bool,
}

impl Compared {
    pub fn is_equal(&self) -> bool {
        self.position.counts == self.measured && self.are_points_right() && self.is_complete
    }

    /// Whether points lie where the rates say; that on the overlap of regions, which `evaluate` does not print at a threshold, in one
    /// direction.
    fn are_points_right(&self) -> bool {
        let [false_positives, recall, precision] = self.rates;
        self.position.points.iter().all(|(curve, point)| {
            let (x, y) = match curve.as_str() {
                "roc" => (false_positives, recall),
                "pr" => (recall, precision),
                _ => (false_positives, point.map(|[_, y, _]| y)),
            };
            match (point, x.zip(y)) {
                (Some([px, py, end]), Some((x, y))) => {
                    (px - x.min(*end)).abs() < TOLERANCE && (py - y).abs() < TOLERANCE
                }
                (None, None) => true,
                _ => false,
            }
        })
    }
}

/// Runs the commands of all positions of a page, and `evaluate` after each.
///
/// # Errors
/// If a program fails, or the page shows another command than bench-cli's.
pub fn positions(tour: &Tour, case: &Case, positions: &[Position]) -> Result<Vec<Compared>> {
    let compare = |position: &Position| {
        let words: Vec<&str> =
            position.command.split(' ').map(|word| word.trim_matches('\'')).collect();
        let ["bench-cli", args @ ..] = &words[..] else {
            anyhow::bail!("expected a command of bench-cli, got `{}`", position.command)
        };
        tour.bench_cli(args)?;
        let evaluate = [&case.evaluate("again")[..], &["--json"]].concat();
        let record: EvaluationRecord = crate::command::last_json_line(&tour.bench_cli(&evaluate)?)?;
        let AtThreshold { false_positive_rate, recall, precision, .. } =
            record.metrics.at_threshold;
        // Given images have absolute paths, which a page of results is not to show.
        let command = position.command.replace(&format!("{}/", tour.work.display()), "");
        let is_complete = command.contains(case.kept);
        Ok(Compared {
            page: case.name,
            position: Position { command, ..position.clone() },
            measured: counts(&record),
            rates: [false_positive_rate, recall, precision],
            is_complete,
        })
    };
    ensure!(!positions.is_empty(), "{}: no position was seen", case.name);
    positions.iter().map(compare).collect::<Result<_>>().with_context(|| case.name)
}

/// As the page writes them.
fn counts(record: &EvaluationRecord) -> BTreeMap<String, String> {
    let metrics = &record.metrics;
    let AtThreshold { regions_found, regions, false_alarms, precision, recall, f1, .. } =
        metrics.at_threshold;
    let ratio = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.3}"));
    let good = metrics.good_images();
    let (hit, flagged) =
        (metrics.at_threshold.defective_images_hit, metrics.at_threshold.good_images_flagged);
    let counts = [
        ("found", format!("{regions_found} of {regions}")),
        ("missed", (regions - regions_found).to_string()),
        ("alarms", false_alarms.to_string()),
        ("hit", format!("{hit} of {}", metrics.defective_images)),
        ("good", format!("{flagged} of {good}")),
        ("precision", ratio(precision)),
        ("recall", ratio(recall)),
        ("f1", ratio(f1)),
    ];
    counts.map(|(key, value)| (key.to_owned(), value)).into()
}

/// # Errors
/// If a page shows something else than `evaluate`.
pub fn check(compared: &[Compared]) -> Result<()> {
    if let Some(of) = compared.iter().find(|of| !of.is_equal()) {
        let Compared { page, position, measured, rates, .. } = of;
        let Position { level, counts, points, command, .. } = position;
        anyhow::bail!(
            "{page}, level {level}: the page counts {counts:?} with the points {points:?} and the command `{command}`, evaluate counts \
             {measured:?} with the rates {rates:?}"
        );
    }
    ensure!(!compared.is_empty(), "no position was compared");
    Ok(())
}
