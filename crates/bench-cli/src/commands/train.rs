//! `bench-cli train`

mod run;

use super::Context;
use crate::args::{CHECKPOINT_SECONDS, TrainArgs};
use crate::config::{Config, Method};
use crate::data::fingerprint;
use crate::interrupt;
use crate::model_folder::{GoodImages, ModelFolder, TrainingRecord};
use anyhow::{Context as _, Result, bail, ensure};
use indicatif::ProgressBar;
use models::{EpochReport, StepReport};
use run::Run;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// A training run, checked.
struct Plan {
    folder: ModelFolder,
    config: Config,
    /// Good images, split into those to train on and those held out.
    train: Vec<PathBuf>,
    held_out: Vec<PathBuf>,
    beginning: Beginning,
    checkpoint_interval: Duration,
}

/// What a training begins with.
#[derive(Clone, Copy, PartialEq)]
enum Beginning {
    /// A folder without a model.
    Fresh,
    /// Any folder; a model in it is replaced.
    Replacing,
    /// What an earlier part of the training has left.
    Resuming,
}

/// The last line of the output.
#[derive(Serialize)]
struct Summary {
    model: String,
    patches: u64,
    seconds: f64,
    loss: f64,
    collapsed: bool,
    threshold: f32,
}

/// Trains a model and calibrates it.
///
/// # Errors
/// If the arguments, the images or the folder do not allow it, or the loss diverges.
pub fn train(context: &Context, args: &TrainArgs) -> Result<()> {
    let plan = plan(args)?;
    let record = execute(context, &plan)?;
    let TrainingRecord { patches, seconds, loss, collapsed, .. } = record;
    let threshold = plan.folder.calibration()?.threshold;
    let model = plan.folder.path().display().to_string();
    context.reporter.text(&format!(
        "trained on {patches} patches in {seconds:.0} s, loss {loss:.4}, threshold {threshold:.4}: {model}"
    ))?;
    context.reporter.record(&Summary { model, patches, seconds, loss, collapsed, threshold })
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
    let (train, held_out) = split_images(config)?;
    let (folder, config) = (folder.clone(), config.clone());
    let beginning = match folder.config() {
        Ok(found) if found == config && folder.has_checkpoint() => Beginning::Resuming,
        _ => Beginning::Replacing,
    };
    let checkpoint_interval = Duration::from_secs(CHECKPOINT_SECONDS);
    execute(context, &Plan { folder, config, train, held_out, beginning, checkpoint_interval })
}

fn execute(context: &Context, plan: &Plan) -> Result<TrainingRecord> {
    let mut run = Run::start(context, plan)?;
    context.reporter.note(&format!("training on {}", run.device));
    advance(context, &mut run)?;
    let record = run.finish()?;
    let (images, source) = match plan.held_out.is_empty() {
        true => (&plan.train, GoodImages::TrainedOn),
        false => (&plan.held_out, GoodImages::HeldOut),
    };
    super::calibrate::run(context, &plan.folder, &plan.config, images, source).with_context(
        || {
            let folder = plan.folder.path().display();
            format!(
                "the model is trained; `bench-cli calibrate {folder}` makes up for its threshold"
            )
        },
    )?;
    Ok(record)
}

fn plan(args: &TrainArgs) -> Result<Plan> {
    let folder = ModelFolder::new(&args.out);
    let beginning = match (args.resume, args.overwrite) {
        (true, _) => Beginning::Resuming,
        (false, true) => Beginning::Replacing,
        (false, false) => Beginning::Fresh,
    };
    beginning.check(&folder)?;
    let mut config = match beginning {
        Beginning::Resuming => {
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
    config.validate()?;
    let (train, held_out) = split_images(&config)?;
    let checkpoint_interval = Duration::from_secs(args.checkpoint_every);
    Ok(Plan { folder, config, train, held_out, beginning, checkpoint_interval })
}

impl Beginning {
    /// # Errors
    /// If there is a model that was not to be replaced.
    fn check(self, folder: &ModelFolder) -> Result<()> {
        ensure!(
            self != Self::Fresh || !folder.is_occupied(),
            "{}: there is a model already; --resume goes on with it, --overwrite replaces it",
            folder.path().display()
        );
        Ok(())
    }
}

/// The good images of the data set, split into those to train on and those held out: evenly spaced ones, so that a slow
/// drift of the camera is in both.
pub fn split_images(config: &Config) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let images = config.data.open()?.train;
    let held_out = (images.len() as f64 * config.data.held_out) as usize;
    let is_held_out = |i: usize| (i + 1) * held_out / images.len() != i * held_out / images.len();
    let (held_out, train): (Vec<_>, Vec<_>) =
        images.iter().cloned().enumerate().partition(|&(i, _)| is_held_out(i));
    let paths = |images: Vec<(usize, PathBuf)>| images.into_iter().map(|(_, path)| path).collect();
    Ok((paths(train), paths(held_out)))
}

/// The good images that a model was trained on and those that were held out; `None` if the images are not those of the
/// training any more, so that nobody knows which they were.
pub fn split_of_training(
    folder: &ModelFolder,
    config: &Config,
) -> Result<Option<(Vec<PathBuf>, Vec<PathBuf>)>> {
    let (train, held_out) = split_images(config)?;
    let trained_on = folder.record().ok().map(|record| record.data_sha256);
    Ok((trained_on == Some(fingerprint(&train)?)).then_some((train, held_out)))
}

/// Trains to the end of the schedule.
fn advance(context: &Context, run: &mut Run<'_>) -> Result<()> {
    let (reporter, plan) = (context.reporter, run.plan);
    let bar = reporter.bar(
        plan.config.training.patches,
        "{elapsed_precise} {wide_bar} {pos}/{len} patches, {per_sec}, {eta} left, {msg}",
    );
    bar.set_position(run.patches());
    bar.reset_eta();
    let mut graph_failure = None;
    while !run.is_done() {
        let step = run.step()?;
        show(&bar, &step);
        graph_failure = graph_failure.or(step.graph_failure);
        if let Some(epoch) = step.epoch {
            let entry = run.log_epoch(&epoch);
            reporter.record(&entry)?;
            if epoch.collapsed() {
                bar.suspend(|| reporter.warn(&collapse_warning(&epoch)));
            }
        }
        if interrupt::came() || run.since_saved() >= plan.checkpoint_interval {
            run.save()?;
        }
        interrupt::check(|| {
            bar.abandon();
            let (patches, folder) = (run.patches(), plan.folder.path().display());
            format!(
                "interrupted after {patches} patches; `bench-cli train --out {folder} --resume` goes on"
            )
        })?;
    }
    bar.finish_and_clear();
    if let Some(error) = graph_failure {
        let slower = "steps were launched kernel by kernel, which is slower";
        reporter.warn(&format!("{slower}: no CUDA graph could be made of one: {error}"));
    }
    Ok(())
}

fn show(bar: &ProgressBar, step: &StepReport) {
    bar.set_position(step.patches);
    if let Some(loss) = step.loss {
        bar.set_message(format!("loss {loss:.4}"));
    }
}

fn collapse_warning(epoch: &EpochReport) -> String {
    format!(
        "epoch {}: the reconstructions are constant grey (contrast {:.4} of the images'). Training seldom recovers from \
         this: try another --seed, squared SSIM constants (--set ssim.constants=squared) or a smaller \
         optimiser.learning_rate",
        epoch.epoch, epoch.contrast
    )
}
