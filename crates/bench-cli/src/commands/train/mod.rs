//! `bench-cli train`

mod watch;

use super::Context;
use super::calibrate::calibrate_on;
use crate::args::{CHECKPOINT_SECONDS, TrainArgs};
use crate::interrupt;
use crate::progress::Progress;
use anyhow::{Context as _, Result, bail};
use detector::files::shown;
use detector::records::{LogEntry, ReconstructionRecord, TrainingRecord, TrainingSummary};
use detector::{
    CalibrationImages, Config, Method, ModelFolder, Start, Training, TrainingPlan, TrainingStep,
};
use std::time::Duration;
use watch::Watch;

/// Trains a model and calibrates it.
///
/// # Errors
/// If the arguments, the images or the folder do not allow it, or the loss diverges.
pub fn train(context: &Context, args: &TrainArgs) -> Result<()> {
    let plan = plan(args)?;
    let folder = plan.folder.clone();
    let record = execute(context, plan, Duration::from_secs(args.checkpoint_every))?;
    let TrainingRecord { patches, seconds, loss, collapsed, .. } = record;
    let threshold = folder.calibration()?.threshold;
    let model = folder.path().to_string_lossy().into_owned();
    context.terminal.text(&format!(
        "trained on {patches} patches in {seconds:.0} s, loss {loss:.4}, threshold {threshold:.4}: {}",
        shown(folder.path())
    ))?;
    let summary = TrainingSummary { model, patches, seconds, loss, collapsed, threshold };
    context.terminal.record(&summary)
}

/// Trains and calibrates the model of a configuration; a finished training of the same configuration is taken over.
///
/// # Errors
/// See [`train`].
pub fn train_model(
    context: &Context,
    folder: &ModelFolder,
    config: &Config,
) -> Result<TrainingRecord> {
    let start = match folder.config() {
        Ok(found) if found == *config && folder.has_checkpoint() => Start::Resuming,
        _ => Start::Replacing,
    };
    let plan = TrainingPlan::new(folder.clone(), config.clone(), start)?;
    execute(context, plan, Duration::from_secs(CHECKPOINT_SECONDS))
}

fn execute(
    context: &Context,
    plan: TrainingPlan,
    checkpoint_interval: Duration,
) -> Result<TrainingRecord> {
    if let (None, Some(item)) = (&plan.config.data.groups, plan.split.suggested_group()) {
        context.terminal.warn(&format!(
            "the names of the good images suggest that some are of one item ({item}), of which both parts, training and calibration, get \
             images: the threshold may be too low for new items; data.groups names what belongs together"
        ));
    }
    let mut training = Training::start(plan, &context.device)?;
    context.terminal.note(&format!("training on {}", training.device()));
    let mut watch = Watch::of(&training, context.terminal)?;
    context.terminal.note(&format!("{} shows how it goes", watch.path()));
    advance(context, &mut training, &mut watch, checkpoint_interval)?;
    let record = training.finish()?;
    if let Some(found) = record.reconstruction.filter(|found| !found.is_better_than_constant()) {
        context.terminal.warn(&useless_warning(&found));
    }
    let TrainingPlan { folder, config, split, .. } = training.plan();
    let good = CalibrationImages::of_split(split.clone(), config.calibration.min_images);
    let calibration = calibrate_on(context, folder, config, &good).with_context(|| {
        let folder = shown(folder.path());
        format!("the model is trained; `bench-cli calibrate {folder}` makes up for its threshold")
    })?;
    watch.finish(&training, &calibration)?;
    Ok(record)
}

fn plan(args: &TrainArgs) -> Result<TrainingPlan> {
    let folder = ModelFolder::new(&args.out);
    let start = match (args.resume, args.overwrite) {
        (true, _) => Start::Resuming,
        (false, true) => Start::Replacing,
        (false, false) => Start::Fresh,
    };
    start.check(&folder)?;
    let mut config = match start {
        Start::Resuming => {
            folder.config().context("--resume needs the folder of an interrupted training")?
        }
        _ => Config::load(args.config.config.as_deref(), &args.config.settings)?,
    };
    if args.resume && !args.config.settings.is_empty() {
        bail!("--set cannot change a training that is resumed");
    }
    config.method = args.method.unwrap_or(config.method);
    config.training.patches = args.patches.unwrap_or(config.training.patches);
    config.training.seed = args.seed.unwrap_or(config.training.seed);
    if let Some(data) = &args.data {
        // Absolute, so that the model can be used from other folders.
        config.data.root = Some(std::path::absolute(data)?);
    }
    if let Some(weights) = &args.features_weights {
        if config.method != Method::FeatureMatching {
            let method = config.method.key();
            bail!("--features-weights is for the method feature-matching, got {method}");
        }
        config.features.weights = Some(std::path::absolute(weights)?);
    }
    Ok(TrainingPlan::new(folder, config, start)?)
}

/// Trains to the end of the schedule.
fn advance(
    context: &Context,
    training: &mut Training,
    watch: &mut Watch,
    interval: Duration,
) -> Result<()> {
    let terminal = context.terminal;
    let range = (training.patches(), training.plan().config.training.patches);
    let template = "{elapsed_precise} {wide_bar} {pos}/{len} patches, {rate}, {eta} left, {msg}";
    let bar = Progress::new(terminal, ["training", "patches"], range, template);
    let mut graph_failure = None;
    while !training.is_done() {
        let step = training.step()?;
        show(&bar, &step);
        watch.step(training, &step)?;
        graph_failure = graph_failure.or(step.graph_failure);
        if let Some(epoch) = step.epoch {
            terminal.record(&epoch)?;
            if epoch.collapsed() {
                bar.suspend(|| terminal.warn(&collapse_warning(&epoch)));
            }
        }
        if interrupt::came() || training.since_saved() >= interval {
            training.save()?;
        }
        interrupt::check(|| {
            bar.abandon();
            let (patches, folder) = (training.patches(), shown(training.plan().folder.path()));
            format!(
                "interrupted after {patches} patches; `bench-cli train --out {folder} --resume` goes on"
            )
        })?;
    }
    bar.finish();
    if let Some(error) = graph_failure {
        let slower = "steps were launched kernel by kernel, which is slower";
        terminal.warn(&format!("{slower}: no CUDA graph could be made of one: {error}"));
    }
    Ok(())
}

fn show(bar: &Progress, step: &TrainingStep) {
    bar.set_position(step.patches);
    if let Some(loss) = step.loss {
        bar.set_message(format!("loss {loss:.4}"));
    }
}

fn useless_warning(found: &ReconstructionRecord) -> String {
    let ReconstructionRecord { loss, constant_loss, images } = found;
    format!(
        "the model reconstructs good images no better than a constant grey does (loss {loss:.4}, of the constant {constant_loss:.4}, on \
         {images} images): it is of no use yet. Train it longer (--resume --patches); if its loss does not fall, train anew with a \
         smaller optimiser.learning_rate or another --seed (--overwrite)"
    )
}

fn collapse_warning(epoch: &LogEntry) -> String {
    format!(
        "epoch {}: the reconstructions are constant grey (contrast {:.4} of the images'). Training seldom recovers from \
         this: try another --seed, squared SSIM constants (--set ssim.constants=squared) or a smaller \
         optimiser.learning_rate",
        epoch.epoch, epoch.contrast
    )
}
