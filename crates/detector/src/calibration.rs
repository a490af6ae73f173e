//! The threshold of a model, from the scores of good images.

use crate::config::{CalibrationConfig, Config, DataConfig, Scores};
use crate::data::{Split, fingerprint};
use crate::drawn_defects::{Calibrated, found_of_drawn};
use crate::error::Context;
use crate::files::shown;
use crate::inspector::{Compared, Inspector};
use crate::model_folder::ModelFolder;
use crate::progress::{Progress, tell};
use crate::records::{Calibration, CalibrationSource, GoodScore, RuleThreshold, Settings};
use crate::view::{Place, View};
use crate::{Error, Result};
use inspect::{Decision, Image, Reference, ThresholdRule, false_alarm_threshold};
use std::path::{Path, PathBuf};

/// Rules that every calibration tries beside its own, for comparison.
const OTHERS: [ThresholdRule; 6] = [
    ThresholdRule::FalseAlarms { images: 20.0 },
    ThresholdRule::Max {},
    ThresholdRule::Quantile { q: 0.999 },
    ThresholdRule::Quantile { q: 0.99 },
    ThresholdRule::MeanSigma { k: 3.0 },
    ThresholdRule::LargestRegion { max_area: 20 },
];

/// Good images that a threshold is derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalibrationImages {
    /// The files.
    pub images: Vec<PathBuf>,
    /// Whether the training has seen them.
    pub source: CalibrationSource,
    /// The arguments that they were given by, with absolute paths; empty if they are of the training.
    pub inputs: Vec<PathBuf>,
}

impl CalibrationImages {
    /// The good images of folders or data sets, and those that files, lists and patterns name: with the model's names of good folders and
    /// masks (`data.good`, `data.masks`), and of its choice (`data.only`).
    ///
    /// # Errors
    /// See [`DataConfig::open`].
    pub fn given(inputs: &[PathBuf], data: &DataConfig) -> Result<Self> {
        let images = data.clone().with_images(inputs).open()?.train;
        let inputs = inputs.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
        Ok(Self { images, source: CalibrationSource::Given, inputs })
    }

    /// The held-out images; if they are fewer than `min_images`, images of the training, evenly spaced, make up the number. All images of
    /// the training if none is held out.
    pub fn of_split(split: Split, min_images: usize) -> Self {
        let Split { train, held_out: mut images } = split;
        if images.is_empty() {
            return Self::of_data(train, CalibrationSource::TrainedOn);
        }
        let missing = min_images.saturating_sub(images.len()).min(train.len());
        let source = match missing {
            0 => CalibrationSource::HeldOut,
            _ => CalibrationSource::HeldOutAndTrainedOn,
        };
        images.extend((0..missing).map(|index| train[index * train.len() / missing].clone()));
        Self::of_data(images, source)
    }

    fn of_data(images: Vec<PathBuf>, source: CalibrationSource) -> Self {
        Self { images, source, inputs: Vec::new() }
    }

    /// The images of a model's training, as [`CalibrationImages::of_split`]; all good images of the data set if they are not those
    /// of the training any more.
    ///
    /// # Errors
    /// If the images cannot be read.
    pub fn of_training(folder: &ModelFolder, config: &Config) -> Result<Self> {
        match folder.split_of_training(config)? {
            Some(split) => Ok(Self::of_split(split, config.calibration.min_images)),
            None => Ok(Self::of_data(config.data.open()?.train, CalibrationSource::Unknown)),
        }
    }
}

/// Inspects good images, derives the threshold from their scores by the rule of the configuration, draws defects into some of them to
/// count those that it finds, and writes all that to the model's folder.
///
/// # Errors
/// If an image cannot be read or inspected, the rule does not give a threshold, the file cannot be written, or the caller cancels.
pub fn calibrate(
    folder: &ModelFolder,
    config: &Config,
    inspector: &Inspector,
    good: &CalibrationImages,
    progress: &mut Progress<'_>,
) -> Result<Calibration> {
    let CalibrationImages { images, source, inputs } = good;
    let rule = config.calibration.threshold;
    rule.validate().context("calibration.threshold")?;
    let GoodMaps { images, left_out, maps, places, reference } =
        anomaly_maps(inspector, images, rule, progress)?;
    let rules = rule_thresholds(&maps, rule)?;
    let RuleThreshold { threshold, .. } = rules[0];
    let min_area = rule.min_area().max(config.calibration.min_area);
    let (reference, decision) = (reference.as_ref(), Decision { threshold, min_area });
    let calibrated = Calibrated { inspector, reference, decision, images: &images, maps: &maps };
    let drawn = found_of_drawn(&calibrated, progress)?;
    let pixels = maps.iter().flat_map(|map| map.data());
    let calibration = Calibration {
        threshold,
        standard_error: standard_error(&maps, rule)?,
        min_area,
        rule,
        rules,
        good_max: pixels.copied().fold(f32::MIN, f32::max),
        scores: good_scores(&images, &maps, &places, decision),
        drawn,
        reference: reference.cloned(),
        images: images.len(),
        left_out: left_out.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        source: *source,
        good: inputs.iter().map(|input| input.to_string_lossy().into_owned()).collect(),
        data_sha256: fingerprint(&images)?,
        weights_sha256: folder.weights_sha256()?,
        scoring: Settings::of_scoring(config)?,
    };
    folder.write_calibration(&calibration)?;
    Ok(calibration)
}

/// The score of each image, and the place of the largest pixel of the region that has it.
fn good_scores(
    images: &[PathBuf],
    maps: &[Image],
    places: &[Place],
    decision: Decision,
) -> Vec<GoodScore> {
    let of = |((path, map), place): ((&PathBuf, &Image), &Place)| {
        let score = decision.score(map);
        let region = Decision { threshold: score, ..decision }.mask(map);
        let pixels = map.data().iter().zip(region.data()).enumerate();
        // Where no region is large enough, all pixels are as good.
        let highest = pixels.max_by(|(_, a), (_, b)| a.1.cmp(b.1).then(a.0.total_cmp(b.0)));
        let (x, y) = place.in_image(highest.map_or(0, |(index, _)| index));
        let (width, height) = place.image_size();
        let image = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        GoodScore { image, score, x, y, width, height }
    };
    images.iter().zip(maps).zip(places).map(of).collect()
}

/// Good images and their anomaly maps.
struct GoodMaps {
    images: Vec<PathBuf>,
    /// Those without a region of interest.
    left_out: Vec<PathBuf>,
    maps: Vec<Image>,
    places: Vec<Place>,
    /// Present if scores are relative to it.
    reference: Option<Reference>,
}

/// Good images and what they are compared by.
#[derive(Default)]
struct Residuals {
    images: Vec<PathBuf>,
    left_out: Vec<PathBuf>,
    /// The residual maps of each image if scores are relative, or else its anomaly map.
    maps: Vec<Vec<Image>>,
    places: Vec<Place>,
}

/// Inspects good images, but those without a region of interest.
fn residuals(
    inspector: &Inspector,
    images: &[PathBuf],
    progress: &mut Progress<'_>,
) -> Result<Residuals> {
    let is_relative = inspector.config().inspection.scores == Scores::Relative;
    let mut residuals = Residuals::default();
    for (index, path) in images.iter().enumerate() {
        tell(progress, index)?;
        let (place, compared) = match compare(inspector, path) {
            Err(error) if error.is_empty_region() => {
                residuals.left_out.push(path.clone());
                continue;
            }
            compared => compared.with_context(|| format!("cannot inspect {}", shown(path)))?,
        };
        residuals.images.push(path.clone());
        residuals.maps.push(match is_relative {
            true => compared.into_residuals(),
            false => vec![compared.inspected.anomaly_map],
        });
        residuals.places.push(place);
    }
    tell(progress, images.len())?;
    match residuals.left_out.first() {
        Some(path) if residuals.images.is_empty() => {
            let expected = "expected a good image with a region of interest, but neither this one has one, nor any other";
            Err(Error::file(path, expected))
        }
        _ => Ok(residuals),
    }
}

/// The anomaly maps of good images that have a region of interest.
fn anomaly_maps(
    inspector: &Inspector,
    images: &[PathBuf],
    rule: ThresholdRule,
    progress: &mut Progress<'_>,
) -> Result<GoodMaps> {
    let Residuals { images, left_out, maps: residuals, places } =
        residuals(inspector, images, progress)?;
    let (maps, reference) = if inspector.config().inspection.scores == Scores::Relative {
        let (maps, reference) = relative_maps(inspector, &residuals, &places, rule)?;
        (maps, Some(reference))
    } else {
        let maps = residuals.into_iter().flatten().zip(&places);
        (maps.map(|(map, place)| place.scores(map)).collect(), None)
    };
    Ok(GoodMaps { images, left_out, maps, places, reference })
}

/// The anomaly maps of images relative to all of them, and what they are relative to.
fn relative_maps(
    inspector: &Inspector,
    residuals: &[Vec<Image>],
    places: &[Place],
    rule: ThresholdRule,
) -> Result<(Vec<Image>, Reference)> {
    let pairs = || residuals.iter().zip(places);
    let within: Vec<_> = pairs().map(|(maps, place)| (&maps[..], place.region.as_ref())).collect();
    let reference = Reference::within(&within, &inspector.config().inspection.smoothing)?;
    let maps = |reference: &Reference| {
        let map = |(residuals, place): (&Vec<Image>, &Place)| {
            let map = inspector.relative(reference, residuals, place.region.as_ref())?;
            Ok(place.scores(map))
        };
        pairs().map(map).collect::<Result<Vec<_>>>()
    };
    let reference = rescaled(&reference, &maps(&reference)?, rule)?;
    // As every inspection computes them, so that the threshold holds to the last bit.
    Ok((maps(&reference)?, reference))
}

/// The maps of an image, and the place of its region of interest.
fn compare(inspector: &Inspector, path: &Path) -> Result<(Place, Compared)> {
    let View { image, place } = inspector.views().read(path)?;
    let compared = inspector.compare(&image)?;
    Ok((place, compared))
}

/// Scores that are 0 where a pixel is as most are, and 1 at the threshold of the rule. A threshold of one's own, or one that most
/// scores of good images reach, is measured in the unit of the default rule.
fn rescaled(reference: &Reference, maps: &[Image], rule: ThresholdRule) -> Result<Reference> {
    let zero = inspect::threshold(maps, &ThresholdRule::Quantile { q: 0.5 })?;
    let is_manual = matches!(rule, ThresholdRule::Manual { .. });
    let default = CalibrationConfig::default().threshold;
    let one = inspect::threshold(maps, if is_manual { &default } else { &rule })?;
    let one = if one > zero { one } else { inspect::threshold(maps, &default)? };
    // Maps without any contrast leave nothing to measure by.
    Ok(reference.rescaled(zero, if one > zero { one } else { zero + 1.0 }))
}

fn standard_error(maps: &[Image], rule: ThresholdRule) -> Result<Option<f64>> {
    match rule {
        ThresholdRule::FalseAlarms { images } => {
            Ok(false_alarm_threshold(maps, images)?.standard_error)
        }
        _ => Ok(None),
    }
}

/// The threshold of `rule`, and then those of others, all from the same score maps of good images. A rule that has no threshold
/// there, as for images smaller than its regions, is left out.
///
/// # Errors
/// If `rule` has none.
fn rule_thresholds(good: &[Image], rule: ThresholdRule) -> Result<Vec<RuleThreshold>> {
    let of = |rule| Ok(RuleThreshold { rule, threshold: inspect::threshold(good, &rule)? });
    let own: Result<RuleThreshold> = of(rule);
    let others = OTHERS.into_iter().filter(|&other| other != rule);
    let others = others.filter_map(|rule| of(rule).ok());
    Ok(std::iter::once(own?).chain(others).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;
    use crate::data::Margins;
    use crate::view::Views;

    #[test]
    fn the_largest_score_of_an_image_has_a_place() {
        let map = Image::new(4, 2, vec![0.9, 0.1, 0.6, 0.7, 0.1, 0.1, 0.1, 0.1]).unwrap();
        let margins = Margins { left: 5, top: 6, right: 1, bottom: 0 };
        let data = DataConfig { margins, ..DataConfig::default() };
        let image = Image::filled(10, 8, 0.5);
        let place = Views::of(&data).unwrap().view(&image, None).unwrap().place;
        let of = |min_area| {
            let decision = Decision { threshold: 0.5, min_area };
            let places = std::slice::from_ref(&place);
            good_scores(&["folder/a.png".into()], std::slice::from_ref(&map), places, decision)
        };
        let GoodScore { image, score, x, y, width, height } = &of(1)[0];
        assert_eq!((&**image, *score), ("a.png", 0.9));
        assert_eq!([*x, *y, *width, *height], [5, 6, 10, 8]);
        // The single pixel is no region of two.
        let GoodScore { score, x, y, .. } = of(2)[0];
        assert_eq!((score, x, y), (0.6, 8, 6));
    }

    #[test]
    fn all_rules_come_from_the_same_images() {
        let good = Image::from_fn(10, 10, |x, y| (10 * y + x) as f32);
        let rule = ThresholdRule::Quantile { q: 0.99 };
        let all = rule_thresholds(std::slice::from_ref(&good), rule).unwrap();
        assert_eq!(all[0], RuleThreshold { rule, threshold: 98_f32.next_up() });
        assert_eq!(all.len(), OTHERS.len(), "its own is not repeated");
        for RuleThreshold { rule, threshold } in &all {
            let good = std::slice::from_ref(&good);
            assert_eq!(*threshold, inspect::threshold(good, rule).unwrap());
        }
        // A region of more than 20 pixels does not fit.
        let small = Image::filled(4, 4, 0.0);
        let all = rule_thresholds(&[small], ThresholdRule::Max {}).unwrap();
        assert_eq!(all.len(), OTHERS.len() - 1);
    }
}
