//! `bench-cli predict`

use super::Context;
use super::evaluate::score_range;
use crate::args::PredictArgs;
use crate::data::list_images;
use crate::interrupt;
use crate::io::{
    prepare_folder, read_image, write_atomic, write_float_tiff, write_mask_png, write_overlay_png,
};
use crate::model_folder::ModelFolder;
use crate::pipeline::Inspector;
use crate::report;
use anyhow::{Context as _, Result, bail};
use inspect::{Connectivity, Region, regions, threshold_mask};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What was found in one image: a line of `predictions.jsonl`.
#[derive(Clone, Debug, Serialize)]
struct Prediction {
    image: String,
    /// The results' names begin with this.
    id: String,
    /// The largest score of the anomaly map.
    score: f32,
    threshold: f32,
    defective: bool,
    seconds: f64,
    regions: Vec<Region>,
}

/// A line of `regions.csv`. Pixel boxes are half-open.
#[derive(Serialize)]
struct RegionRow<'a> {
    image: &'a str,
    label: u32,
    area: usize,
    x0: usize,
    y0: usize,
    x1: usize,
    y1: usize,
    centroid_x: f64,
    centroid_y: f64,
    mean_score: f64,
    max_score: f32,
}

/// How a run over images ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No image has a defect.
    Good,
    /// At least one image has a defect.
    Defective,
    /// At least one image could not be inspected, which was reported.
    Incomplete,
}

/// Finds defects in images. An image that cannot be read or inspected is reported and left out.
///
/// # Errors
/// If the model cannot be read, no image is found or results cannot be written.
pub fn predict(context: &Context, args: &PredictArgs) -> Result<Outcome> {
    let folder = ModelFolder::open(&args.model)?;
    let config = folder.config()?;
    let threshold = match args.threshold {
        Some(threshold) if threshold.is_finite() => threshold,
        Some(threshold) => bail!("--threshold must be a finite number, got {threshold}"),
        None => folder.calibration()?.threshold,
    };
    let images = named(inputs(&args.inputs)?);
    let inspector = Inspector::new(folder.model(&config, &context.device)?, &config)?;
    prepare_folder(&args.out)?;
    spare_inputs(&images, &args.out)?;
    let predictions = inspect_all(context, &inspector, &images, threshold, &args.out)?;
    let failures = images.len() - predictions.len();
    if failures > 0 && images.len() > 1 {
        let note = format!("{failures} of {} images could not be inspected", images.len());
        context.reporter.note(&note);
    }
    Ok(match predictions.iter().any(|prediction| prediction.defective) {
        _ if failures > 0 => Outcome::Incomplete,
        true => Outcome::Defective,
        false => Outcome::Good,
    })
}

/// Predictions for all images that can be inspected.
fn inspect_all(
    context: &Context,
    inspector: &Inspector,
    images: &[(PathBuf, String)],
    threshold: f32,
    out: &Path,
) -> Result<Vec<Prediction>> {
    let reporter = context.reporter;
    let mut predictions = Vec::with_capacity(images.len());
    let bar = reporter.bar(images.len() as u64, "{wide_bar} {pos}/{len} images, {eta} left");
    for (path, id) in images {
        if interrupt::came() {
            break;
        }
        match predict_image(inspector, path, id, threshold, out) {
            Ok(prediction) => {
                reporter.record(&prediction)?;
                bar.suspend(|| reporter.text(&line(&prediction)))?;
                predictions.push(prediction);
            }
            Err(error) => bar.suspend(|| report::error(&error)),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    write_tables(out, &predictions)?;
    interrupt::check(|| format!("interrupted after {} images", predictions.len()))?;
    Ok(predictions)
}

/// Refuses to write results over the images that they are of.
fn spare_inputs(images: &[(PathBuf, String)], out: &Path) -> Result<()> {
    let out = out.canonicalize()?;
    let lies_in_out =
        |path: &Path| path.canonicalize().is_ok_and(|path| path.parent() == Some(&out));
    match images.iter().find(|(path, _)| lies_in_out(path)) {
        Some((path, _)) => bail!(
            "{}: lies in the folder of the results, which might replace it; name another --out",
            path.display()
        ),
        None => Ok(()),
    }
}

fn inputs(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let lists = inputs.iter().map(|input| list_images(input));
    Ok(lists.collect::<Result<Vec<_>>>()?.concat())
}

/// Gives every image a name of its own: that of its file without extension, with a number if it is taken.
fn named(paths: Vec<PathBuf>) -> Vec<(PathBuf, String)> {
    let mut taken = HashSet::new();
    let mut name = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = std::iter::once(stem.clone()).chain(numbered);
        names.find(|name| taken.insert(name.clone())).unwrap_or(stem)
    };
    paths.into_iter().map(|path| (path.clone(), name(&path))).collect()
}

fn predict_image(
    inspector: &Inspector,
    path: &Path,
    id: &str,
    threshold: f32,
    out: &Path,
) -> Result<Prediction> {
    let start = Instant::now();
    let image = read_image(path)?;
    let inspected =
        inspector.inspect(&image).with_context(|| format!("cannot inspect {}", path.display()))?;
    let inside = threshold_mask(&inspected.anomaly_map, threshold);
    let mask = crate::data::uncrop(&inside, inspector.margins(), false);
    let map = inspector.uncrop(&inspected.anomaly_map);
    let regions = regions(&mask, &map, Connectivity::Eight)?;
    let score = metrics::image_score(inspected.anomaly_map.data())?;
    write_float_tiff(&out.join(format!("{id}.tiff")), &map)?;
    write_mask_png(&out.join(format!("{id}_mask.png")), &mask)?;
    let overlay = out.join(format!("{id}_overlay.png"));
    write_overlay_png(&overlay, &image, &map, score_range(threshold), Some(&mask))?;
    Ok(Prediction {
        image: path.display().to_string(),
        id: id.to_owned(),
        score,
        threshold,
        defective: !regions.is_empty(),
        seconds: start.elapsed().as_secs_f64(),
        regions,
    })
}

fn line(prediction: &Prediction) -> String {
    let verdict = match prediction.regions.len() {
        0 => "good".to_owned(),
        1 => "1 defect".to_owned(),
        count => format!("{count} defects"),
    };
    format!("{}: {verdict}, score {:.4}", prediction.image, prediction.score)
}

fn write_tables(out: &Path, predictions: &[Prediction]) -> Result<()> {
    write_atomic(&out.join("predictions.jsonl"), |file| {
        for prediction in predictions {
            serde_json::to_writer(&mut *file, prediction)?;
            writeln!(file)?;
        }
        Ok(())
    })?;
    write_atomic(&out.join("regions.csv"), |file| {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        writer.write_record(REGION_COLUMNS)?;
        for prediction in predictions {
            for region in &prediction.regions {
                writer.serialize(row(&prediction.id, region))?;
            }
        }
        Ok(writer.flush()?)
    })
}

/// Written even if there are no regions.
const REGION_COLUMNS: [&str; 11] = [
    "image",
    "label",
    "area",
    "x0",
    "y0",
    "x1",
    "y1",
    "centroid_x",
    "centroid_y",
    "mean_score",
    "max_score",
];

fn row<'a>(image: &'a str, region: &Region) -> RegionRow<'a> {
    let &Region { label, area, x0, y0, x1, y1, centroid_x, centroid_y, mean_score, max_score } =
        region;
    RegionRow { image, label, area, x0, y0, x1, y1, centroid_x, centroid_y, mean_score, max_score }
}
