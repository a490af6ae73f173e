//! `bench-cli toy`

use super::Context;
use crate::args::ToyArgs;
use crate::drawing::{Cell, Figure, ScoreRange, short, write_figure};
use crate::interrupt;
use anyhow::{Context as _, Result, ensure};
use detector::files::{shown, shown_text};
use detector::records::{ToyMap, ToyRecord};
use detector::synthetic::draw_defects;
use detector::{Config, Margins, ModelFolder, Split, Views, crop};
use inspect::{Image, Mask, Residual, residual_map};
use ssim::{Border, Components};
use std::path::{Path, PathBuf};

/// The side of what is shown, in patches.
const PATCHES: usize = 2;

/// A residual map and the name of what it shows.
struct Residuals {
    name: &'static str,
    map: Image,
    scale: f32,
}

/// Draws defects into a good image, and the residual maps of a model on them.
///
/// # Errors
/// If the model or the image cannot be read, the image is smaller than a patch, or the figure cannot be written.
pub fn toy(context: &Context, args: &ToyArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = folder.config()?;
    let path = args.image.clone().map_or_else(|| good_image(&config), Ok)?;
    let square = middle(&path, &config)?;
    let inspector = context.calibrated(&folder, &config)?;

    let (image, mask) = draw_defects(&square, args.seed);
    let inspected = inspector.inspect_prepared(&image);
    let reconstruction =
        inspected.with_context(|| format!("cannot inspect {}", shown(&path)))?.reconstruction;
    let maps = residual_maps(&image, &reconstruction, &config)?;
    interrupt::check(|| "interrupted; no figure was written".to_owned())?;
    draw(&args.out, [&image, &reconstruction], &maps, &mask)?;
    let report = ToyRecord {
        figure: args.out.to_string_lossy().into_owned(),
        image: path.to_string_lossy().into_owned(),
        method: config.method,
        seed: args.seed,
        side: image.width(),
        defective_pixels: mask.data().iter().filter(|&&defective| defective).count(),
        maps: maps.iter().map(|residuals| residuals.report(&mask)).collect(),
    };
    context.terminal.text(&table(&report))?;
    context.terminal.record(&report)
}

/// A good image that the model has not seen, if the images are still those of its training, or else one that it has.
fn good_image(config: &Config) -> Result<PathBuf> {
    let (Split { train, held_out }, ..) = config.split()?;
    held_out.into_iter().chain(train).next().context("a data set has at least one good image")
}

/// The square in the middle of an image, as the network sees it: two patches wide, or as wide as the image permits.
fn middle(path: &Path, config: &Config) -> Result<Image> {
    let image = Views::of(&config.data)?.read(path)?.image;
    let ((width, height), patch) = (image.size(), config.model.patch_size);
    ensure!(
        width >= patch && height >= patch,
        "{}: {width}x{height} pixels to draw defects into, expected at least the patch size {patch}x{patch}",
        shown(path)
    );
    let side = (PATCHES * patch).min(width).min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let (right, bottom) = (width - side - left, height - side - top);
    Ok(crop(&image, Margins { left, top, right, bottom })?)
}

/// The residual maps in the order of the figure. Those of the SSIM have one scale, up to the largest of them.
fn residual_maps(image: &Image, reconstruction: &Image, config: &Config) -> Result<Vec<Residuals>> {
    let (width, height) = image.size();
    let params = config.ssim.params(Border::Reflect);
    let (x, y) = (image.data(), reconstruction.data());
    let maps = ssim::maps(x, y, width, height, &params, Components::ALL)
        .context("cannot compare the image with its reconstruction")?;
    let residual = |similarity: Option<Vec<f32>>| {
        let values = similarity.unwrap_or_default().iter().map(|value| 1.0 - value).collect();
        Image::new(width, height, values)
    };
    let similarities = [
        ("luminance", residual(maps.luminance)?),
        ("contrast", residual(maps.contrast)?),
        ("structure", residual(maps.structure)?),
        ("ssim", residual(maps.ssim)?),
    ];
    let scale = similarities.iter().map(|(_, map)| maximum(map)).fold(0.0, f32::max);
    let similarities = similarities.into_iter().map(|(name, map)| Residuals { name, map, scale });
    let l2 = residual_map(image, reconstruction, &Residual::L2)?;
    let l2 = Residuals { name: "l2", scale: maximum(&l2), map: l2 };
    Ok(std::iter::once(l2).chain(similarities).collect())
}

fn maximum(map: &Image) -> f32 {
    map.data().iter().copied().fold(0.0, f32::max)
}

/// A row of images, residual maps and ground truth.
fn draw(path: &Path, images: [&Image; 2], maps: &[Residuals], mask: &Mask) -> Result<()> {
    let heats = maps.iter().map(Residuals::cell);
    let row = images.into_iter().map(Cell::Grey).chain(heats);
    let names = maps.iter().map(|residuals| residuals.heading());
    let headings = ["image with drawn defects".to_owned(), "reconstruction".to_owned()];
    let headings = headings.into_iter().chain(names).chain(["drawn defects".to_owned()]);
    let rows = vec![row.chain([Cell::Mask(mask)]).collect()];
    write_figure(path, &Figure { headings: headings.collect(), rows, scale: None })
}

impl Residuals {
    fn cell(&self) -> Cell<'_> {
        Cell::Heat(&self.map, ScoreRange { low: 0.0, high: self.scale })
    }

    /// The name with the residual of the brightest colour.
    fn heading(&self) -> String {
        let name = match self.name {
            "l2" => "(image − reconstruction)²".to_owned(),
            "ssim" => "1 − SSIM".to_owned(),
            part => format!("1 − {part}"),
        };
        format!("{name}, 0 to {}", short(self.scale))
    }

    fn report(&self, mask: &Mask) -> ToyMap {
        // Both are of some pixels: the defects cover neither none nor all.
        let mean = |inside: bool| {
            let pixels = self.map.data().iter().zip(mask.data());
            let chosen = pixels.filter(|(_, defective)| **defective == inside);
            let values: Vec<f64> = chosen.map(|(&value, _)| f64::from(value)).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        ToyMap {
            map: self.name.to_owned(),
            mean_inside: mean(true),
            mean_outside: mean(false),
            maximum: maximum(&self.map),
            scale: self.scale,
        }
    }
}

fn table(report: &ToyRecord) -> String {
    let row = |map: &ToyMap| {
        let ToyMap { map, mean_inside, mean_outside, maximum, scale } = map;
        format!("{map:<10} {mean_inside:>12.5} {mean_outside:>12.5} {maximum:>9.4} {scale:>9.4}")
    };
    let rows: Vec<String> = report.maps.iter().map(row).collect();
    format!(
        "{}: image, reconstruction, residual maps, ground truth\n{:<10} {:>12} {:>12} {:>9} {:>9}\n{}",
        shown_text(&report.figure),
        "residual",
        "mean inside",
        "mean outside",
        "maximum",
        "scale",
        rows.join("\n")
    )
}
