//! One page that shows everything and needs no other file.

use super::cell::Cell;
use super::pictures::Picture;
use super::report::Section;
use super::store::{Finished, Provenance};
use super::table::{Line, Table};
use crate::datasets::Set;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What the page shows.
pub struct Page<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub command: &'a str,
    pub sections: &'a [Section],
    pub cells: &'a [(&'a Cell, Finished)],
    pub sets: &'a [Set],
}

const STYLE: &str = include_str!("page.css");

impl Page<'_> {
    /// The page; pictures are read from `folder`.
    ///
    /// # Errors
    /// If a picture cannot be read.
    pub fn text(&self, folder: &Path) -> Result<String> {
        let title = format!("Reproduction, preset {}", escaped(self.name));
        let mut text = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        );
        write!(
            text,
            "<p>{}</p>\n<p>“Improving Unsupervised Defect Segmentation by Applying Structural Similarity to Autoencoders” \
             (Bergmann et al., 2018). Made by <code>{}</code> on {}.</p>\n",
            escaped(self.description),
            escaped(self.command),
            escaped(&self.machines()),
        )?;
        text += &self.contents();
        for section in self.sections {
            text += &section_text(section, folder)?;
        }
        text += &self.data();
        text += &self.provenance();
        text += "</main>\n</body>\n</html>\n";
        Ok(text)
    }

    fn contents(&self) -> String {
        let link = |section: &Section| {
            let Table { key, title, .. } = &section.table;
            format!("<li><a href=\"#{key}\">{}</a></li>", escaped(title))
        };
        let links: String = self.sections.iter().map(link).collect();
        format!(
            "<nav><ul>{links}<li><a href=\"#data\">Data</a></li>\
             <li><a href=\"#provenance\">Provenance</a></li></ul></nav>\n"
        )
    }

    fn machines(&self) -> String {
        let machines: BTreeSet<String> = (self.cells.iter())
            .flat_map(|(_, cell)| [&cell.trained, &cell.evaluated].map(|from| machine(cell, from)))
            .collect();
        Vec::from_iter(machines).join("; ")
    }

    /// A row for each data set, with its terms.
    fn data(&self) -> String {
        let row = |set: &Set| {
            let Set { key, name, synthetic, licence, citation, source, .. } = set;
            let name = if *synthetic { format!("{name} (computed images)") } else { name.clone() };
            let cells = [key, &name, source, licence, citation];
            let cells: String = cells.map(|text| format!("<td>{}</td>", escaped(text))).concat();
            format!("<tr>{cells}</tr>\n")
        };
        let rows: String = self.sets.iter().map(row).collect();
        format!(
            "<section id=\"data\">\n<h2>Data</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>key</th><th>name</th>\
             <th>images</th><th>licence</th><th>citation</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
        )
    }

    /// A row for each command: what it did, when, of which commit, where, and how long it took.
    fn provenance(&self) -> String {
        let rows: String =
            self.cells.iter().map(|(cell, finished)| command_rows(cell, finished)).collect();
        format!(
            "<section id=\"provenance\">\n<h2>Provenance</h2>\n<p>Configurations lie beside the models in the work folder; \
             <code>DIR</code> is the folder of the images. Cells that inspect a model in different ways share its training.</p>\n\
             <div class=\"scroll\"><table>\n<thead><tr><th>cell</th><th>data</th><th>images from</th><th>seed</th><th>commit</th>\
             <th>date</th><th>machine</th><th>s</th><th>command</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n\
             </section>\n"
        )
    }
}

/// The training and the evaluation of a cell.
fn command_rows(cell: &Cell, finished: &Finished) -> String {
    let hash = cell.hash();
    let row = |id: &str, provenance: &Provenance, seconds: &serde_json::Value| {
        let Provenance { command, commit, date, source, .. } = provenance;
        let seconds = seconds.as_f64().unwrap_or(f64::NAN);
        let (seed, machine) = (cell.seed(), machine(finished, provenance));
        let texts = [&cell.set, source, &seed.to_string(), commit, date, &machine]
            .map(|text| escaped(text));
        let cells: String = texts.map(|text| format!("<td>{text}</td>")).concat();
        format!(
            "<tr{id}><td>{hash}</td>{cells}<td>{seconds:.0}</td><td><code>{}</code></td></tr>\n",
            escaped(command)
        )
    };
    let trained =
        row(&format!(" id=\"cell-{hash}\""), &finished.trained, &finished.training["seconds"]);
    trained + &row("", &finished.evaluated, &finished.metrics["seconds"])
}

/// The processor, and the GPU if the model was trained on one.
fn machine(finished: &Finished, provenance: &Provenance) -> String {
    let Provenance { processor, threads, .. } = provenance;
    let gpu = finished.training["device"].as_str().filter(|&device| device != "cpu");
    let gpu = gpu.map(|gpu| format!("{gpu}, ")).unwrap_or_default();
    format!("{gpu}{processor}, {threads} threads")
}

fn section_text(section: &Section, folder: &Path) -> Result<String> {
    let Section { table, pictures, complaint } = section;
    let mut text = format!("<section id=\"{}\">\n<h2>{}</h2>\n", table.key, escaped(&table.title));
    text += &table_text(table);
    for picture in pictures {
        text += &picture_text(picture, folder)?;
    }
    if let Some(complaint) = complaint {
        writeln!(text, "<p class=\"note\">{}</p>", escaped(complaint))?;
    }
    let files = ["md", "csv", "json"].map(|kind| {
        let key = &table.key;
        format!("<a href=\"{key}.{kind}\">{key}.{kind}</a>")
    });
    writeln!(text, "<p class=\"files\">{}</p>\n</section>", files.join(" "))?;
    Ok(text)
}

fn table_text(table: &Table) -> String {
    let cell = |tag: &str, content: &str| format!("<{tag}>{content}</{tag}>");
    let heads: String = table.heads().iter().map(|head| cell("th", &escaped(head))).collect();
    let row = |line: &Line| {
        let cells: String =
            table.cells(line).iter().map(|text| cell("td", &escaped(text))).collect();
        let link = |hash: &String| format!("<a href=\"#cell-{hash}\">{}</a>", &hash[..4]);
        let links: Vec<String> = line.cells.iter().map(link).collect();
        format!("<tr>{cells}<td>{}</td></tr>\n", links.join(" "))
    };
    let rows: String = table.lines.iter().map(row).collect();
    let note = |note: &String| format!("<p class=\"note\">{}</p>\n", escaped(note));
    let notes: String = table.notes().iter().map(note).collect();
    format!(
        "<p>{}</p>\n<div class=\"scroll\"><table>\n<thead><tr>{heads}<th>cells</th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n{notes}",
        escaped(&table.caption())
    )
}

fn picture_text(picture: &Picture, folder: &Path) -> Result<String> {
    let Picture { file, caption } = picture;
    let path = folder.join(file);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let kind = if file.ends_with(".svg") { "svg+xml" } else { "png" };
    let (data, caption) = (STANDARD.encode(bytes), escaped(caption));
    Ok(format!(
        "<figure><img class=\"{}\" alt=\"{caption}\" src=\"data:image/{kind};base64,{data}\">\
         <figcaption>{caption}</figcaption></figure>\n",
        if kind == "png" { "wide" } else { "plot" }
    ))
}

/// Text that HTML does not read as tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_not_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
