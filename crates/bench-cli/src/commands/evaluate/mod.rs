//! `bench-cli evaluate`

mod table;

use super::{Context, prepare_results};
use crate::args::EvaluateArgs;
use crate::curve_points::write_curves;
use crate::drawing::{Cell, Figure, ScoreRange, around_largest_defect, write_figure};
use crate::interrupt;
use crate::page::{Circumstances, Page, RESIDUAL_COLOUR, write_page};
use crate::progress::Progress;
use anyhow::Result;
use detector::files::{FileSet, FolderLock, shown, write_atomic, write_json};
use detector::records::{EvaluationRecord, Settings};
use detector::synthetic::is_synthetic;
use detector::{
    Config, Curves, Dataset, Evaluation, Image, InspectedSample, InspectedSet, Inspector, LeftOut,
    Mask, ModelFolder, Origin, Plane, TestSample, crop, held_out_for, write_float_tiff,
};
use inspect::NOT_SCORED;
use metrics::{AU_PRO_LIMIT, Chart, Height, HistogramStyle};
use serde::Serialize;
use std::path::{Path, PathBuf};
use table::table;

/// The side of what a figure shows of a large image, in pixels.
const CUT_OUT: usize = 512;

/// The charts of the figures of pixels, which a data set without masks does not have, and the kinds of their files.
const CURVES: [&str; 3] = ["roc", "pr", "pro"];
const OF_CURVES: [&str; 3] = ["csv", "png", "svg"];
const HISTOGRAM: &str = "histogram.png";

/// The file that comes last: where it is, all that belongs to it is there.
const METRICS: &str = "metrics.json";

/// Measures a model on a data set with ground truth.
///
/// # Errors
/// If the model or the data set cannot be read, or the results cannot be written.
pub fn evaluate(context: &Context, args: &EvaluateArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = config(context, &folder, args)?;
    let dataset = config.data.open()?;
    dataset.check_test()?;
    warn_of_missing_masks(context, &dataset);
    let inspector = context.calibrated(&folder, &config)?;
    let held_out = held_out(context, &folder, &config, &dataset)?;
    let origin = Origin::of(&folder, config)?;
    prepare_results(&args.out)?;
    let _lock = FolderLock::take(&args.out)?;
    let evaluation = evaluate_on(context, &dataset, &held_out, &inspector, origin)?;
    for mask in &evaluation.test_set.empty_masks {
        context.terminal.warn(&format!(
            "{}: the mask is empty, but its image counts as defective",
            shown(mask)
        ));
    }
    for LeftOut { image, reason } in &evaluation.test_set.left_out {
        context.terminal.warn(&format!("{}: left out: {reason}", shown(image)));
    }
    let record = record(&evaluation, &dataset);
    let title = title(&category(&dataset), record.synthetic);
    let set = FileSet::begin(&args.out)?;
    write_json(&set.path().join(METRICS), &record)?;
    write_tables_and_pictures(set.path(), &title, &evaluation)?;
    let circumstances = Circumstances::now(&dataset.root, record.synthetic, &context.device);
    let parts = std::slice::from_ref(&evaluation);
    let page = Page { title: &title, circumstances, parts, settings: &args.settings };
    write_page(&set.path().join("report.html"), &page)?;
    let maps = Path::new("maps").join(category(&dataset));
    if args.maps {
        write_maps(&set.path().join(&maps), &evaluation.test_set)?;
    }
    let curves = CURVES.map(|name| OF_CURVES.map(|kind| Path::new(name).with_extension(kind)));
    let earlier = curves.into_iter().flatten().chain([HISTOGRAM.into(), maps]);
    set.publish(&earlier.collect::<Vec<_>>(), METRICS)?;
    context.terminal.text(&table(&evaluation.metrics, &title))?;
    context.terminal.record(&record)
}

/// Says which defective images have no mask.
fn warn_of_missing_masks(context: &Context, dataset: &Dataset) {
    let missing = dataset.unmasked().count();
    if let Some(sample) = dataset.unmasked().next() {
        let defective = dataset.test.iter().filter(|sample| !sample.is_good()).count();
        context.terminal.warn(&format!(
            "{missing} of {defective} defective images have no mask, as {}: they count in the figures of images, but not in those of pixels \
             (data.masks names another folder or suffix)",
            shown(&sample.image)
        ));
    }
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
    let bar =
        Progress::new(context.terminal, ["inspecting", "images"], (0, images as u64), template);
    let mut progress = interrupt::progress(&bar);
    let evaluation = detector::evaluate(dataset, held_out, inspector, origin, &mut progress);
    bar.finish();
    evaluation.map_err(|error| {
        interrupt::explain(error, || "interrupted; no results were written".to_owned())
    })
}

fn record(evaluation: &Evaluation, dataset: &Dataset) -> EvaluationRecord {
    let training = &evaluation.origin.training;
    EvaluationRecord {
        data: dataset.root.to_string_lossy().into_owned(),
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
        trained.data = trained.data.with_root(root);
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
            shown(&dataset.root)
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
    write_rows(&out.join("images.csv"), &test_set.rows())?;
    if let Some(curves) = curves {
        write_curves(out, curves)?;
        draw_curves(out, title, curves, evaluation.method().colour())?;
        draw_histogram(&out.join(HISTOGRAM), title, test_set)?;
    }
    draw_figure(&out.join("figure.png"), evaluation)
}

fn draw_curves(out: &Path, title: &str, curves: &Curves, colour: usize) -> Result<()> {
    let roc = [("anomaly map", &curves.roc), ("residual map", &curves.roc_raw)];
    let pr = [("anomaly map", &curves.precision_recall)];
    let pro = [("anomaly map", &curves.pro)];
    let charts = [
        ("roc", "pixel ROC", Chart::roc(&roc)?.in_colours(&[colour, RESIDUAL_COLOUR])),
        ("pr", "precision and recall", Chart::precision_recall(&pr)?.in_colours(&[colour])),
        ("pro", "per-region overlap", Chart::pro(&pro, AU_PRO_LIMIT)?.in_colours(&[colour])),
    ];
    for (name, subject, chart) in charts {
        let title = format!("{title}: {subject}");
        for extension in ["png", "svg"] {
            chart.save(out.join(name).with_extension(extension), &metrics::Figure::new(&title))?;
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
    Ok(Chart::histogram(&lists, &style)?.save(path, &metrics::Figure::new(&title))?)
}

/// The part of an image that a figure shows.
struct Shown {
    image: Plane<u8>,
    reconstruction: Plane<u8>,
    map: Image,
    flagged: Mask,
    ground_truth: Option<Mask>,
}

/// Rows of image, reconstruction, anomaly map, flagged pixels and ground truth, cut out around the largest defect of large images.
fn draw_figure(path: &Path, evaluation: &Evaluation) -> Result<()> {
    let Evaluation { origin, test_set, .. } = evaluation;
    let range = ScoreRange::of_good(origin.calibration.good_unit());
    let shown = test_set.shown().map(|sample| Shown::of(sample, test_set));
    let shown = shown.collect::<Result<Vec<_>>>()?;
    let headings = ["image", "reconstruction", "anomaly map", "flagged", "ground truth"];
    let figure = Figure {
        headings: headings.map(String::from).into(),
        rows: shown.iter().map(|shown| shown.row(range)).collect(),
        scale: Some((range, Some(test_set.decision.threshold))),
    };
    write_figure(path, &figure)
}

impl Shown {
    fn of(sample: &InspectedSample, test_set: &InspectedSet) -> Result<Self> {
        let InspectedSample { image, reconstruction, anomaly_map: map, mask, .. } = sample;
        let flagged = test_set.decision.mask(map);
        let window = around_largest_defect(mask.as_ref().unwrap_or(&flagged), CUT_OUT)?;
        Ok(Self {
            image: crop(image, window)?,
            reconstruction: crop(reconstruction, window)?,
            map: crop(map, window)?,
            flagged: crop(&flagged, window)?,
            ground_truth: mask.as_ref().map(|mask| crop(mask, window)).transpose()?,
        })
    }

    fn row(&self, range: ScoreRange) -> Vec<Cell<'_>> {
        let cells = [
            Cell::Grey8(&self.image),
            Cell::Grey8(&self.reconstruction),
            Cell::Heat(&self.map, range),
            Cell::Mask(&self.flagged),
        ];
        cells.into_iter().chain(self.ground_truth.as_ref().map(Cell::Mask)).collect()
    }
}

/// Writes the anomaly maps, 0 outside of the region of interest.
fn write_maps(folder: &Path, test_set: &InspectedSet) -> Result<()> {
    for InspectedSample { sample, anomaly_map, .. } in &test_set.samples {
        let path = folder.join("test").join(&sample.defect).join(format!("{}.tiff", sample.id));
        let map = anomaly_map.map(|score| if score > NOT_SCORED { score } else { 0.0 });
        write_float_tiff(&path, &map)?;
    }
    Ok(())
}
