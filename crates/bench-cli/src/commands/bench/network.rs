//! The network: training steps and reconstructions.

use super::exchange::{Exchange, exchange, named};
use super::inputs::texture;
use super::matched::Matched;
use super::report::report;
use super::timing::{of_each, time};
use super::work::arithmetic;
use crate::args::{LossArgs, NetworkArgs, RunArgs, Size};
use crate::commands::Context;
use anyhow::{Context as _, Result};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{VarBuilder, VarMap};
use detector::records::{ForwardWork, TrainingWork};
use detector::{Config, Method, ModelConfig};
use models::bench::{features_multiply_adds, forward_multiply_adds, training_multiply_adds};
use models::{
    Architecture, Autoencoder, Extractor, FeatureMatching, Initialisation, Objective, Precision,
    Schedule, Trainer, TrainingConfig, TrainingImage, initialise,
};

/// Training steps that another program can follow.
const EXCHANGED_STEPS: usize = 3;

/// Steps that a GPU is given at a time, as in a training, where it is waited for still less often.
const STEPS_AT_ONCE: usize = 50;

/// Times training steps.
///
/// # Errors
/// If the arguments are out of range.
pub fn train_step(
    context: &Context,
    network: &NetworkArgs,
    loss: &LossArgs,
    precision: Precision,
    run: &RunArgs,
) -> Result<()> {
    let mut config = training_config(network, loss, run.seed)?;
    config.training.precision = precision;
    let matched = Matched::new(loss, run.seed, &context.device)?;
    let config = training_objective(&config, matched.as_ref(), &context.device)?;
    let images = training_images(network, run.seed);
    let mut trainer = Trainer::new(config.clone(), images.clone(), &context.device)?;
    let steps = if context.device.is_cuda() { STEPS_AT_ONCE } else { 1 };
    let timing = time(run, || {
        for _ in 0..steps {
            trainer.step()?;
        }
        Ok(context.device.synchronize()?)
    })?;
    let timing = of_each(timing, steps);
    let extractor = matched.as_ref().map(|matched| matched.features.extractor());
    let work = training_work(network, loss, &config, extractor, timing.median_ms);
    report(context, "train-step", &describe(network), timing, work)?;
    exchange(run, || training_exchange(config, matched, images, &context.device))
}

/// The size of a training step, and its arithmetic in the median time.
fn training_work(
    network: &NetworkArgs,
    loss: &LossArgs,
    config: &TrainingConfig,
    extractor: Option<Extractor>,
    median_ms: f64,
) -> TrainingWork {
    let &NetworkArgs { size: patch_size, batch, latent_dim } = network;
    // Of the originals forwards, of the reconstructions forwards and backwards to them.
    let features =
        extractor.map_or(0, |extractor| 3 * features_multiply_adds(extractor, patch_size));
    let patch_multiply_adds = training_multiply_adds(&config.architecture) + features;
    TrainingWork {
        method: loss.method,
        extractor: extractor.map(|extractor| extractor.to_string()),
        window: loss.window.window.to_string(),
        batch,
        patch_size,
        latent_dim,
        precision: config.schedule.precision.to_string(),
        arithmetic: arithmetic(patch_multiply_adds * batch as u64, median_ms),
    }
}

/// Times forward passes.
///
/// # Errors
/// If the arguments are out of range.
pub fn forward(context: &Context, network: &NetworkArgs, run: &RunArgs) -> Result<()> {
    let model = untrained(&architecture(network), run.seed, &context.device)?;
    let patches = batch(&training_images(network, run.seed), &context.device)?;
    let timing = time(run, || {
        let reconstructions = model.reconstruct_detached(&patches)?;
        context.device.synchronize()?;
        Ok(reconstructions)
    })?;
    let &NetworkArgs { size: patch_size, batch, latent_dim } = network;
    let multiply_adds = forward_multiply_adds(&architecture(network)) * batch as u64;
    let arithmetic = arithmetic(multiply_adds, timing.median_ms);
    let work = ForwardWork { batch, patch_size, latent_dim, arithmetic };
    report(context, "forward", &describe(network), timing, work)?;
    exchange(run, || {
        let reconstructions = model.reconstruct_detached(&patches)?;
        let mut inputs = weights(&model, &context.device)?;
        inputs.push(("patches".to_owned(), patches));
        Ok(Exchange { inputs, outputs: named([("reconstructions", reconstructions)]) })
    })
}

/// A network with the random weights that training starts from.
pub fn untrained(architecture: &Architecture, seed: u64, device: &Device) -> Result<Autoencoder> {
    let weights = VarMap::new();
    initialise(&weights, architecture, Initialisation::He, seed, device)?;
    let vb = VarBuilder::from_varmap(&weights, DType::F32, device);
    Ok(Autoencoder::new(architecture, vb)?.detached()?)
}

/// The weights by PyTorch's names.
pub fn weights(model: &Autoencoder, device: &Device) -> Result<Vec<(String, Tensor)>> {
    let tensors = candle_core::safetensors::load_buffer(&model.to_safetensors()?, device)?;
    Ok(tensors.into_iter().collect())
}

pub fn architecture(network: &NetworkArgs) -> Architecture {
    Config { model: model(network), ..Config::default() }.architecture()
}

fn model(network: &NetworkArgs) -> ModelConfig {
    ModelConfig { patch_size: network.size, latent_dim: network.latent_dim }
}

fn describe(network: &NetworkArgs) -> String {
    let NetworkArgs { size, batch, latent_dim } = network;
    format!("{batch} patches of {size}x{size}, latent dimension {latent_dim}")
}

fn training_config(network: &NetworkArgs, loss: &LossArgs, seed: u64) -> Result<Config> {
    let mut config = Config { method: loss.method, model: model(network), ..Config::default() };
    config.ssim.window = loss.window.window;
    config.training = Schedule {
        batch_size: network.batch,
        // No epoch cuts a batch short, and the run is longer than any measurement.
        patches_per_epoch: 1000 * network.batch as u64,
        patches: 1 << 40,
        seed,
        ..Schedule::default()
    };
    config.validate()?;
    Ok(config)
}

fn training_objective(
    config: &Config,
    matched: Option<&Matched>,
    device: &Device,
) -> Result<TrainingConfig> {
    let Some(Matched { features, .. }) = matched else { return Ok(config.training(device)?) };
    // All but the weights, for which no file is needed here.
    let plain = Config { method: Method::L2, ..config.clone() };
    let matching = FeatureMatching { features: features.clone(), weight: config.features.lambda };
    let objective = Objective::FeatureMatching(matching);
    Ok(TrainingConfig { objective, ..plain.training(device)? })
}

/// As many images as patches in a batch. They are of a patch's size, so that crops are whole images.
fn training_images(network: &NetworkArgs, seed: u64) -> Vec<TrainingImage> {
    let size = Size { width: network.size, height: network.size };
    let image = |number| {
        let pixels = texture(size, seed, number).into_data();
        TrainingImage { width: size.width, height: size.height, pixels, places: None }
    };
    (0..network.batch as u64).map(image).collect()
}

/// The images as patches `(N, 1, size, size)`.
fn batch(images: &[TrainingImage], device: &Device) -> Result<Tensor> {
    let shape = (images.len(), 1, images[0].height, images[0].width);
    let pixels: Vec<f32> = images.iter().flat_map(|image| image.pixels.iter().copied()).collect();
    Ok(Tensor::from_vec(pixels, shape, device)?)
}

/// Initial weights, reconstructions by them, and the batches of the first steps with their latent noise, if any, and their
/// losses.
fn training_exchange(
    config: TrainingConfig,
    matched: Option<Matched>,
    images: Vec<TrainingImage>,
    device: &Device,
) -> Result<Exchange> {
    let patches = batch(&images, device)?;
    let mut trainer = Trainer::new(config, images, device)?;
    let mut inputs = weights(trainer.model(), device)?;
    let reconstructions = trainer.model().forward(&patches)?.detach();
    trainer.read_losses_every(1);
    let (mut batches, mut noise, mut losses) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..EXCHANGED_STEPS {
        batches.push(trainer.next_patches()?);
        noise.extend(trainer.next_noise()?);
        losses.push(trainer.step()?.loss.context("a step has a loss")?);
    }
    let (batches, losses) = (Tensor::cat(&batches, 0)?, Tensor::new(losses, device)?);
    let mut outputs = named([("losses", losses), ("reconstructions", reconstructions)]);
    if let Some(Matched { features, tensors }) = matched {
        outputs.extend(named([("features", features.extract_detached(&patches)?)]));
        inputs.extend(tensors);
    }
    inputs.extend(named([("patches", patches), ("batches", batches)]));
    if !noise.is_empty() {
        inputs.extend(named([("noise", Tensor::cat(&noise, 0)?)]));
    }
    Ok(Exchange { inputs, outputs })
}
