//! The counts of the page beside those of `evaluate`.

use super::Tour;
use super::browser::{Position, Seen};
use anyhow::{Context, Result, ensure};
use detector::records::{AtThreshold, EvaluationRecord};
use std::collections::BTreeMap;

/// A position of the sliders, and what `evaluate` measured with the command that the page showed.
pub struct Compared {
    pub position: Position,
    pub measured: BTreeMap<String, String>,
}

impl Compared {
    pub fn is_equal(&self) -> bool {
        self.position.counts == self.measured && self.position.marks == 3
    }
}

/// Runs the commands of all positions, and `evaluate` after each.
///
/// # Errors
/// If a program fails, or the page shows another command than bench-cli's.
pub fn positions(tour: &Tour, seen: &Seen) -> Result<Vec<Compared>> {
    let work = seen.work.as_ref().context("the report was not worked with")?;
    let compare = |position: &Position| {
        let words: Vec<&str> = position.command.split(' ').collect();
        let ["bench-cli", args @ ..] = &words[..] else {
            anyhow::bail!("expected a command of bench-cli, got `{}`", position.command)
        };
        tour.bench_cli(args)?;
        let printed = tour.bench_cli(&["evaluate", "model", "--out", "again", "--json"])?;
        let record: EvaluationRecord = crate::command::last_json_line(&printed)?;
        Ok(Compared { position: position.clone(), measured: counts(&record) })
    };
    work.positions.iter().map(compare).collect()
}

/// As the page writes them.
fn counts(record: &EvaluationRecord) -> BTreeMap<String, String> {
    let metrics = &record.metrics;
    let AtThreshold { regions_found, regions, false_alarms, precision, recall, f1, .. } =
        metrics.at_threshold;
    let ratio = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.3}"));
    let good = metrics.images - metrics.defective_images;
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
/// If the page counts otherwise than `evaluate`.
pub fn check(compared: &[Compared]) -> Result<()> {
    if let Some(Compared { position, measured }) = compared.iter().find(|of| !of.is_equal()) {
        let Position { level, counts, marks, .. } = position;
        anyhow::bail!(
            "level {level}: the page counts {counts:?} with {marks} points on curves, evaluate {measured:?}"
        );
    }
    ensure!(!compared.is_empty(), "no position was compared");
    Ok(())
}
