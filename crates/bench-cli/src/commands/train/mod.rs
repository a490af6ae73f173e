//! `bench-cli train`

mod watch;

use super::Context;
use super::calibrate::calibrate_on;
use super::predict::good_inputs;
use super::region::draw_region;
use crate::args::{CHECKPOINT_SECONDS, TrainArgs};
use crate::interrupt;
use crate::progress::Progress;
use anyhow::{Context as _, Result, bail};
use detector::files::{shown, shown_argument};
use detector::records::{
    Calibration, LogEntry, ReconstructionRecord, TrainingRecord, TrainingSummary,
};
use detector::{
    CalibrationImages, Config, DataConfig, LeftOut, Method, ModelFolder, Start, Training,
    TrainingPlan, TrainingStep,
};
use std::path::{Path, PathBuf};
use std::time::Duration;
use watch::Watch;

/// Images left out that are named one by one.
const MOST_NAMED: usize = 10;

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

/// Trains and calibrates the model of the demo. A training of the same configuration is taken over, one of other settings on the same data
/// is replaced.
///
/// # Errors
/// As [`train`], and if the folder holds a model of other data.
pub fn train_model(
    context: &Context,
    folder: &ModelFolder,
    config: &Config,
) -> Result<TrainingRecord> {
    let start = match folder.config() {
        Ok(found) if found == *config && folder.has_checkpoint() => Start::Resuming,
        Ok(found) if found.data.root != config.data.root => bail!(
            "{}: holds a model of other images; the demo needs another --out",
            shown(folder.path())
        ),
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
    tell_of_images(context, &plan);
    if plan.config.data.groups.is_some() && plan.split.held_out.is_empty() {
        context.terminal.warn("data.groups: the images are of too few groups to hold one out");
    }
    let mut training = Training::start(plan, &context.device)?;
    training.warnings().iter().for_each(|warning| context.terminal.warn(warning));
    let TrainingPlan { folder, config, split, .. } = training.plan();
    draw_region(context, folder, &config.data, &split.train)?;
    let (device, patches) = (training.device(), config.training.patches);
    context.terminal.note(&format!("training on {device}, {patches} patches"));
    let mut watch = Watch::of(&training, context.terminal)?;
    context.terminal.note(&format!("{} shows how it goes", watch.path()));
    let ended = to_the_end(context, &mut training, &mut watch, checkpoint_interval);
    watch.finish(&training, ended.as_ref().ok().map(|(_, calibration)| calibration))?;
    Ok(ended?.0)
}

/// Trains to the end of the schedule, and calibrates.
fn to_the_end(
    context: &Context,
    training: &mut Training,
    watch: &mut Watch,
    checkpoint_interval: Duration,
) -> Result<(TrainingRecord, Calibration)> {
    advance(context, training, watch, checkpoint_interval)?;
    let record = training.finish()?;
    if let Some(found) = record.reconstruction.filter(|found| !found.is_better_than_constant()) {
        context.terminal.warn(&useless_warning(&found));
    }
    let TrainingPlan { folder, config, split, .. } = training.plan();
    let good = CalibrationImages::of_split(split.clone(), config.calibration.min_images);
    let calibration = calibrate_on(context, folder, config, &good).with_context(|| {
        let folder = shown_argument(folder.path());
        format!("the model is trained; `bench-cli calibrate {folder}` makes up for its threshold")
    })?;
    Ok((record, calibration))
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
    let is_listed = args.data.iter().any(|input| input.as_os_str() == "-");
    if args.resume && is_listed {
        bail!(
            "--resume goes on with the images of the model's folder: expected no list on standard input"
        );
    }
    if let Some(method) = args.method {
        config = config.with_method(method);
    }
    config.training.patches = args.patches.unwrap_or(config.training.patches);
    config.training.seed = args.seed.unwrap_or(config.training.seed);
    name_data(&mut config.data, &args.data)?;
    if let Some(weights) = &args.features_weights {
        if config.method != Method::FeatureMatching {
            let method = config.method.key();
            bail!("--features-weights is for the method feature-matching, got {method}");
        }
        config.features.weights = Some(std::path::absolute(weights)?);
    }
    Ok(TrainingPlan { keeps_list: is_listed, ..TrainingPlan::new(folder, config, start)? })
}

/// Puts the data of the arguments into the configuration.
///
/// # Errors
/// If a list cannot be read, or a name has no absolute path.
pub fn name_data(data: &mut DataConfig, inputs: &[PathBuf]) -> Result<()> {
    match inputs {
        [] => {}
        [folder] if !is_input(folder) => {
            (data.root, data.images) = (Some(folder.clone()), Vec::new());
        }
        inputs => (data.root, data.images) = (None, good_inputs(inputs)?),
    }
    Ok(data.make_absolute()?)
}

/// Whether an argument names images rather than the folder of a data set.
fn is_input(argument: &Path) -> bool {
    let is_pattern = argument.to_string_lossy().contains(['*', '?', '[']);
    argument.as_os_str() == "-" || argument.is_file() || (is_pattern && !argument.exists())
}

/// Says what was found before the training begins.
pub fn tell_of_images(context: &Context, plan: &TrainingPlan) {
    let TrainingPlan { config, split, dataset, survey, .. } = plan;
    let terminal = context.terminal;
    let test = match dataset.test.len() {
        0 => String::new(),
        images => {
            let good = dataset.test.iter().filter(|sample| sample.is_good()).count();
            let unmasked = match dataset.unmasked().count() {
                0 => String::new(),
                unmasked => format!(", {unmasked} of them without a mask"),
            };
            format!("; to test on, {good} good and {} defective images{unmasked}", images - good)
        }
    };
    terminal.note(&format!(
        "{} ({}): {} good images to train on and {} held out, {}{test}",
        shown(&dataset.root),
        dataset.layout.key(),
        split.train.len(),
        split.held_out.len(),
        survey.describe_sizes()
    ));
    if let Some(region) = &config.data.region {
        terminal.note(&format!("region of interest: {}", region.describe()));
    }
    for LeftOut { image, reason } in survey.left_out.iter().take(MOST_NAMED) {
        terminal.warn(&format!("{}: left out: {reason}", shown(image)));
    }
    if let Some(others) = survey.left_out.len().checked_sub(MOST_NAMED + 1) {
        terminal.warn(&format!("{} other images are left out, too", others + 1));
    }
    survey.warnings.iter().for_each(|warning| terminal.warn(warning));
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
            let (patches, folder) =
                (training.patches(), shown_argument(training.plan().folder.path()));
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
