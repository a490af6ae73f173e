//! The report of the finished cells: tables, plots, pictures and the page.

use super::cell::Cell;
use super::html::{self, Section};
use super::matrix::Matrix;
use super::pictures;
use super::plan::Plan;
use super::published::Publications;
use super::run::Runner;
use super::store::Finished;
use super::table::Table;
use crate::datasets::{self, Set};
use crate::files;
use anyhow::{Context, Result};
use detector::files::write_json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The matrix and the plan that a report is about.
pub struct Report<'a> {
    pub name: &'a str,
    pub command: String,
    pub matrix: &'a Matrix,
    pub plan: &'a Plan<'a>,
}

impl Report<'_> {
    /// Writes everything to `out` and returns the path of the page. Photographs are left out unless `photographs` is set.
    ///
    /// # Errors
    /// If a result cannot be read, or a file not be written.
    pub fn write(&self, runner: &Runner, out: &Path, photographs: bool) -> Result<PathBuf> {
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let publications = Publications::read()?;
        let mut sections = Vec::new();
        for (experiment, rows) in &self.plan.experiments {
            let table = Table::new(experiment, rows, runner, &publications)?;
            write_table(&table, out)?;
            let pictures = match &experiment.vary {
                Some(vary) => Vec::from_iter(pictures::ablation(&table, &vary.key, out)?),
                None => pictures::roc(&table, rows, runner, out)?,
            };
            let mut section = Section { table, pictures, complaint: None };
            if experiment.vary.is_none() {
                // The page is worth having without them.
                match pictures::images(&section.table, rows, runner, out, photographs) {
                    Ok(images) => section.pictures.extend(images),
                    Err(error) => section.complaint = Some(format!("no pictures: {error:#}")),
                }
            }
            sections.push(section);
        }
        let cells = self.finished(runner);
        let page = html::Page {
            name: self.name,
            description: &self.matrix.description,
            command: &self.command,
            sections: &sections,
            cells: &cells,
            sets: &sets(&cells, runner)?,
        };
        let path = out.join("index.html");
        files::replace(&path, &page.text(out)?)?;
        Ok(path)
    }

    fn finished(&self, runner: &Runner) -> Vec<(&Cell, Finished)> {
        let cells = self.plan.cells().into_iter();
        cells.filter_map(|cell| Some((cell, runner.store.finished(cell)?))).collect()
    }
}

/// The data sets of the cells.
fn sets(cells: &[(&Cell, Finished)], runner: &Runner) -> Result<Vec<Set>> {
    let keys: BTreeSet<&str> = cells.iter().map(|(cell, _)| cell.set.as_str()).collect();
    keys.iter().map(|key| datasets::open(key, runner.images.as_deref())).collect()
}

fn write_table(table: &Table, out: &Path) -> Result<()> {
    let path = |extension| out.join(&table.key).with_extension(extension);
    files::replace(&path("md"), &table.markdown())?;
    files::replace(&path("csv"), &table.csv()?)?;
    Ok(write_json(&path("json"), table)?)
}
