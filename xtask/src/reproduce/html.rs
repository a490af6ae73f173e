//! The page of a report, which needs no other file.

use super::cell::Cell;
use super::pictures::Picture;
use super::store::{Finished, Provenance};
use super::table::Table;
use crate::datasets::Set;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The content of the page.
pub struct Page<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub command: &'a str,
    pub sections: &'a [Section],
    pub cells: &'a [(&'a Cell, Finished)],
    pub sets: &'a [Set],
}

/// An experiment's part of the page.
pub struct Section {
    pub table: Table,
    pub pictures: Vec<Picture>,
    /// Why there are fewer pictures than there should be.
    pub complaint: Option<String>,
}

/// The colours are those of bench-cli's pages.
const STYLE: &str = concat!(
    include_str!("../../../crates/bench-cli/src/page/colours.css"),
    include_str!("page.css")
);

impl Page<'_> {
    /// The page; pictures are read from `folder`.
    ///
    /// # Errors
    /// If a picture cannot be read.
    pub fn text(&self, folder: &Path) -> Result<String> {
        let title = format!("Reproduction, preset {}", self.name);
        let sections = self.sections.iter().map(|section| experiment(section, folder));
        let sections = sections.collect::<Result<Vec<_>>>()?;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (title) }
                        p { (self.description) }
                        p {
                            "“Improving Unsupervised Defect Segmentation by Applying Structural Similarity to Autoencoders” \
                             (Bergmann et al., 2018). Made by " code { (self.command) } " on " (self.machines()) "."
                        }
                        (self.contents())
                        @for section in &sections { (section) }
                        (self.data())
                        (self.provenance())
                    }
                }
            }
        };
        Ok(page.into_string())
    }

    fn contents(&self) -> Markup {
        html! {
            nav {
                ul {
                    @for Section { table: Table { key, title, .. }, .. } in self.sections {
                        li { a href={ "#" (key) } { (title) } }
                    }
                    li { a href="#data" { "Data" } }
                    li { a href="#provenance" { "Provenance" } }
                }
            }
        }
    }

    fn machines(&self) -> String {
        let machines: BTreeSet<String> = (self.cells.iter())
            .flat_map(|(_, cell)| [&cell.trained, &cell.evaluated].map(|from| machine(cell, from)))
            .collect();
        Vec::from_iter(machines).join("; ")
    }

    /// A row for each data set, with its terms.
    fn data(&self) -> Markup {
        html! {
            section id="data" {
                h2 { "Data" }
                div.scroll {
                    table {
                        (heads(&["key", "name", "images", "licence", "citation"]))
                        tbody {
                            @for Set { key, name, synthetic, licence, citation, source, .. } in self.sets {
                                tr {
                                    td { (key) }
                                    td { (name) @if *synthetic { " (computed images)" } }
                                    td { (source) }
                                    td { (licence) }
                                    td { (citation) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// A row for each command: when it ran, of which commit, where, and for how long.
    fn provenance(&self) -> Markup {
        let names =
            ["cell", "data", "images from", "seed", "commit", "date", "machine", "s", "command"];
        html! {
            section id="provenance" {
                h2 { "Provenance" }
                p {
                    "Configurations lie beside the models in the work folder; " code { "DIR" } " is the folder of the images. Cells \
                     that inspect a model in different ways share its training; for another preset than the paper's, a copy of it is calibrated."
                }
                div.scroll {
                    table {
                        (heads(&names))
                        tbody { @for (cell, finished) in self.cells { (commands(cell, finished)) } }
                    }
                }
            }
        }
    }
}

fn heads(names: &[&str]) -> Markup {
    html! { thead { tr { @for name in names { th { (name) } } } } }
}

/// Rows of the training and the evaluation of a cell.
fn commands(cell: &Cell, finished: &Finished) -> Markup {
    let hash = cell.hash();
    let row = |id: Option<String>, provenance: &Provenance, seconds: f64| {
        let Provenance { command, commit, date, source, .. } = provenance;
        html! {
            tr id=[id] {
                td { (hash) }
                td { (cell.set) }
                td { (source) }
                td { (cell.seed()) }
                td { (commit) }
                td { (date) }
                td { (machine(finished, provenance)) }
                td { (format!("{seconds:.0}")) }
                td { code { (command) } }
            }
        }
    };
    let anchor = Some(format!("cell-{hash}"));
    html! {
        (row(anchor, &finished.trained, finished.training.seconds))
        (row(None, &finished.evaluated, finished.metrics.seconds))
    }
}

/// The processor, and the GPU if the model was trained on one.
fn machine(finished: &Finished, provenance: &Provenance) -> String {
    let Provenance { processor, threads, .. } = provenance;
    let device = &finished.training.device;
    let gpu = if device == "cpu" { String::new() } else { format!("{device}, ") };
    format!("{gpu}{processor}, {threads} threads")
}

/// Table, pictures and files of an experiment.
fn experiment(section: &Section, folder: &Path) -> Result<Markup> {
    let Section { table, pictures, complaint } = section;
    let pictures = pictures.iter().map(|picture| figure(picture, folder));
    let pictures = pictures.collect::<Result<Vec<_>>>()?;
    Ok(html! {
        section id=(table.key) {
            h2 { (table.title) }
            (results(table))
            @for picture in &pictures { (picture) }
            @if let Some(complaint) = complaint { p.note { (complaint) } }
            p.files {
                @for kind in ["md", "csv", "json"] {
                    @let file = format!("{}.{kind}", table.key);
                    @if kind != "md" { " " }
                    a href=(file) { (file) }
                }
            }
        }
    })
}

/// The rows of a table, with links to the commands of their cells.
fn results(table: &Table) -> Markup {
    let mut names = table.heads();
    names.push("cells");
    html! {
        p { (table.caption()) }
        div.scroll {
            table {
                (heads(&names))
                tbody {
                    @for line in &table.lines {
                        tr {
                            @for text in table.cells(line) { td { (text) } }
                            td {
                                @for (index, hash) in line.cells.iter().enumerate() {
                                    @if index > 0 { " " }
                                    a href={ "#cell-" (hash) } { (hash[..4]) }
                                }
                            }
                        }
                    }
                }
            }
        }
        @for note in table.notes() { p.note { (note) } }
    }
}

/// A chart as part of the page, or a photograph's bytes.
fn figure(picture: &Picture, folder: &Path) -> Result<Markup> {
    let Picture { file, caption, inline } = picture;
    let content = match inline {
        Some(svg) => PreEscaped(svg.clone()),
        None => {
            let path = folder.join(file);
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let data = STANDARD.encode(bytes);
            html! { img alt=(caption) src={ "data:image/png;base64," (data) }; }
        }
    };
    Ok(html! { figure { (content) figcaption { (caption) } } })
}
