//! The cells of a matrix with their state, and the time that the open ones will take.

use super::cell::{Cell, Config};
use super::matrix::{Experiment, Matrix, Row};
use super::run::Runner;
use super::table::plain;
use crate::command::strings;
use anyhow::{Result, bail};
use detector::Shard;
use detector::records::{BenchRecord, TrainingWork};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// The experiments with their rows.
pub struct Plan<'a> {
    pub experiments: Vec<(&'a Experiment, Vec<Row>)>,
}

/// The state of a cell before it runs.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Finished,
    Open,
    Missing,
}

impl<'a> Plan<'a> {
    /// The plan of a matrix, with the defaults of bench-cli. Data sets lie in `images`, unless in the usual place.
    ///
    /// # Errors
    /// If the matrix contradicts itself or names what does not exist.
    pub fn new(
        matrix: &'a Matrix,
        defaults: &Config,
        images: Option<&Path>,
        features: Option<&str>,
    ) -> Result<Self> {
        let rows =
            |experiment| Ok((experiment, matrix.rows(experiment, defaults, images, features)?));
        Ok(Self { experiments: matrix.experiments.iter().map(rows).collect::<Result<_>>()? })
    }

    /// Every cell once, in the order of the matrix.
    pub fn cells(&self) -> Vec<&Cell> {
        let rows = self.experiments.iter().flat_map(|(_, rows)| rows);
        let mut seen = BTreeSet::new();
        rows.flat_map(|row| &row.cells).filter(|cell| seen.insert(cell.hash())).collect()
    }

    /// The longest of the shorter trainings that this cell's can continue, among the cells before it.
    pub fn earlier(&self, cell: &Cell) -> Option<&Cell> {
        let (hash, lineage) = (cell.hash(), cell.lineage_hash());
        let before = self.cells().into_iter().take_while(|other| other.hash() != hash);
        before
            .filter(|other| other.patches() < cell.patches() && other.lineage_hash() == lineage)
            .max_by_key(|other| other.patches())
    }

    /// The cells of a shard. Cells that share a model, or a part of its training, are in the same one.
    pub fn shard(&self, shard: Shard) -> Vec<&Cell> {
        let mut lineages: BTreeMap<String, usize> = BTreeMap::new();
        let is_in = |cell: &&Cell| {
            let next = lineages.len();
            let number = *lineages.entry(cell.lineage_hash()).or_insert(next);
            shard.holds(number)
        };
        self.cells().into_iter().filter(is_in).collect()
    }

    /// The only cell whose hash begins so.
    ///
    /// # Errors
    /// If there is none, or there are several.
    pub fn cell(&self, hash: &str) -> Result<&Cell> {
        let cells = self.cells();
        let found: Vec<&&Cell> =
            cells.iter().filter(|cell| cell.hash().starts_with(hash)).collect();
        match found[..] {
            [cell] => Ok(cell),
            [] => bail!("no cell's hash begins with `{hash}`"),
            _ => bail!("{} cells' hashes begin with `{hash}`", found.len()),
        }
    }

    /// A cell in words: hash, set, method, the value that its first experiment varies, and seed.
    pub fn name(&self, cell: &Cell) -> String {
        let hash = cell.hash();
        let mut rows = self.experiments.iter().flat_map(|(experiment, rows)| {
            rows.iter().map(move |row| (experiment.vary.as_ref(), row))
        });
        let has_it = |row: &Row| row.cells.iter().any(|other| other.hash() == hash);
        let varied = rows.find(|(_, row)| has_it(row)).and_then(|(vary, row)| {
            Some(format!(", {} = {}", vary?.key, plain(row.value.as_ref()?)))
        });
        let varied = varied.unwrap_or_default();
        format!("{hash} {}, {}{varied}, seed {}", cell.set, cell.method(), cell.seed())
    }

    /// A line for each cell: its name, the hash of its model and its state.
    ///
    /// # Errors
    /// If a data set is unknown.
    pub fn list(&self, runner: &Runner, cells: &[&Cell]) -> Result<String> {
        let line = |(cell, state): (&&Cell, State)| {
            let state = match state {
                State::Finished => "finished",
                State::Open => "open",
                State::Missing => "lacks data or weights",
            };
            format!("{}, model {}: {state}\n", self.name(cell), cell.model_hash())
        };
        Ok(cells.iter().zip(states(runner, cells)?).map(line).collect())
    }

    /// A table of experiments with the numbers of their cells, and the time that the open ones will take.
    ///
    /// # Errors
    /// If bench-cli cannot be run.
    pub fn describe(&self, runner: &Runner, cells: &[&Cell]) -> Result<String> {
        let mut text = String::new();
        for (experiment, rows) in &self.experiments {
            let own: Vec<&Cell> = rows.iter().flat_map(|row| &row.cells).collect();
            let states = states(runner, &own)?;
            let count = |state| states.iter().filter(|&&other| other == state).count();
            let (finished, missing) = (count(State::Finished), count(State::Missing));
            writeln!(
                text,
                "{:24} {:4} cells, {finished} finished, {missing} lack data or weights",
                experiment.key,
                own.len()
            )?;
        }
        let states = states(runner, cells)?;
        let open = cells.iter().zip(&states).filter(|&(_, &state)| state == State::Open);
        let open: Vec<&Cell> = open.map(|(&cell, _)| cell).collect();
        writeln!(text, "{} of {} different cells are to be run", open.len(), cells.len())?;
        if !open.is_empty() {
            let time = self.estimate(runner, &open)?;
            writeln!(
                text,
                "about {} of training on this machine, by a measured step",
                short(time)
            )?;
        }
        Ok(text)
    }

    /// The time that the models of the cells take to train. Each kind of step is measured once.
    fn estimate(&self, runner: &Runner, cells: &[&Cell]) -> Result<Duration> {
        let mut steps = BTreeMap::new();
        let mut models = BTreeSet::new();
        let mut seconds = 0.0;
        for cell in cells {
            if runner.store.trained(cell).is_some() || !models.insert(cell.model_hash()) {
                continue;
            }
            let words = step_arguments(cell);
            let step = match steps.get(&words) {
                Some(&step) => step,
                None => *steps.entry(words.clone()).or_insert(measure(runner, &words)?),
            };
            let patches = cell.patches() - self.earlier(cell).map_or(0, Cell::patches);
            let batch = cell.config.integer("training.batch_size").max(1);
            seconds += step * patches as f64 / batch as f64;
        }
        Ok(Duration::from_secs_f64(seconds))
    }
}

fn states(runner: &Runner, cells: &[&Cell]) -> Result<Vec<State>> {
    let state = |cell: &&Cell| {
        Ok(match runner.store.finished(cell) {
            Some(_) => State::Finished,
            None if runner.missing(cell)?.is_some() => State::Missing,
            None => State::Open,
        })
    };
    cells.iter().map(state).collect()
}

/// The arguments of `bench-cli bench` that measure a cell's training step.
fn step_arguments(cell: &Cell) -> Vec<String> {
    let config = &cell.config;
    let number = |key| config.integer(key).to_string();
    let mut words = strings(["bench", "train-step", "--json", "--quiet", "--seconds", "1"]);
    words.extend(["--method".into(), cell.method().to_owned()]);
    words.extend(["--size".into(), number("model.patch_size")]);
    words.extend(["--batch".into(), number("training.batch_size")]);
    words.extend(["--latent-dim".into(), number("model.latent_dim")]);
    words.extend(["--window".into(), config.text("ssim.window").to_owned()]);
    words.extend(["--precision".into(), config.text("training.precision").to_owned()]);
    if cell.matches_features() {
        words.extend(["--extractor".into(), config.text("features.extractor").to_owned()]);
    }
    words
}

/// Seconds of a step.
fn measure(runner: &Runner, words: &[String]) -> Result<f64> {
    let step: BenchRecord<TrainingWork> = runner.call(words)?;
    Ok(step.timing.median_ms / 1e3)
}

/// A duration in the unit that suits it.
pub fn short(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
