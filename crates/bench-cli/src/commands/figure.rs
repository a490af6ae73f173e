//! `bench-cli figure`

use super::Context;
use crate::args::FigureArgs;
use crate::drawing::{Cell, ScoreRange, write_figure};
use crate::interrupt;
use anyhow::{Context as _, Result, bail, ensure};
use detector::records::FigureRecord;
use detector::{Dataset, Inspector, Margins, ModelFolder, TestSample, crop, shown_samples};
use inspect::{Connectivity, Image, Mask, regions};

/// A model, and the scores that its colours stand for.
struct Model {
    inspector: Inspector,
    range: ScoreRange,
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
/// If a model or the data set cannot be read, the models see different parts of the images, or the figure cannot be written.
pub fn figure(context: &Context, args: &FigureArgs) -> Result<()> {
    ensure!(args.crop > 0 && args.images > 0, "--crop and --images must be at least 1");
    let folders = args.models.iter().map(|path| ModelFolder::open(path));
    let folders = folders.collect::<detector::Result<Vec<_>>>()?;
    let dataset = dataset(&folders, args)?;
    let models = folders.iter().map(|folder| open(context, folder)).collect::<Result<Vec<_>>>()?;
    let margins = models[0].inspector.margins();
    if let Some(other) = models.iter().position(|model| model.inspector.margins() != margins) {
        let (one, other) = (args.models[0].display(), args.models[other].display());
        bail!("{other}: expected the margins of {one}, so that both see the same part of an image");
    }
    let samples = shown_samples(&dataset.test, args.images);
    let rows = samples.iter().map(|&index| row(&models, &dataset.test[index], args.crop));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let cells: Vec<Vec<Cell<'_>>> = rows.iter().map(|row| row.cells(&models)).collect();
    write_figure(&args.out, &cells)?;
    let (figure, images) = (args.out.display().to_string(), rows.len());
    context.terminal.text(&format!(
        "{figure}: image, reconstructions and anomaly maps in the order of the models, ground truth"
    ))?;
    context.terminal.record(&FigureRecord { figure, models: models.len(), images })
}

/// The data set of the arguments, or that of the first model.
fn dataset(folders: &[ModelFolder], args: &FigureArgs) -> Result<Dataset> {
    let dataset = match &args.data {
        Some(root) => Dataset::open(root, None)?,
        None => folders[0].config()?.data.open()?,
    };
    if dataset.test.iter().all(TestSample::is_good) {
        bail!("{}: expected test images with ground truth, found none", dataset.root.display());
    }
    Ok(dataset)
}

fn open(context: &Context, folder: &ModelFolder) -> Result<Model> {
    let config = folder.config()?;
    let inspector = context.calibrated(folder, &config)?;
    Ok(Model { inspector, range: ScoreRange::around(folder.calibration()?.threshold) })
}

/// A cut-out around the largest defect of an image.
fn row(models: &[Model], sample: &TestSample, side: usize) -> Result<Row> {
    let (image, mask) = sample.load()?;
    let margins = models[0].inspector.margins();
    let (inner, mask) = (crop(&image, margins)?, crop(&mask, margins)?);
    let window = window(&mask, side)?;
    let (mut reconstructions, mut maps) = (Vec::new(), Vec::new());
    for Model { inspector, .. } in models {
        interrupt::check(|| "interrupted; no figure was written".to_owned())?;
        let inspected = inspector
            .inspect(&image)
            .with_context(|| format!("cannot inspect {}", sample.image.display()))?;
        reconstructions.push(crop(&inspected.reconstruction, window)?);
        maps.push(crop(&inspected.anomaly_map, window)?);
    }
    Ok(Row { image: crop(&inner, window)?, reconstructions, maps, mask: crop(&mask, window)? })
}

/// The margins around a square of the given side, at most the image's, about the middle of the largest region.
fn window(mask: &Mask, side: usize) -> Result<Margins> {
    let (width, height) = mask.size();
    let scores = Image::filled(width, height, 0.0);
    let regions = regions(mask, &scores, Connectivity::Eight)?.regions;
    let largest = regions.iter().max_by_key(|region| region.area);
    let (x, y) = largest.map_or((width / 2, height / 2), |region| {
        (region.x0.midpoint(region.x1), region.y0.midpoint(region.y1))
    });
    let around = |middle: usize, length: usize| {
        let side = side.min(length);
        let first = middle.saturating_sub(side / 2).min(length - side);
        (first, length - side - first)
    };
    let ((left, right), (top, bottom)) = (around(x, width), around(y, height));
    Ok(Margins { left, top, right, bottom })
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn the_window_lies_around_the_largest_defect_and_inside_the_image() {
        let mask = |defects: &[(usize, usize)]| {
            Mask::from_fn(40, 20, |x, y| {
                defects.iter().any(|&(left, top)| (left..left + 4).contains(&x) && y == top)
            })
        };
        let of = |defects: &[(usize, usize)], side| {
            let Margins { left, top, right, bottom } = window(&mask(defects), side).unwrap();
            [left, top, right, bottom]
        };
        assert_eq!(of(&[(20, 10)], 8), [18, 6, 14, 6]);
        assert_eq!(of(&[(0, 0)], 8), [0, 0, 32, 12]);
        assert_eq!(of(&[(36, 19)], 8), [32, 12, 0, 0]);
        // Wider than the image is high.
        assert_eq!(of(&[(20, 10)], 30), [7, 0, 3, 0]);
        assert_eq!(of(&[], 8), [16, 6, 16, 6]);
    }
}
