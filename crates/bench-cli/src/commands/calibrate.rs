//! `bench-cli calibrate`

use super::Context;
use super::train::split_of_training;
use crate::args::CalibrateArgs;
use crate::config::{Config, RuleName, RuleThreshold, Settings};
use crate::data::{Dataset, fingerprint};
use crate::interrupt;
use crate::io::read_image;
use crate::model_folder::{Calibration, GoodImages, ModelFolder};
use crate::pipeline::Inspector;
use anyhow::{Context as _, Result};
use inspect::Image;
use std::path::PathBuf;

/// Chooses the threshold of a trained model anew.
///
/// # Errors
/// If the model or the images cannot be read.
pub fn calibrate(context: &Context, args: &CalibrateArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let _lock = folder.lock()?;
    let mut config = folder.config()?.with_settings_of(&["calibration"], &args.settings)?;
    if let Some(RuleName(rule)) = args.rule {
        config.calibration.threshold = rule;
    }
    let (images, source) = match &args.good {
        Some(good) => (Dataset::open(good, None)?.train, GoodImages::Given),
        None => of_training(&folder, &config)?,
    };
    let calibration = run(context, &folder, &config, &images, source)?;
    folder.write_config(&config)?;
    context.reporter.text(&text(&calibration))?;
    context.reporter.record(&calibration)
}

/// The good images of a training that are meant for the calibration.
fn of_training(folder: &ModelFolder, config: &Config) -> Result<(Vec<PathBuf>, GoodImages)> {
    match split_of_training(folder, config)? {
        Some((train, held_out)) if held_out.is_empty() => Ok((train, GoodImages::TrainedOn)),
        Some((_, held_out)) => Ok((held_out, GoodImages::HeldOut)),
        None => Ok((config.data.open()?.train, GoodImages::Unknown)),
    }
}

/// The threshold, and what other rules give.
fn text(calibration: &Calibration) -> String {
    let Calibration { threshold, rule, rules, images, .. } = calibration;
    let others = rules.iter().filter(|other| other.rule != *rule);
    let lines: String = others
        .map(|&RuleThreshold { rule, threshold }| {
            format!("\n{:<18} {threshold:.6}", RuleName(rule).to_string())
        })
        .collect();
    let rule = RuleName(*rule);
    format!("threshold {threshold:.6} by {rule} from {images} good images\nother rules give{lines}")
}

/// Inspects good images and derives the threshold from their scores.
///
/// # Errors
/// If an image cannot be read or inspected, or the rule does not give a threshold.
pub fn run(
    context: &Context,
    folder: &ModelFolder,
    config: &Config,
    images: &[PathBuf],
    source: GoodImages,
) -> Result<Calibration> {
    let inspector = Inspector::new(folder.model(config, &context.device)?, config)?;
    if matches!(source, GoodImages::TrainedOn | GoodImages::Unknown) {
        context.reporter.note(&format!(
            "calibrating on images that are {}: the threshold may be too low for new ones",
            source.describe()
        ));
    }
    let maps = anomaly_maps(context, folder, &inspector, images)?;
    let rules = RuleThreshold::all(&maps, config.calibration.threshold)?;
    let RuleThreshold { rule, threshold } = rules[0];
    let scores = maps.iter().flat_map(|map| map.data());
    let calibration = Calibration {
        threshold,
        rule,
        rules,
        good_max: scores.copied().fold(f32::MIN, f32::max),
        images: images.len(),
        source,
        data_sha256: fingerprint(images)?,
        weights_sha256: folder.weights_sha256()?,
        scoring: Settings::of_scoring(config)?,
    };
    folder.write_calibration(&calibration)?;
    Ok(calibration)
}

fn anomaly_maps(
    context: &Context,
    folder: &ModelFolder,
    inspector: &Inspector,
    images: &[PathBuf],
) -> Result<Vec<Image>> {
    let bar =
        context.reporter.bar(images.len() as u64, "calibrating {wide_bar} {pos}/{len} images");
    let mut maps = Vec::with_capacity(images.len());
    for path in images {
        interrupt::check(|| {
            let folder = folder.path().display();
            format!("interrupted while calibrating; `bench-cli calibrate {folder}` does it again")
        })?;
        let inspected = inspector
            .inspect(&read_image(path)?)
            .with_context(|| format!("cannot inspect {}", path.display()))?;
        maps.push(inspected.anomaly_map);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(maps)
}
