//! The table of an experiment.

use super::matrix::{Experiment, Row};
use super::measured::{Counted, Measured, Spread};
use super::published::{Certainty, Publications, Published};
use super::run::Runner;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write;

/// The table of an experiment.
#[derive(Debug, Serialize)]
pub struct Table {
    pub key: String,
    pub title: String,
    /// The key that differs from line to line.
    pub vary: Option<String>,
    pub lines: Vec<Line>,
}

/// Means over the seeds of a row.
#[derive(Debug, Serialize)]
pub struct Line {
    pub set: String,
    pub method: String,
    /// The value of the key that varies.
    pub value: Option<toml::Value>,
    /// Seeds that are finished, and all.
    pub seeds: usize,
    pub seeds_planned: usize,
    /// Hashes of the finished cells.
    pub cells: Vec<String>,
    pub failures: Vec<String>,
    /// The command or option that provides missing data or weights, if the cells cannot be run.
    pub missing: Option<String>,
    /// `None` if no seed is finished.
    pub measured: Option<Measured>,
    pub published: Option<Published>,
}

impl Table {
    /// # Errors
    /// If a result cannot be read.
    pub fn new(
        experiment: &Experiment,
        rows: &[Row],
        runner: &Runner,
        publications: &Publications,
    ) -> Result<Self> {
        let line = |row: &Row| Line::new(row, experiment.is_decided(), runner, publications);
        Ok(Self {
            key: experiment.key.clone(),
            title: experiment.title.clone(),
            vary: experiment.vary.as_ref().map(|vary| vary.key.clone()),
            lines: rows.iter().map(line).collect::<Result<_>>()?,
        })
    }

    /// Whether any figure is of computed images.
    pub fn is_synthetic(&self) -> bool {
        self.measured().any(|measured| measured.synthetic)
    }

    pub fn measured(&self) -> impl Iterator<Item = &Measured> {
        self.lines.iter().filter_map(|line| line.measured.as_ref())
    }

    fn has_decisions(&self) -> bool {
        self.measured().any(|measured| measured.decisions.is_some())
    }

    fn has_published(&self) -> bool {
        self.lines.iter().any(|line| line.published.is_some())
    }

    /// A sentence for each collapse, failure or cell left out.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for line in &self.lines {
            let value = line.value.as_ref().map(|value| format!(", {}", plain(value)));
            let name = format!("{}, {}{}", line.set, line.method, value.unwrap_or_default());
            let collapsed = line.measured.as_ref().map_or(0, |measured| measured.collapsed);
            if collapsed > 0 {
                notes.push(format!(
                    "{name}: {collapsed} of {} trainings collapsed to constant grey",
                    line.seeds
                ));
            }
            notes.extend(line.failures.iter().map(|reason| format!("{name} failed: {reason}")));
            notes.extend(
                line.missing.iter().map(|what| format!("{name} was left out; it takes {what}")),
            );
        }
        notes
    }

    /// The heads of the columns.
    pub fn heads(&self) -> Vec<&str> {
        let varied = self.vary.as_deref().map(|key| key.rsplit('.').next().unwrap_or(key));
        let mut heads = vec!["data", "method"];
        heads.extend(varied);
        heads.push("pixel ROC-AUC");
        if self.has_published() {
            heads.extend(["published", "difference"]);
        }
        heads.extend(["AU-PRO", "image ROC-AUC", "AP"]);
        if self.has_decisions() {
            heads.extend(["regions found", "images hit", "good flagged"]);
        }
        heads.extend(["loss", "patches", "seeds", "training s"]);
        heads
    }

    /// The cells of a line, as texts.
    pub fn cells(&self, line: &Line) -> Vec<String> {
        let mut cells = vec![line.data(), line.method.clone()];
        if self.vary.is_some() {
            cells.push(line.value.as_ref().map_or_else(String::new, plain));
        }
        let dash = || "–".to_owned();
        let spread = |of: fn(&Measured) -> Option<Spread>| {
            line.measured.as_ref().and_then(of).map_or_else(dash, Spread::text)
        };
        cells.push(spread(|measured| Some(measured.pixel_au_roc)));
        if self.has_published() {
            cells.push(line.published.as_ref().map_or_else(dash, Published::text));
            cells.push(
                line.difference().map_or_else(dash, |difference| format!("{difference:+.3}")),
            );
        }
        cells.push(spread(|measured| Some(measured.au_pro)));
        cells.push(spread(|measured| measured.image_au_roc));
        cells.push(spread(|measured| Some(measured.pixel_average_precision)));
        if self.has_decisions() {
            let decisions = line.measured.as_ref().and_then(|measured| measured.decisions);
            let counts = decisions.map(|decisions| decisions.all().map(Counted::text));
            cells.extend(counts.unwrap_or_else(|| [(); 3].map(|()| dash())));
        }
        cells.push(spread(|measured| Some(measured.loss)));
        let patches = line.measured.as_ref().map_or_else(dash, |m| m.patches.to_string());
        cells.extend([patches, format!("{}/{}", line.seeds, line.seeds_planned)]);
        let seconds = line.measured.as_ref().map(|m| format!("{:.0}", m.training_seconds.mean));
        cells.push(seconds.unwrap_or_else(dash));
        cells
    }

    pub fn markdown(&self) -> String {
        let heads = self.heads();
        let mut text = format!("# {}\n\n{}\n\n", self.title, self.caption());
        let mut row = |cells: &[String]| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        };
        row(&heads.iter().map(ToString::to_string).collect::<Vec<_>>());
        row(&vec!["---".to_owned(); heads.len()]);
        self.lines.iter().for_each(|line| row(&self.cells(line)));
        for note in self.notes() {
            let _ = write!(text, "\n- {note}");
        }
        text.trim_end().to_owned() + "\n"
    }

    /// The text above the table: how to read the figures.
    pub fn caption(&self) -> String {
        let mut caption = "Mean ± standard deviation over seeds; all pixels of a test set pooled. Images are inspected as \
                           the paper does, with its opening, unless another preset is named. "
            .to_owned();
        caption += match self.has_published() {
            true => "The column “published” has figures of others, all other columns have ours.",
            false => "All figures are ours, none is the paper's.",
        };
        if self.is_synthetic() {
            caption += " Images of sets named “synthetic” are computed, not photographed.";
        }
        if self.measured().any(|measured| measured.part.is_some()) {
            caption += " “Part”: not all of the set was there; published figures are of all.";
        }
        let is_remembered = |line: &Line| {
            line.published.as_ref().is_some_and(|p| p.certainty == Certainty::Remembered)
        };
        if self.lines.iter().any(is_remembered) {
            caption += " Figures in parentheses were not looked up, and are not compared with.";
        }
        caption
    }

    /// Full precision, for other programs.
    ///
    /// # Errors
    /// None is known: it writes to memory.
    pub fn csv(&self) -> Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS)?;
        for line in &self.lines {
            writer.write_record(line.csv())?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }
}

/// Columns of the CSV file. Those that end in `_sd` are standard deviations over seeds.
const COLUMNS: [&str; 27] = [
    "data",
    "method",
    "value",
    "seeds",
    "patches",
    "test_images",
    "synthetic",
    "collapsed",
    "published",
    "difference",
    "pixel_au_roc",
    "pixel_au_roc_sd",
    "pixel_au_roc_raw",
    "pixel_au_roc_raw_sd",
    "pixel_average_precision",
    "pixel_average_precision_sd",
    "au_pro",
    "au_pro_sd",
    "image_au_roc",
    "image_au_roc_sd",
    "loss",
    "regions_found",
    "regions",
    "images_hit",
    "defective_images",
    "good_flagged",
    "good_images",
];

impl Line {
    fn new(
        row: &Row,
        is_decided: bool,
        runner: &Runner,
        publications: &Publications,
    ) -> Result<Self> {
        let store = &runner.store;
        let (mut cells, mut finished) = (Vec::new(), Vec::new());
        for cell in &row.cells {
            if let Some(result) = store.finished(cell) {
                cells.push(cell.hash());
                finished.push(result);
            }
        }
        let first = row.cells.first().filter(|_| finished.is_empty());
        let missing = first.map(|cell| runner.missing(cell)).transpose()?.flatten();
        let config = row.cells.first().map(|cell| &cell.config);
        Ok(Self {
            set: row.set.clone(),
            method: row.method.clone(),
            value: row.value.clone(),
            seeds: finished.len(),
            seeds_planned: row.cells.len(),
            cells,
            failures: row.cells.iter().filter_map(|cell| store.failure(cell)).collect(),
            missing,
            measured: Measured::new(&finished, is_decided),
            // Figures of others are of the paper's inspection.
            published: config
                .filter(|_| row.cells.iter().all(|cell| cell.preset.is_none()))
                .and_then(|config| publications.of(&row.set, &row.method, config))
                .cloned(),
        })
    }

    /// The data set, and the number of its images that were there, if not all.
    pub fn data(&self) -> String {
        match self.measured.as_ref().and_then(|measured| measured.part.as_ref()) {
            Some(part) => format!("{}, part: {part}", self.set),
            None => self.set.clone(),
        }
    }

    /// Our area minus the published one, if that was looked up.
    pub fn difference(&self) -> Option<f64> {
        let published = self.published.as_ref().filter(|p| p.certainty == Certainty::Read)?;
        Some(self.measured.as_ref()?.pixel_au_roc.mean - published.pixel_au_roc)
    }

    /// A value for each of [`COLUMNS`].
    fn csv(&self) -> Vec<String> {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let text =
            |of: fn(&Measured) -> String| self.measured.as_ref().map_or_else(String::new, of);
        let value = self.value.as_ref().map_or_else(String::new, plain);
        let mut cells = vec![self.set.clone(), self.method.clone(), value, self.seeds.to_string()];
        cells.push(text(|measured| measured.patches.to_string()));
        cells.push(text(|measured| measured.test_images.to_string()));
        cells.push(text(|measured| measured.synthetic.to_string()));
        cells.push(text(|measured| measured.collapsed.to_string()));
        cells.push(number(self.published.as_ref().map(|published| published.pixel_au_roc)));
        cells.push(number(self.difference()));
        let spreads: [fn(&Measured) -> Option<Spread>; 5] = [
            |measured| Some(measured.pixel_au_roc),
            |measured| Some(measured.pixel_au_roc_raw),
            |measured| Some(measured.pixel_average_precision),
            |measured| Some(measured.au_pro),
            |measured| measured.image_au_roc,
        ];
        for spread in spreads.map(|spread| self.measured.as_ref().and_then(spread)) {
            cells.push(number(spread.map(|spread| spread.mean)));
            cells.push(number(spread.and_then(|spread| spread.deviation)));
        }
        cells.push(text(|measured| measured.loss.mean.to_string()));
        let decisions = self.measured.as_ref().and_then(|measured| measured.decisions);
        let counts = decisions.map(|decisions| decisions.all());
        for index in 0..3 {
            let count = counts.map(|counts| counts[index]);
            cells.push(number(count.map(|count| count.mean)));
            cells.push(count.map_or_else(String::new, |count| count.of.to_string()));
        }
        cells
    }
}

impl Published {
    fn text(&self) -> String {
        match self.certainty {
            Certainty::Read => format!("{:.3}", self.pixel_au_roc),
            Certainty::Remembered => format!("({:.3})", self.pixel_au_roc),
        }
    }
}

/// A value of a configuration without quotes.
pub fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
