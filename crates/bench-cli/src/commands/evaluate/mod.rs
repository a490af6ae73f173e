//! `bench-cli evaluate`

mod table;

use super::Context;
use super::train::split_of_training;
use crate::args::EvaluateArgs;
use crate::config::{Config, Method, Settings};
use crate::curve_points::write_curves;
use crate::data::{Dataset, TestSample};
use crate::evaluation::{Curves, Evaluation, Inspection, Measured, Metrics, Origin};
use crate::io::{Cell, ScoreRange, prepare_folder, write_atomic, write_figure, write_float_tiff};
use crate::model_folder::{ModelFolder, write_json};
use crate::page::{Circumstances, Page, write_page};
use crate::pipeline::Inspector;
use crate::synthetic::is_synthetic;
use anyhow::Result;
use inspect::{Mask, threshold_mask};
use metrics::{Figure, HistogramStyle, Scale, plot_histogram, plot_pr, plot_pro, plot_roc};
use serde::Serialize;
use std::path::{Path, PathBuf};
use table::table;

/// What `metrics.json` holds beside the numbers.
#[derive(Serialize)]
struct Report<'a> {
    data: String,
    /// Whether the images are computed; numbers on them say nothing of real ones.
    synthetic: bool,
    method: Method,
    patches: u64,
    training_seconds: f64,
    seconds: f64,
    #[serde(flatten)]
    metrics: &'a Metrics,
}

/// Measures a model on a data set with ground truth.
///
/// # Errors
/// If the model or the data set cannot be read, or the results cannot be written.
pub fn evaluate(context: &Context, args: &EvaluateArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = config(context, &folder, args)?;
    let dataset = config.data.open()?;
    let inspector = Inspector::new(folder.model(&config, &context.device)?, &config)?;
    let held_out = held_out(context, &folder, &config, &dataset)?;
    let origin = Origin::of(&folder, config)?;
    prepare_folder(&args.out)?;
    let measured = Measured::on(&dataset, &held_out, &inspector, origin, context.reporter)?;
    let report = Report::of(&measured, &dataset);
    let title = title(&category(&dataset), report.synthetic);
    write_json(&args.out.join("metrics.json"), &report)?;
    write_tables_and_pictures(&args.out, &title, &measured)?;
    let circumstances = Circumstances::now(&dataset.root, report.synthetic, &context.device);
    let parts = std::slice::from_ref(&measured);
    write_page(&args.out.join("report.html"), &Page { title: &title, circumstances, parts })?;
    if args.maps {
        let folder = args.out.join("maps").join(category(&dataset));
        write_maps(&folder, &inspector, &measured.evaluation)?;
    }
    context.reporter.text(&table(&measured.metrics, &title))?;
    context.reporter.record(&report)
}

impl<'a> Report<'a> {
    fn of(measured: &'a Measured, dataset: &Dataset) -> Self {
        let training = &measured.origin.training;
        Self {
            data: dataset.root.display().to_string(),
            synthetic: is_synthetic(&dataset.root),
            method: measured.method(),
            patches: training.patches,
            training_seconds: training.seconds,
            seconds: measured.seconds,
            metrics: &measured.metrics,
        }
    }
}

/// The model's configuration, with the data set and the settings of the arguments.
fn config(context: &Context, folder: &ModelFolder, args: &EvaluateArgs) -> Result<Config> {
    let mut trained = folder.config()?;
    if let Some(root) = &args.data {
        trained.data.root = Some(root.clone());
        trained.data.layout = None;
    }
    let mut config =
        trained.clone().with_settings_of(&["data", "inspection", "vae"], &args.settings)?;
    // Which images were held out is no longer a choice.
    config.data.held_out = trained.data.held_out;
    if Settings::of_scoring(&config)? != Settings::of_scoring(&trained)? {
        context.reporter.warn(
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
    let Some((_, held_out)) = split_of_training(folder, config)? else {
        context.reporter.warn(&format!(
            "{}: not the good images that the model was trained and calibrated on, so that none of them stands for those that the \
             test set lacks",
            dataset.root.display()
        ));
        return Ok(Vec::new());
    };
    Ok(held_out)
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
    write_atomic(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        for row in rows {
            writer.serialize(row)?;
        }
        Ok(writer.flush()?)
    })
}

fn write_tables_and_pictures(out: &Path, title: &str, measured: &Measured) -> Result<()> {
    let Measured { evaluation, curves, .. } = measured;
    write_rows(&out.join("images.csv"), &evaluation.rows()?)?;
    write_curves(out, curves)?;
    draw_curves(out, title, curves)?;
    draw_histogram(&out.join("histogram.png"), title, evaluation)?;
    draw_figure(&out.join("figure.png"), evaluation)
}

fn draw_curves(out: &Path, title: &str, curves: &Curves) -> Result<()> {
    for extension in ["png", "svg"] {
        let path = |name: &str| out.join(format!("{name}.{extension}"));
        let roc = [("after opening", &curves.roc), ("before opening", &curves.roc_raw)];
        plot_roc(path("roc"), &Figure::new(&format!("{title}: pixel ROC")), &roc)?;
        let pr = [("after opening", &curves.precision_recall)];
        plot_pr(path("pr"), &Figure::new(&format!("{title}: precision and recall")), &pr)?;
        let pro = [("after opening", &curves.pro)];
        let limit = metrics::AU_PRO_LIMIT;
        plot_pro(path("pro"), &Figure::new(&format!("{title}: per-region overlap")), &pro, limit)?;
    }
    Ok(())
}

/// Scores of good and defective pixels.
fn draw_histogram(path: &Path, title: &str, evaluation: &Evaluation) -> Result<()> {
    let (mut good, mut defective) = (Vec::new(), Vec::new());
    for inspection in &evaluation.inspections {
        let pixels = inspection.anomaly_map.data().iter().zip(inspection.mask.data());
        for (&score, &is_defective) in pixels {
            if is_defective { &mut defective } else { &mut good }.push(score);
        }
    }
    let threshold = Some(evaluation.threshold);
    let style = HistogramStyle { scale: Scale::Logarithmic, threshold, ..Default::default() };
    let lists = [("good pixels", good.as_slice()), ("defective pixels", defective.as_slice())];
    plot_histogram(path, &Figure::new(&format!("{title}: scores")), &lists, &style)?;
    Ok(())
}

/// Rows of image, reconstruction, residual map, flagged pixels and ground truth.
fn draw_figure(path: &Path, evaluation: &Evaluation) -> Result<()> {
    let threshold = evaluation.threshold;
    let flagged: Vec<Mask> =
        evaluation.shown().map(|shown| threshold_mask(&shown.anomaly_map, threshold)).collect();
    let shown = evaluation.shown().zip(&flagged);
    let rows: Vec<Vec<Cell<'_>>> =
        shown.map(|(inspection, flagged)| row(inspection, flagged, threshold)).collect();
    write_figure(path, &rows)
}

fn row<'a>(inspection: &'a Inspection, flagged: &'a Mask, threshold: f32) -> Vec<Cell<'a>> {
    vec![
        Cell::Grey8(&inspection.image),
        Cell::Grey8(&inspection.reconstruction),
        Cell::Heat(&inspection.residual, ScoreRange::around(threshold)),
        Cell::Mask(flagged),
        Cell::Mask(&inspection.mask),
    ]
}

fn write_maps(folder: &Path, inspector: &Inspector, evaluation: &Evaluation) -> Result<()> {
    for inspection in &evaluation.inspections {
        let sample = &inspection.sample;
        let path = folder.join("test").join(&sample.defect).join(format!("{}.tiff", sample.id));
        write_float_tiff(&path, &inspector.uncrop(&inspection.anomaly_map))?;
    }
    Ok(())
}
