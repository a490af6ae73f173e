//! `bench-cli calibrate`

use super::Context;
use super::predict::good_inputs;
use super::region::draw_region;
use crate::args::CalibrateArgs;
use crate::interrupt;
use crate::page::RECALIBRATED;
use crate::progress::Progress;
use anyhow::{Context as _, Result};
use detector::files::{shown, shown_argument};
use detector::records::{Calibration, CalibrationSource, DrawnDefects, RuleThreshold};
use detector::{CalibrationImages, Config, ModelFolder, RuleName, Survey, find_region};
use inspect::ThresholdRule;
use std::path::Path;

/// Chooses the threshold of a trained model anew.
///
/// # Errors
/// If the model or the images cannot be read.
pub fn calibrate(context: &Context, args: &CalibrateArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let _lock = folder.lock()?;
    let mut config = folder.config()?;
    let region = config.data.region.clone();
    config = config.with_settings_of(&RECALIBRATED, &args.settings)?;
    config.data.make_absolute()?;
    if let Some(RuleName(rule)) = args.rule {
        config.calibration.threshold = rule;
    }
    let good = match &args.good[..] {
        [] => {
            let was_given = |old: Calibration| old.source == CalibrationSource::Given;
            if folder.calibration().is_ok_and(was_given) {
                context.terminal.note(
                    "calibrating on images of the training again; the last calibration was on images that --good named",
                );
            }
            CalibrationImages::of_training(&folder, &config)
                .context("the images of the training; --good names other good images")?
        }
        inputs => {
            let good = CalibrationImages::given(&good_inputs(inputs)?, &config.data)?;
            let (_, survey) = Survey::of(good.images.clone(), None);
            survey.warnings.iter().for_each(|warning| context.terminal.warn(warning));
            good
        }
    };
    if let Some(warning) = find_region(&mut config.data, &good.images)? {
        context.terminal.warn(&warning);
    }
    folder.keep_region(&mut config.data)?;
    let calibration = calibrate_on(context, &folder, &config, &good)?;
    folder.write_config(&config)?;
    if config.data.region != region {
        draw_region(context, &folder, &config.data, &good.images)?;
    }
    context.terminal.text(&text(&calibration))?;
    context.terminal.record(&calibration)
}

/// The threshold and how sure it is, and the thresholds of other rules.
fn text(calibration: &Calibration) -> String {
    let Calibration { threshold, standard_error, rule, rules, images, .. } = calibration;
    let others = rules.iter().filter(|other| other.rule != *rule);
    let lines: String = others
        .map(|&RuleThreshold { rule, threshold }| {
            format!("\n{:<18} {threshold:.6}", RuleName(rule).to_string())
        })
        .collect();
    let rule = RuleName(*rule);
    let error = standard_error.map_or_else(String::new, |e| format!(", standard error {e:.3}"));
    let unit = match (rule.0, &calibration.reference) {
        (ThresholdRule::Manual { .. }, Some(_)) => {
            "\nscores are in units of the threshold of false_alarms:20"
        }
        _ => "",
    };
    let drawn =
        calibration.drawn.as_ref().map_or_else(String::new, |drawn| format!("\n{}", found(drawn)));
    format!(
        "threshold {threshold:.6} by {rule} from {images} good images{error}{unit}{drawn}\nother rules give{lines}"
    )
}

/// How many defects are found that were drawn into good images.
pub fn found(drawn: &DrawnDefects) -> String {
    let (found, all) = drawn.found();
    let DrawnDefects { images, au_roc, .. } = drawn;
    let by_kind: Vec<String> = drawn
        .kinds
        .iter()
        .map(|of_kind| format!("{} {}/{}", of_kind.kind, of_kind.found, of_kind.drawn))
        .collect();
    format!(
        "finds {found} of {all} clear defects drawn into {images} of them (area under the ROC curve of their pixels {au_roc:.3}): {}",
        by_kind.join(", ")
    )
}

/// Calibrates a model on good images, with a progress bar.
///
/// # Errors
/// If an image cannot be read or inspected, the rule does not give a threshold, or a signal came.
pub fn calibrate_on(
    context: &Context,
    folder: &ModelFolder,
    config: &Config,
    good: &CalibrationImages,
) -> Result<Calibration> {
    let inspector = context.inspector(folder, config)?;
    if matches!(good.source, CalibrationSource::TrainedOn | CalibrationSource::Unknown) {
        context.terminal.note(&format!(
            "calibrating on images that are {}: the threshold may be too low for new ones",
            good.source.describe()
        ));
    }
    let images = good.images.len() as u64;
    let template = "calibrating {wide_bar} {pos}/{len} images, {eta} left";
    let bar = Progress::new(context.terminal, ["calibrating", "images"], (0, images), template);
    let mut progress = interrupt::progress(&bar);
    let calibration = detector::calibrate(folder, config, &inspector, good, &mut progress);
    bar.finish();
    let calibration = calibration.map_err(|error| {
        interrupt::explain(error, || {
            let folder = shown_argument(folder.path());
            format!("interrupted while calibrating; `bench-cli calibrate {folder}`, with the options that were given, does it again")
        })
    })?;
    for doubt in calibration.doubt().into_iter().chain(calibration.uncertainty()) {
        context.terminal.warn(&doubt);
    }
    for image in &calibration.left_out {
        let image = shown(Path::new(image));
        context.terminal.warn(&format!("{image}: left out: it has no region of interest"));
    }
    Ok(calibration)
}
