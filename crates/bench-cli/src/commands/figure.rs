//! `bench-cli figure`

use super::Context;
use crate::args::FigureArgs;
use crate::drawing::{Cell, Figure, ScoreRange, around_largest_defect, short, write_figure};
use crate::interrupt;
use anyhow::{Context as _, Result, bail, ensure};
use detector::files::shown;
use detector::records::FigureRecord;
use detector::{Dataset, Inspector, ModelFolder, TestSample, crop, shown_samples};
use inspect::{Image, Mask};

/// A model, and the scores that its colours stand for.
struct Model {
    title: &'static str,
    inspector: Inspector,
    range: ScoreRange,
    threshold: f32,
}

/// The pictures of a row.
struct Row {
    image: Image,
    reconstructions: Vec<Image>,
    maps: Vec<Image>,
    mask: Mask,
}

/// Draws reconstructions and anomaly maps of the same defects by several models.
///
/// # Errors
/// If a model or the data set cannot be read, or the figure cannot be written.
pub fn figure(context: &Context, args: &FigureArgs) -> Result<()> {
    ensure!(args.crop > 0 && args.images > 0, "--crop and --images must be at least 1");
    let folders = args.models.iter().map(|path| ModelFolder::open(path));
    let folders = folders.collect::<detector::Result<Vec<_>>>()?;
    let dataset = dataset(&folders, args)?;
    let models = folders.iter().map(|folder| open(context, folder)).collect::<Result<Vec<_>>>()?;
    let samples = shown_samples(&dataset.test, args.images);
    let rows = samples.iter().map(|&index| row(&models, &dataset.test[index], args.crop));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let figure = Figure {
        headings: headings(&models),
        rows: rows.iter().map(|row| row.cells(&models)).collect(),
        scale: scale(&models),
    };
    write_figure(&args.out, &figure)?;
    let (figure, images) = (args.out.to_string_lossy().into_owned(), rows.len());
    context.terminal.text(&format!(
        "{}: image, reconstructions and anomaly maps in the order of the models, ground truth",
        shown(&args.out)
    ))?;
    context.terminal.record(&FigureRecord { figure, models: models.len(), images })
}

/// The data set of the arguments with the settings of the first model, or the one that it was trained on.
fn dataset(folders: &[ModelFolder], args: &FigureArgs) -> Result<Dataset> {
    let data = folders[0].config()?.data;
    let data = match &args.data {
        Some(root) => data.with_root(root),
        None => data,
    };
    let mut dataset = data.open()?;
    dataset.test.retain(|sample| !sample.masks.is_empty());
    if dataset.test.is_empty() {
        bail!("{}: expected test images with ground truth, found none", shown(&dataset.root));
    }
    Ok(dataset)
}

fn open(context: &Context, folder: &ModelFolder) -> Result<Model> {
    let config = folder.config()?;
    let inspector = context.calibrated(folder, &config)?;
    let calibration = folder.calibration()?;
    let (range, threshold) = (ScoreRange::of_good(calibration.good_unit()), calibration.threshold);
    Ok(Model { title: config.method.title(), inspector, range, threshold })
}

fn headings(models: &[Model]) -> Vec<String> {
    let reconstructions = models.iter().map(|model| format!("reconstruction {}", model.title));
    let maps = models.iter().map(|model| format!("anomaly map {}", model.title));
    let images = std::iter::once("image".to_owned()).chain(reconstructions).chain(maps);
    images.chain(["ground truth".to_owned()]).collect()
}

/// The scale of the maps, if all have the same.
fn scale(models: &[Model]) -> Option<(ScoreRange, Option<f32>)> {
    let (range, threshold) = (models[0].range, models[0].threshold);
    let is_common = models.iter().all(|model| model.range.looks_like(range));
    let has_one = models.iter().all(|model| short(model.threshold) == short(threshold));
    is_common.then_some((range, has_one.then_some(threshold)))
}

/// A cut-out around the largest defect of an image.
fn row(models: &[Model], sample: &TestSample, side: usize) -> Result<Row> {
    let image = models[0].inspector.read(&sample.image)?;
    let mask = sample.mask(image.size())?.context("a sample with ground truth is drawn")?;
    let window = around_largest_defect(&mask, side)?;
    let (mut reconstructions, mut maps) = (Vec::new(), Vec::new());
    for Model { inspector, .. } in models {
        interrupt::check(|| "interrupted; no figure was written".to_owned())?;
        let inspected = inspector
            .inspect_named(&inspector.read(&sample.image)?, Some(&sample.image))
            .with_context(|| format!("cannot inspect {}", shown(&sample.image)))?;
        reconstructions.push(crop(&inspected.reconstruction, window)?);
        maps.push(crop(&inspected.anomaly_map, window)?);
    }
    Ok(Row { image: crop(&image, window)?, reconstructions, maps, mask: crop(&mask, window)? })
}

impl Row {
    fn cells(&self, models: &[Model]) -> Vec<Cell<'_>> {
        let maps = self.maps.iter().zip(models);
        std::iter::once(Cell::Grey(&self.image))
            .chain(self.reconstructions.iter().map(Cell::Grey))
            .chain(maps.map(|(map, model)| Cell::Heat(map, model.range)))
            .chain([Cell::Mask(&self.mask)])
            .collect()
    }
}
