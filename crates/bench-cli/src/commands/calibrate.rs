//! `bench-cli calibrate`

use super::Context;
use super::train::split_images;
use crate::args::CalibrateArgs;
use crate::config::{Config, RuleName, RuleThreshold, Scoring};
use crate::data::{Dataset, fingerprint};
use crate::interrupt;
use crate::io::read_image;
use crate::model_folder::{Calibration, ModelFolder};
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
    let (images, held_out) = match &args.good {
        Some(good) => (Dataset::open(good, None)?.train, false),
        None => {
            let (train, held_out) = split_images(&config)?;
            if held_out.is_empty() { (train, false) } else { (held_out, true) }
        }
    };
    let calibration = run(context, &folder, &config, &images, held_out)?;
    folder.write_config(&config)?;
    context.reporter.text(&text(&calibration))?;
    context.reporter.record(&calibration)
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
    held_out: bool,
) -> Result<Calibration> {
    let inspector = Inspector::new(folder.model(config, &context.device)?, config)?;
    if !held_out {
        context.reporter.note(
            "calibrating on images that may have been trained on: the threshold may be too low for new ones",
        );
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
        held_out,
        data_sha256: fingerprint(images)?,
        weights_sha256: folder.weights_sha256()?,
        scoring: Scoring::of(config),
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
