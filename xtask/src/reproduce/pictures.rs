//! Plots and pictures of an experiment.

use super::cell::Cell;
use super::matrix::Row;
use super::measured::Measured;
use super::run::Runner;
use super::store::Finished;
use super::table::Table;
use crate::command::{strings, text};
use crate::datasets;
use anyhow::{Context, Result};
use detector::Method;
use detector::records::{FigureRecord, ToyMap, ToyRecord};
use metrics::{Chart, Figure, LineAxis, LineChart, Series, SeriesStyle, Spacing};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::Value;

/// A file beside the page.
pub struct Picture {
    pub file: String,
    pub caption: String,
    /// The same in the colours of the page, if it is a chart.
    pub inline: Option<String>,
}

/// The first finished seed of a row.
struct Shown<'a> {
    cell: &'a Cell,
    finished: Finished,
}

/// ROC curves of all methods, a plot for each data set.
///
/// # Errors
/// If a result cannot be read, or a plot not be written.
pub fn roc(table: &Table, rows: &[Row], runner: &Runner, out: &Path) -> Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for (set, shown) in by_set(rows, runner) {
        let mut curves = Vec::new();
        for Shown { cell, finished } in &shown {
            let area = finished.metrics.metrics.of_pixels(|pixel| pixel.pixel_au_roc);
            let area = area.context("expected figures of pixels, which take masks")?;
            let points = read_curve(&runner.store.evaluation(cell).join("roc.csv"))?;
            curves.push((format!("{} (AUC {area:.3})", cell.method()), points));
        }
        let chance = Series::new("chance", SeriesStyle::Reference, [(0.0, 0.0), (1.0, 1.0)]);
        let curves = curves
            .iter()
            .map(|(label, points)| Series::new(label, SeriesStyle::Plain, points.iter().copied()));
        let series = std::iter::once(chance).chain(curves).collect();
        let chart = LineChart {
            x: LineAxis::rate("False-positive rate"),
            y: LineAxis::rate("True-positive rate"),
            series,
        };
        let file = format!("{}-{}-roc.svg", table.key, plain_name(set));
        let caption = format!(
            "{set}: ROC curves of all pixels of the test set, by the models of {}.",
            seeds(&shown)
        );
        let colours: Vec<usize> =
            shown.iter().filter_map(|shown| colour_of(shown.cell.method())).collect();
        pictures.push(plot(&chart, set, &colours, file, caption, out)?);
    }
    Ok(pictures)
}

/// The colour that a method has everywhere.
fn colour_of(method: &str) -> Option<usize> {
    method.parse::<Method>().ok().map(Method::colour)
}

/// Writes a chart to a file, and draws it for the page.
fn plot(
    chart: &LineChart<'_>,
    title: &str,
    colours: &[usize],
    file: String,
    caption: String,
    out: &Path,
) -> Result<Picture> {
    let (chart, figure) = (Chart::lines(chart)?.in_colours(colours), Figure::new(title));
    chart.save(out.join(&file), &figure)?;
    Ok(Picture { file, caption, inline: Some(chart.to_inline_svg(&figure)?) })
}

/// The area under the ROC curve over the key that varies, if its values are numbers.
///
/// # Errors
/// If the plot cannot be written.
pub fn ablation(table: &Table, key: &str, out: &Path) -> Result<Option<Picture>> {
    let Some(Areas { ours, published }) = areas(table) else { return Ok(None) };
    let names: Vec<String> =
        published.keys().map(|name| format!("{name}, published or remembered")).collect();
    let references = names
        .iter()
        .zip(published.values())
        .map(|(name, points)| Series::new(name, SeriesStyle::Reference, points.iter().copied()));
    let lines = ours
        .iter()
        .map(|(name, points)| Series::new(name, SeriesStyle::Marked, points.iter().copied()));
    let chart = LineChart {
        x: LineAxis { spacing: Spacing::Even, ..LineAxis::new(key) },
        y: LineAxis { range: Some(around(&ours)), ..LineAxis::new("pixel ROC-AUC") },
        series: references.chain(lines).collect(),
    };
    let file = format!("{}.svg", table.key);
    let caption = format!(
        "{}: area under the ROC curve, mean and standard deviation over seeds.",
        table.title
    );
    let methods = ours.keys().filter_map(|name| colour_of(name.rsplit(", ").next()?));
    let mut colours: Vec<usize> = methods.collect();
    // Lines of one method on several sets need colours of their own.
    if colours.iter().collect::<BTreeSet<_>>().len() < ours.len() {
        colours.clear();
    }
    Ok(Some(plot(&chart, &table.title, &colours, file, caption, out)?))
}

/// Areas under the ROC curve over a number, by data set and method.
struct Areas {
    /// With the mean and the deviation over seeds.
    ours: BTreeMap<String, Vec<(f64, f64, f64)>>,
    published: BTreeMap<String, Vec<(f64, f64)>>,
}

/// `None` if nothing was measured, or what varies is no number.
fn areas(table: &Table) -> Option<Areas> {
    let (mut ours, mut published) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for line in &table.lines {
        let x = line.value.as_ref().and_then(number)?;
        let name = format!("{}, {}", line.set, line.method);
        if let Some(Measured { pixel_au_roc: area, .. }) = line.measured {
            let point = (x, area.mean, area.deviation.unwrap_or(0.0));
            ours.entry(name.clone()).or_default().push(point);
        }
        if let Some(figure) = &line.published {
            published.entry(name).or_default().push((x, figure.pixel_au_roc));
        }
    }
    // A single figure makes no line.
    published.retain(|_, points| points.len() > 1);
    (!ours.is_empty()).then_some(Areas { ours, published })
}

/// A tenth around the middle of the points, so that differences do not look larger than they are.
fn around(series: &BTreeMap<String, Vec<(f64, f64, f64)>>) -> (f64, f64) {
    let values = || series.values().flatten().map(|&(_, y, _)| y);
    let middle = f64::midpoint(values().fold(1.0, f64::min), values().fold(0.0, f64::max));
    ((middle - 0.05).max(0.0), (middle + 0.05).min(1.0))
}

/// The same defects seen by all models of a data set, and the paper's toy figure by its SSIM autoencoder.
///
/// # Errors
/// If bench-cli cannot draw.
pub fn images(
    table: &Table,
    rows: &[Row],
    runner: &Runner,
    out: &Path,
    photographs: bool,
) -> Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for (set, shown) in by_set(rows, runner) {
        if !photographs && !shown[0].finished.metrics.synthetic {
            continue;
        }
        pictures.push(comparison(table, set, &shown, runner, out)?);
        if let Some(model) = shown.iter().find(|shown| shown.cell.method() == "ssim") {
            pictures.push(toy(table, set, model.cell, runner, out)?);
        }
    }
    Ok(pictures)
}

fn comparison(
    table: &Table,
    set: &str,
    shown: &[Shown<'_>],
    runner: &Runner,
    out: &Path,
) -> Result<Picture> {
    let file = format!("{}-{}.png", table.key, plain_name(set));
    let root = datasets::open(set, runner.images.as_deref())?.root;
    let mut words = strings(["figure", "--json", "--quiet", "--crop", "160", "--data"]);
    words.extend([text(&root)?, "--out".into(), text(&out.join(&file))?]);
    for Shown { cell, .. } in shown {
        words.push(text(&runner.store.model(cell))?);
    }
    runner.call::<FigureRecord>(&words)?;
    let methods: Vec<&str> = shown.iter().map(|shown| shown.cell.method()).collect();
    let caption = format!(
        "{set}: reconstructions and anomaly maps of {}. Cut-outs around defects, by the models of {}.",
        methods.join(", "),
        seeds(shown)
    );
    Ok(Picture { file, caption, inline: None })
}

fn toy(table: &Table, set: &str, cell: &Cell, runner: &Runner, out: &Path) -> Result<Picture> {
    let file = format!("{}-{}-toy.png", table.key, plain_name(set));
    let mut words = strings(["toy", "--json", "--quiet", "--out"]);
    words.extend([text(&out.join(&file))?, text(&runner.store.model(cell))?]);
    let toy: ToyRecord = runner.call(&words)?;
    let mean = |ToyMap { map, mean_inside, mean_outside, .. }: &ToyMap| {
        format!("{map} {mean_inside:.3} and {mean_outside:.3}")
    };
    let means: Vec<String> = toy.maps.iter().map(mean).collect();
    let caption = format!(
        "{set}, the paper's toy example by the SSIM autoencoder. Mean residuals inside and outside of the drawn defects: {}.",
        means.join("; ")
    );
    Ok(Picture { file, caption, inline: None })
}

/// The rows with a finished cell, by data set.
fn by_set<'a>(rows: &'a [Row], runner: &Runner) -> BTreeMap<&'a str, Vec<Shown<'a>>> {
    let mut sets: BTreeMap<&str, Vec<Shown<'_>>> = BTreeMap::new();
    for row in rows {
        for cell in &row.cells {
            if let Some(finished) = runner.store.finished(cell) {
                sets.entry(&row.set).or_default().push(Shown { cell, finished });
                break;
            }
        }
    }
    sets
}

/// The seed of all models, or the seed of each if they differ.
fn seeds(shown: &[Shown<'_>]) -> String {
    let all: Vec<String> = shown.iter().map(|shown| shown.cell.seed().to_string()).collect();
    if all.iter().all(|seed| *seed == all[0]) {
        format!("seed {}", all[0])
    } else {
        format!("seeds {}", all.join(", "))
    }
}

/// The first two columns.
fn read_curve(path: &Path) -> Result<Vec<(f64, f64)>> {
    let read = || {
        let mut points = Vec::new();
        for row in csv::Reader::from_path(path)?.deserialize() {
            let (x, y, _): (f64, f64, f64) = row?;
            points.push((x, y));
        }
        Ok::<_, csv::Error>(points)
    };
    read().with_context(|| path.display().to_string())
}

/// A number, or the size in `uniform:11`.
fn number(value: &Value) -> Option<f64> {
    let size = || value.as_str()?.strip_prefix("uniform:")?.parse().ok();
    value.as_float().or_else(|| Some(value.as_integer()? as f64)).or_else(size)
}

/// A data set's key as part of a file's name.
fn plain_name(set: &str) -> String {
    set.replace('/', "-")
}
