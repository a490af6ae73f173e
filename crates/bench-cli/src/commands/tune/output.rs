//! The results of a tuning: a configuration, a page, a table.

use super::measuring::Measuring;
use super::plan::Models;
use super::state::{State, Tuned};
use crate::page::{Circumstances, TuningPage, write_tuning_page};
use crate::terminal::decimals;
use anyhow::{Context, Result};
use detector::files::{shown, write_atomic};
use detector::records::MeasuredChoice;
use detector::synthetic::is_synthetic;
use detector::{ResidualChoice, show_drawn};
use std::io::Write;

/// Images with drawn defects that are shown.
const SHOWN: usize = 3;

/// A tuning that came to its end.
pub struct Outcome<'a> {
    pub measuring: &'a Measuring<'a>,
    pub models: &'a Models,
    pub state: &'a State,
}

impl Outcome<'_> {
    /// Writes `tuned.toml` and `tune.html`, and prints the record and a table.
    ///
    /// # Errors
    /// If a file cannot be written, or an image cannot be inspected.
    pub fn write(&self) -> Result<()> {
        let Measuring { context, plan, images } = self.measuring;
        let record = &self.state.record;
        let chosen = record.candidates.first().context("expected a measured model")?;
        let choice = &chosen.choices.first().context("expected a measured choice")?.choice;
        let unknown = || format!("{}: expected a model of the plan", chosen.name);
        let (folder, config) = self.models.find(plan, &chosen.name).with_context(unknown)?;
        let tuned =
            choice.applied_to(&self.models.whole(plan, &chosen.name).with_context(unknown)?);
        let (toml, page) = (plan.out.join("tuned.toml"), plan.out.join("tune.html"));
        let text = tuned.to_toml()?;
        write_atomic(&toml, |file| Ok(file.write_all(text.as_bytes())?))?;

        let config = choice.applied_to(&config);
        let model = folder.model(&config, &context.device)?;
        let drawn = show_drawn(model, &config, images, plan.false_alarms, SHOWN)?;
        let data = &plan.dataset.root;
        let circumstances = Circumstances::now(data, is_synthetic(data), &context.device);
        let content = TuningPage { circumstances, record, tuned: &text, images, shown: &drawn };
        write_tuning_page(&page, &content)?;
        context.terminal.text(&self.table())?;
        context.terminal.text(&format!("{}\n{}", self.how_to_use(choice), shown(&page)))?;
        context.terminal.record(record)
    }

    /// A row for each candidate.
    fn table(&self) -> String {
        let record = &self.state.record;
        let rows = record.candidates.iter().filter_map(row);
        let labels = if record.agreement.is_some() { "  by labels" } else { "" };
        let alarms = record.false_alarms;
        format!(
            "Area under the ROC curve of the pixels of drawn defects, and the share found at one false alarm in {alarms} good images:\n\
             {:<28} {:>8} {:>6} {:>6}{labels}  residual\n{}",
            "model",
            "patches",
            "area",
            "found",
            rows.collect::<Vec<_>>().join("\n")
        )
    }

    fn how_to_use(&self, choice: &ResidualChoice) -> String {
        let toml = self.measuring.plan.out.join("tuned.toml");
        match self.models {
            Models::ToTrain(_) => {
                format!(
                    "bench-cli train --config {} --out MODEL trains with the first",
                    shown(&toml)
                )
            }
            Models::Given(_) => {
                let set = choice.settings().into_iter().map(|setting| format!("--set '{setting}'"));
                let set: Vec<String> = set.collect();
                format!("bench-cli calibrate MODEL {} inspects with the first", set.join(" "))
            }
        }
    }
}

fn row(candidate: &Tuned) -> Option<String> {
    let MeasuredChoice { choice, figures } = candidate.choices.first()?;
    let labels = figures.image_au_roc.map_or_else(String::new, |area| format!("  {area:>9.3}"));
    let Tuned { name, patches, .. } = candidate;
    let (area, found) = (decimals(Some(figures.pixel_au_roc)), decimals(Some(figures.found)));
    let collapsed = if candidate.collapsed { " (of no use)" } else { "" };
    Some(format!("{name:<28} {patches:>8} {area:>6} {found:>6}{labels}  {}{collapsed}", choice))
}
