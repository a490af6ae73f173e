//! `bench-cli evaluate`

mod table;

use super::Context;
use crate::args::EvaluateArgs;
use crate::curve_points::write_curves;
use crate::drawing::{Cell, ScoreRange, write_figure};
use crate::interrupt;
use crate::page::{Circumstances, Page, write_page};
use anyhow::Result;
use detector::files::{prepare_folder, write_atomic, write_json};
use detector::records::{EvaluationRecord, Settings};
use detector::synthetic::is_synthetic;
use detector::{
    Config, Curves, Dataset, Evaluation, InspectedSample, InspectedSet, Inspector, ModelFolder,
    Origin, TestSample, held_out_for, write_float_tiff,
};
use inspect::Mask;
use metrics::{AU_PRO_LIMIT, Chart, Figure, Height, HistogramStyle};
use serde::Serialize;
use std::path::{Path, PathBuf};
use table::table;

/// Measures a model on a data set with ground truth.
///
/// # Errors
/// If the model or the data set cannot be read, or the results cannot be written.
pub fn evaluate(context: &Context, args: &EvaluateArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = config(context, &folder, args)?;
    let dataset = config.data.open()?;
    let inspector = context.calibrated(&folder, &config)?;
    let held_out = held_out(context, &folder, &config, &dataset)?;
    let origin = Origin::of(&folder, config)?;
    prepare_folder(&args.out)?;
    let evaluation = evaluate_on(context, &dataset, &held_out, &inspector, origin)?;
    let record = record(&evaluation, &dataset);
    let title = title(&category(&dataset), record.synthetic);
    write_json(&args.out.join("metrics.json"), &record)?;
    write_tables_and_pictures(&args.out, &title, &evaluation)?;
    let circumstances = Circumstances::now(&dataset.root, record.synthetic, &context.device);
    let parts = std::slice::from_ref(&evaluation);
    write_page(&args.out.join("report.html"), &Page { title: &title, circumstances, parts })?;
    if args.maps {
        let folder = args.out.join("maps").join(category(&dataset));
        write_maps(&folder, &inspector, &evaluation.test_set)?;
    }
    context.terminal.text(&table(&evaluation.metrics, &title))?;
    context.terminal.record(&record)
}

/// Inspects a test set, with a progress bar, and compares the maps with the ground truth.
///
/// # Errors
/// If an image cannot be read or inspected, all pixels are of one class, or a signal came.
pub fn evaluate_on(
    context: &Context,
    dataset: &Dataset,
    held_out: &[PathBuf],
    inspector: &Inspector,
    origin: Origin,
) -> Result<Evaluation> {
    let images = dataset.test.len() + held_out_for(dataset, held_out).len();
    let template = "inspecting {wide_bar} {pos}/{len} images, {eta} left";
    let bar = context.terminal.bar(images as u64, template);
    let mut progress = interrupt::progress(&bar);
    let evaluation = detector::evaluate(dataset, held_out, inspector, origin, &mut progress);
    bar.finish_and_clear();
    evaluation.map_err(|error| {
        interrupt::explain(error, || "interrupted; no results were written".to_owned())
    })
}

fn record(evaluation: &Evaluation, dataset: &Dataset) -> EvaluationRecord {
    let training = &evaluation.origin.training;
    EvaluationRecord {
        data: dataset.root.display().to_string(),
        synthetic: is_synthetic(&dataset.root),
        method: evaluation.method(),
        patches: training.patches,
        training_seconds: training.seconds,
        seconds: evaluation.seconds,
        metrics: evaluation.metrics.clone(),
    }
}

/// The model's configuration, with the data set and the settings of the arguments.
fn config(context: &Context, folder: &ModelFolder, args: &EvaluateArgs) -> Result<Config> {
    let mut trained = folder.config()?;
    if let Some(root) = &args.data {
        trained.data.root = Some(root.clone());
        trained.data.layout = None;
    }
    let mut config = trained
        .clone()
        .with_settings_of(&["data", "residual", "inspection", "vae"], &args.settings)?;
    // Which images were held out is no longer a choice.
    config.data.held_out = trained.data.held_out;
    if Settings::of_scoring(&config)? != Settings::of_scoring(&trained)? {
        context.terminal.warn(
            "the threshold was calibrated with other settings: what is said of it may not hold",
        );
    }
    Ok(config)
}

/// Good images that stand for those that a test set lacks: none if it has some, or if nobody knows which the training has
/// not seen.
fn held_out(
    context: &Context,
    folder: &ModelFolder,
    config: &Config,
    dataset: &Dataset,
) -> Result<Vec<PathBuf>> {
    if dataset.test.iter().any(TestSample::is_good) {
        return Ok(Vec::new());
    }
    let Some(split) = folder.split_of_training(config)? else {
        context.terminal.warn(&format!(
            "{}: not the good images that the model was trained and calibrated on, so that none of them stands for those that the \
             test set lacks",
            dataset.root.display()
        ));
        return Ok(Vec::new());
    };
    Ok(split.held_out)
}

/// The data set's name: its folder's.
fn category(dataset: &Dataset) -> String {
    let root = dataset.root.canonicalize().unwrap_or_else(|_| dataset.root.clone());
    root.file_name().map_or("images".into(), |name| name.to_string_lossy().into_owned())
}

fn title(name: &str, synthetic: bool) -> String {
    if synthetic { format!("{name} (synthetic)") } else { name.to_owned() }
}

fn write_rows(path: &Path, rows: &[impl Serialize]) -> Result<()> {
    Ok(write_atomic(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        for row in rows {
            writer.serialize(row)?;
        }
        Ok(writer.flush()?)
    })?)
}

fn write_tables_and_pictures(out: &Path, title: &str, evaluation: &Evaluation) -> Result<()> {
    let Evaluation { test_set, curves, .. } = evaluation;
    write_rows(&out.join("images.csv"), &test_set.rows()?)?;
    write_curves(out, curves)?;
    draw_curves(out, title, curves)?;
    draw_histogram(&out.join("histogram.png"), title, test_set)?;
    draw_figure(&out.join("figure.png"), test_set)
}

fn draw_curves(out: &Path, title: &str, curves: &Curves) -> Result<()> {
    let roc = [("anomaly map", &curves.roc), ("residual map", &curves.roc_raw)];
    let pr = [("anomaly map", &curves.precision_recall)];
    let pro = [("anomaly map", &curves.pro)];
    let charts = [
        ("roc", "pixel ROC", Chart::roc(&roc)?),
        ("pr", "precision and recall", Chart::precision_recall(&pr)?),
        ("pro", "per-region overlap", Chart::pro(&pro, AU_PRO_LIMIT)?),
    ];
    for (name, subject, chart) in charts {
        let title = format!("{title}: {subject}");
        for extension in ["png", "svg"] {
            chart.save(out.join(name).with_extension(extension), &Figure::new(&title))?;
        }
    }
    Ok(())
}

/// Scores of good and defective pixels.
fn draw_histogram(path: &Path, title: &str, test_set: &InspectedSet) -> Result<()> {
    let [good, defective] = test_set.pixel_scores();
    let (height, threshold) = (Height::LogarithmicShare, Some(test_set.decision.threshold));
    let style = HistogramStyle { height, threshold, ..Default::default() };
    let lists = [("good pixels", good.as_slice()), ("defective pixels", defective.as_slice())];
    let title = format!("{title}: scores");
    Ok(Chart::histogram(&lists, &style)?.save(path, &Figure::new(&title))?)
}

/// Rows of image, reconstruction, anomaly map, flagged pixels and ground truth.
fn draw_figure(path: &Path, test_set: &InspectedSet) -> Result<()> {
    let decision = test_set.decision;
    let flagged: Vec<Mask> =
        test_set.shown().map(|shown| decision.mask(&shown.anomaly_map)).collect();
    let shown = test_set.shown().zip(&flagged);
    let rows: Vec<Vec<Cell<'_>>> =
        shown.map(|(sample, flagged)| row(sample, flagged, decision.threshold)).collect();
    write_figure(path, &rows)
}

fn row<'a>(sample: &'a InspectedSample, flagged: &'a Mask, threshold: f32) -> Vec<Cell<'a>> {
    vec![
        Cell::Grey8(&sample.image),
        Cell::Grey8(&sample.reconstruction),
        Cell::Heat(&sample.anomaly_map, ScoreRange::around(threshold)),
        Cell::Mask(flagged),
        Cell::Mask(&sample.mask),
    ]
}

fn write_maps(folder: &Path, inspector: &Inspector, test_set: &InspectedSet) -> Result<()> {
    for InspectedSample { sample, anomaly_map, .. } in &test_set.samples {
        let path = folder.join("test").join(&sample.defect).join(format!("{}.tiff", sample.id));
        write_float_tiff(&path, &inspector.uncrop(anomaly_map))?;
    }
    Ok(())
}
