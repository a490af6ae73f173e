//! The threshold of a model, from the scores of good images.

mod drawn;
mod good;

use crate::Result;
use crate::config::{Config, DataConfig, Scores};
use crate::data::{Split, fingerprint};
use crate::error::Context;
use crate::inspector::Inspector;
use crate::model_folder::ModelFolder;
use crate::progress::Progress;
use crate::records::{Calibration, CalibrationSource, GoodScore, RuleThreshold, Settings};
use crate::spread::evenly;
use crate::view::Place;
use drawn::{DrawnImage, found, inspect_drawn};
pub(crate) use good::rescaled;
use good::{Good, inspect_good, relative_scores};
use inspect::{Decision, Image, Reference, ThresholdRule, false_alarm_threshold};
use std::path::PathBuf;

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
    /// The inputs that gave them, with absolute paths; none if they are of the training.
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
        images.extend(evenly(&train, missing).cloned());
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
    let mut good = inspect_good(inspector, images, progress)?;
    let mut drawn = inspect_drawn(inspector, &good.images, progress)?;
    let scored = scored(inspector, &mut good, &mut drawn, rule)?;
    let Scored { good: maps, drawn: drawn_maps, reference } = scored;
    let Good { images, left_out, places, .. } = good;
    let rules = rule_thresholds(&maps, rule)?;
    let RuleThreshold { threshold, .. } = rules[0];
    let min_area = rule.min_area().max(config.calibration.min_area);
    let decision = Decision { threshold, min_area };
    let pixels = maps.iter().flat_map(|map| map.data());
    let calibration = Calibration {
        threshold,
        standard_error: standard_error(&maps, rule)?,
        min_area,
        rule,
        rules,
        good_max: pixels.copied().fold(f32::MIN, f32::max),
        scores: good_scores(&images, &maps, &places, decision),
        drawn: found(&drawn, &drawn_maps, &maps, decision),
        reference,
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

/// The scores of good images and of those with drawn defects.
struct Scored {
    good: Vec<Image>,
    drawn: Vec<Image>,
    /// Present if they are relative to it.
    reference: Option<Reference>,
}

/// Scores all images. Maps that are scores themselves are gone then.
fn scored(
    inspector: &Inspector,
    good: &mut Good,
    drawn: &mut [DrawnImage],
    rule: ThresholdRule,
) -> Result<Scored> {
    let inspection = &inspector.config().inspection;
    if inspection.scores == Scores::Residual {
        let drawn = drawn.iter_mut().map(DrawnImage::take_scores).collect();
        return Ok(Scored { good: good.take_scores(), drawn, reference: None });
    }
    let reference = good.reference(&inspection.smoothing)?;
    let reference = rescaled(&reference, &good.relative_scores(inspector, &reference)?, rule)?;
    // As every inspection computes them, so that the threshold holds to the last bit.
    let good = good.relative_scores(inspector, &reference)?;
    let of = |image: &DrawnImage| relative_scores(inspector, &reference, &image.maps, &image.place);
    let drawn = drawn.iter().map(of).collect::<Result<_>>()?;
    Ok(Scored { good, drawn, reference: Some(reference) })
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
