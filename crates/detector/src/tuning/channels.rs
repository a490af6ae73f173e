//! Many choices on the images of a tuning, each image being reconstructed once.

use super::choice::ResidualChoice;
use super::figures::Peaks;
use super::images::{TuningImage, TuningImages};
use crate::Result;
use crate::config::{Config, Measure, Scores};
use crate::data::Margins;
use crate::error::Context;
use crate::inspector::Inspector;
use crate::progress::{Progress, tell};
use crate::records::MeasuredChoice;
use crate::synthetic::DrawnDefect;
use crate::{Error, Method};
use inspect::{
    Image, NOT_SCORED, Reference, RegionOfInterest, Residual, residual_map, smooth, tile_maxima,
};
use models::Autoencoder;
use rayon::prelude::*;

/// Scores of pixels that are kept: of all good images, and of each defect.
const GOOD_SCORES: usize = 1 << 15;
const DEFECT_SCORES: usize = 1 << 8;

/// An image as the network takes it, with its reconstruction.
struct Compared {
    image: Image,
    region: Option<RegionOfInterest>,
    reconstruction: Image,
    /// The residual map of the reconstruction's samples, of a variational autoencoder.
    sampled: Option<Image>,
}

/// All images of a tuning.
struct All {
    good: Vec<Compared>,
    drawn: Vec<Compared>,
    test: Vec<Compared>,
}

/// Measures choices by a model: the defects that each finds at one false alarm in `false_alarms` good images. The images are those of
/// the configuration, or larger by the same factor in both directions; they are scaled to `data.size`, and maps scaled back. Progress is
/// told in images, then in pairs of a residual and a Gaussian. Choices whose windows are larger than an image are left out.
///
/// # Errors
/// If a choice is out of range, an image cannot be inspected, or the caller cancels.
pub fn measure_choices(
    model: Autoencoder,
    config: &Config,
    images: &TuningImages,
    choices: &[ResidualChoice],
    false_alarms: f64,
    progress: &mut Progress<'_>,
) -> Result<Vec<MeasuredChoice<ResidualChoice>>> {
    let size = smallest(config, images);
    let choices: Vec<&ResidualChoice> = choices.iter().filter(|choice| choice.fits(size)).collect();
    let of_choices: Vec<Vec<(Residual, f64)>> =
        choices.iter().map(|choice| choice.channels(config)).collect::<Result<_>>()?;
    let channels = distinct(of_choices.iter().flatten());
    let all = reconstruct(&inspector(model, config)?, images, progress)?;
    let mut peaks = Vec::with_capacity(channels.len());
    for channels in channels.chunk_by(|(a, _), (b, _)| a == b) {
        let (residual, sigmas) = (channels[0].0, channels.iter().map(|(_, sigma)| *sigma));
        let maps = Maps::of(&all, residual)?;
        for sigma in sigmas {
            tell(progress, images.count() + peaks.len())?;
            peaks.push(maps.peaks(images, sigma)?);
        }
    }
    tell(progress, images.count() + peaks.len())?;
    let measure = |(choice, wanted): (&&ResidualChoice, &Vec<(Residual, f64)>)| {
        let of_choice = channels.iter().zip(&peaks).filter(|(channel, _)| wanted.contains(channel));
        let largest = of_choice.map(|(_, peaks)| peaks.clone()).reduce(|a, b| a.larger(&b));
        let largest = largest.context("expected a residual map and a Gaussian")?;
        Ok(MeasuredChoice {
            choice: (*choice).clone(),
            figures: largest.figures(images, false_alarms)?,
        })
    };
    choices.iter().zip(&of_choices).map(measure).collect()
}

/// The steps that [`measure_choices`] tells the progress of: images and pairs of a residual and a Gaussian.
///
/// # Errors
/// If a choice is out of range.
pub fn measuring_steps(
    config: &Config,
    images: &TuningImages,
    choices: &[ResidualChoice],
) -> Result<usize> {
    let size = smallest(config, images);
    let fitting = choices.iter().filter(|choice| choice.fits(size));
    let channels = fitting.map(|choice| choice.channels(config)).collect::<Result<Vec<_>>>()?;
    Ok(images.count() + distinct(channels.iter().flatten()).len())
}

/// The width and the height that all images have at least, as the network takes them.
fn smallest(config: &Config, images: &TuningImages) -> (usize, usize) {
    let all = images.good.iter().chain(images.test.iter().map(|test| &test.view));
    let sizes = all.map(|view| images.scaled(&view.image, config).size());
    sizes.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap_or((0, 0))
}

/// The channels in the order in which their residuals come first, each once.
fn distinct<'a>(all: impl Iterator<Item = &'a (Residual, f64)>) -> Vec<(Residual, f64)> {
    let (mut residuals, mut channels) = (Vec::new(), Vec::new());
    for channel in all {
        if !residuals.contains(&channel.0) {
            residuals.push(channel.0);
        }
        if !channels.contains(channel) {
            channels.push(*channel);
        }
    }
    channels.sort_by_key(|(residual, _)| residuals.iter().position(|other| other == residual));
    channels
}

/// An inspector that leaves all comparing to the choices, but for the samples of a variational autoencoder. Images are prepared already.
fn inspector(model: Autoencoder, config: &Config) -> Result<Inspector> {
    let mut config = config.clone();
    config.residual.measure =
        if config.method == Method::Vae { Measure::Method } else { Measure::L2 };
    config.residual.constants.truncate(1);
    config.inspection.scores = Scores::Relative;
    config.inspection.opening_diameter = 0;
    (config.data.margins, config.data.region) = (Margins::default(), None);
    Inspector::new(model, &config)
}

fn reconstruct(
    inspector: &Inspector,
    images: &TuningImages,
    progress: &mut Progress<'_>,
) -> Result<All> {
    let mut done = 0;
    let mut compare = |image: &Image, view: &TuningImage| {
        tell(progress, done)?;
        done += 1;
        let image = images.scaled(image, inspector.config());
        let region = view.region(image.size())?;
        let inspected = inspector.compare(&image)?.inspected;
        let is_sampled = matches!(inspector.residual(), Residual::Sampled(_));
        let sampled = is_sampled.then_some(inspected.residual);
        Ok::<_, Error>(Compared {
            image,
            region,
            reconstruction: inspected.reconstruction,
            sampled,
        })
    };
    let good = images.good.iter().map(|view| compare(&view.image, view)).collect::<Result<_>>()?;
    let drawn = images.drawn.iter().map(|drawn| compare(&drawn.image, &images.good[drawn.good]));
    let drawn = drawn.collect::<Result<_>>()?;
    let test = images.test.iter().map(|test| compare(&test.view.image, &test.view));
    Ok(All { good, drawn, test: test.collect::<Result<_>>()? })
}

/// The maps of one residual.
struct Maps<'a> {
    good: Vec<Map<'a>>,
    drawn: Vec<Map<'a>>,
    test: Vec<Map<'a>>,
}

/// A residual map, and the region of interest in it. What lies outside is filled with what lies inside.
struct Map<'a> {
    map: Image,
    region: Option<&'a RegionOfInterest>,
}

impl<'a> Maps<'a> {
    fn of(all: &'a All, residual: Residual) -> Result<Self> {
        let map = |compared: &'a Compared| {
            let Compared { image, region, reconstruction, sampled } = compared;
            let map = match (residual, sampled) {
                (Residual::Sampled(_), Some(map)) => map.clone(),
                _ => residual_map(image, reconstruction, &residual)?,
            };
            let region = region.as_ref();
            let filled = region.map(|region| region.fill(&map)).transpose()?;
            Ok(Map { map: filled.unwrap_or(map), region })
        };
        let maps = |images: &'a [Compared]| images.iter().map(map).collect::<Result<_>>();
        Ok(Self { good: maps(&all.good)?, drawn: maps(&all.drawn)?, test: maps(&all.test)? })
    }

    /// The largest scores of the maps under a Gaussian, in pixels of the images.
    fn peaks(&self, images: &TuningImages, sigma: f64) -> Result<Peaks> {
        let good = smoothed(&self.good, sigma)?;
        let within: Vec<_> = good.iter().map(|(maps, region)| (&maps[..], *region)).collect();
        // Each map is smoothed once: the reference leaves it as it is.
        let reference = Reference::within(&within, &[0.0])?;
        let scores = |(maps, region): &Smoothed<'_>, view: &TuningImage| {
            Ok::<_, Error>(view.scores(reference.anomaly_map_within(maps, *region)?))
        };
        let good = good.par_iter().zip(&images.good);
        let each = GOOD_SCORES / self.good.len();
        let good = good.map(|(maps, view)| {
            let map = scores(maps, view)?;
            let scored = map.data().iter().copied().filter(|&score| score > NOT_SCORED);
            Ok((tile_maxima(&map), spaced(scored, each)))
        });
        let (good, good_pixels): (_, Vec<_>) =
            good.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let drawn = smoothed(&self.drawn, sigma)?;
        let drawn = drawn.par_iter().zip(&images.drawn).map(|(maps, drawn)| {
            let map = scores(maps, &images.good[drawn.good])?;
            Ok(drawn.defects.iter().map(|defect| of_defect(&map, defect)).collect())
        });
        let drawn: Vec<Vec<(f32, Vec<f32>)>> = drawn.collect::<Result<_>>()?;
        let (drawn, drawn_pixels) = drawn.into_iter().flatten().unzip();
        let test = smoothed(&self.test, sigma)?;
        let test = test.par_iter().zip(&images.test).map(|(maps, test)| {
            let map = scores(maps, &test.view)?;
            Ok(map.data().iter().copied().fold(f32::MIN, f32::max))
        });
        let (test, good_pixels) = (test.collect::<Result<_>>()?, good_pixels.concat());
        Ok(Peaks { good, drawn, test, good_pixels, drawn_pixels })
    }
}

/// A map under a Gaussian, as a reference takes it.
type Smoothed<'a> = (Vec<Image>, Option<&'a RegionOfInterest>);

fn smoothed<'a>(maps: &[Map<'a>], sigma: f64) -> Result<Vec<Smoothed<'a>>> {
    maps.par_iter().map(|Map { map, region }| Ok((vec![smooth(map, sigma)?], *region))).collect()
}

/// The largest score of a defect's pixels, and the scores of some of them.
fn of_defect(map: &Image, defect: &DrawnDefect) -> (f32, Vec<f32>) {
    let scores = defect.pixels().map(|(x, y)| map.get(x, y));
    let scores: Vec<f32> = scores.filter(|&score| score > NOT_SCORED).collect();
    let largest = scores.iter().copied().fold(f32::MIN, f32::max);
    (largest, spaced(scores.iter().copied(), DEFECT_SCORES))
}

/// At most `count` values, at least 1, evenly spaced.
fn spaced(values: impl Iterator<Item = f32> + Clone, count: usize) -> Vec<f32> {
    let step = values.clone().count().div_ceil(count.max(1)).max(1);
    values.step_by(step).collect()
}
