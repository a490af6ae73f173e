//! The threshold of a model, from the scores of good images.

use crate::Result;
use crate::config::Config;
use crate::data::{Dataset, Split, fingerprint};
use crate::error::Context;
use crate::images::read_image;
use crate::inspector::Inspector;
use crate::model_folder::ModelFolder;
use crate::progress::{Progress, tell};
use crate::records::{Calibration, CalibrationSource, RuleThreshold, Settings};
use inspect::{Image, ThresholdRule};
use std::path::{Path, PathBuf};

/// Rules that every calibration tries beside its own, for comparison.
const OTHERS: [ThresholdRule; 5] = [
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
}

impl CalibrationImages {
    /// The good images of a folder, or of a data set.
    ///
    /// # Errors
    /// See [`Dataset::open`].
    pub fn given(folder: &Path) -> Result<Self> {
        Ok(Self { images: Dataset::open(folder, None)?.train, source: CalibrationSource::Given })
    }

    /// The images that a training holds out, or, if it holds out none, those that it is on.
    pub fn of_split(split: Split) -> Self {
        match split.held_out.is_empty() {
            true => Self { images: split.train, source: CalibrationSource::TrainedOn },
            false => Self { images: split.held_out, source: CalibrationSource::HeldOut },
        }
    }

    /// The images of a model's training, as [`CalibrationImages::of_split`]; all good images of the data set if they are not those
    /// of the training any more.
    ///
    /// # Errors
    /// If the images cannot be read.
    pub fn of_training(folder: &ModelFolder, config: &Config) -> Result<Self> {
        match folder.split_of_training(config)? {
            Some(split) => Ok(Self::of_split(split)),
            None => {
                let (images, source) = (config.data.open()?.train, CalibrationSource::Unknown);
                Ok(Self { images, source })
            }
        }
    }
}

/// Inspects good images, derives the threshold from their scores by the rule of the configuration, and writes it to the model's
/// folder.
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
    let CalibrationImages { images, source } = good;
    let maps = anomaly_maps(inspector, images, progress)?;
    let rules = rule_thresholds(&maps, config.calibration.threshold)?;
    let RuleThreshold { rule, threshold } = rules[0];
    let scores = maps.iter().flat_map(|map| map.data());
    let calibration = Calibration {
        threshold,
        rule,
        rules,
        good_max: scores.copied().fold(f32::MIN, f32::max),
        images: images.len(),
        source: *source,
        data_sha256: fingerprint(images)?,
        weights_sha256: folder.weights_sha256()?,
        scoring: Settings::of_scoring(config)?,
    };
    folder.write_calibration(&calibration)?;
    Ok(calibration)
}

fn anomaly_maps(
    inspector: &Inspector,
    images: &[PathBuf],
    progress: &mut Progress<'_>,
) -> Result<Vec<Image>> {
    let mut maps = Vec::with_capacity(images.len());
    for path in images {
        tell(progress, maps.len())?;
        let inspected = inspector
            .inspect(&read_image(path)?)
            .with_context(|| format!("cannot inspect {}", path.display()))?;
        maps.push(inspected.anomaly_map);
    }
    tell(progress, maps.len())?;
    Ok(maps)
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
