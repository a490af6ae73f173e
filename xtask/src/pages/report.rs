//! The page of results.

use super::browser::Seen;
use super::compare::Compared;
use crate::machine;
use anyhow::{Context, Result};
use std::fmt::Write;

/// Screenshots, and the names that the guide has for them.
pub const PICTURES: [(&str, &str); 5] = [
    ("report-shown.png", "report.png"),
    ("closer-map.png", "closer-look.png"),
    ("training-shown.png", "training.png"),
    ("batch-shown.png", "batch.png"),
    ("watch-live-shown.png", "watch.png"),
];

/// # Errors
/// If the commit is not known.
pub fn page(
    seen: &Seen,
    compared: &[Compared],
    sizes: &[(&'static str, u64)],
    patches: u64,
) -> Result<String> {
    let mut page = format!(
        "# The pages in a browser\n\n\
         Written by `cargo xtask pages` on {}, of {}, with Chromium {}. A model of {patches} patches of synthetic fabric: the pages of \
         its training, its evaluation, a batch and a watch, at 1280 and 480 pixels, light and dark.\n\n\
         | | |\n|---|---|\n",
        machine::date(),
        machine::commit()?,
        seen.browser,
    );
    let work = seen.work.as_ref().context("the report was not worked with")?;
    let plain = seen.without_script.as_ref().context("no page was looked at without scripts")?;
    let rows = [
        ("requests that leave a page", seen.requests.len().to_string()),
        ("errors of scripts", seen.errors.len().to_string()),
        ("pages wider than the window", seen.wide.len().to_string()),
        ("pages with pictures that do not load", seen.broken.len().to_string()),
        ("the highest score first, where chosen", said(work.sorted).to_owned()),
        (
            "without scripts",
            format!(
                "{} pictures, {} counts, {} charts are seen, sliders are not",
                plain.pictures, plain.counts, plain.charts
            ),
        ),
        ("images by outcome", format!("{:?}", work.choices)),
    ];
    for (name, value) in rows {
        writeln!(page, "| {name} | {value} |")?;
    }
    for (name, bytes) in sizes {
        writeln!(page, "| size of the page `{name}` | {:.1} MB |", *bytes as f64 / 1e6)?;
    }
    page.push_str(
        "\nThe reports' sliders were moved, the commands that they showed were run, and `evaluate` after them. \"As `evaluate`\": all eight \
         counts, and the points on the curves of ROC and of precision and recall, within 0.001.\n\n\
         | page | command | defects found | false alarms | defective images hit | good images flagged | F1 | as `evaluate` |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for of in compared {
        let count = |key: &str| of.position.counts.get(key).map_or("", String::as_str);
        let cells = ["found", "alarms", "hit", "good", "f1"].map(count).join(" | ");
        writeln!(
            page,
            "| {} | `{}` | {cells} | {} |",
            of.page,
            of.position.command,
            said(of.is_equal())
        )?;
    }
    Ok(page)
}

fn said(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
