//! The inspection of a whole image.

use super::exchange::{Exchange, exchange, named};
use super::inputs::{tensor, texture};
use super::network::{untrained, weights};
use super::report::report;
use super::timing::time;
use super::work::arithmetic;
use crate::args::InspectArgs;
use crate::commands::Context;
use crate::commands::warn_of_smaller_batches;
use anyhow::Result;
use detector::records::InspectionWork;
use detector::{Config, Inspector, ModelConfig, Preset};
use inspect::{Residual, tile_positions};
use models::bench::{decoder_multiply_adds, encoder_multiply_adds};

/// Times inspections as `predict` does them, between the decoded image and its maps.
///
/// # Errors
/// If the arguments are out of range or the image is smaller than a patch.
pub fn inspect(context: &Context, args: &InspectArgs) -> Result<()> {
    let config = config(args);
    let network = untrained(&config.architecture(), args.run.seed, &context.device)?;
    let weights = weights(&network, &context.device)?;
    let inspector = Inspector::new(network, &config)?.on_smaller_batches(warn_of_smaller_batches);
    let image = texture(args.size, args.run.seed, 0);
    let timing = time(&args.run, || Ok(inspector.inspect(&image)?))?;
    let work = work(args, &config, inspector.residual(), timing.median_ms)?;
    let size = format!("{} pixels, {} patches", args.size, work.patches);
    report(context, "inspect", &size, timing, work)?;
    exchange(&args.run, || {
        let inspected = inspector.inspect(&image)?;
        let mut inputs = weights;
        inputs.extend(named([("image", tensor(&image)?)]));
        let outputs = named([
            ("reconstruction", tensor(&inspected.reconstruction)?),
            ("residual", tensor(&inspected.residual)?),
            ("anomaly_map", tensor(&inspected.anomaly_map)?),
        ]);
        Ok(Exchange { inputs, outputs })
    })
}

/// The size of an inspection by this residual, and its arithmetic in the median time.
fn work(
    args: &InspectArgs,
    config: &Config,
    residual: Residual,
    median_ms: f64,
) -> Result<InspectionWork> {
    let positions = |length| tile_positions(length, args.patch_size, args.stride);
    let patches = positions(args.size.width)?.len() * positions(args.size.height)?.len();
    let architecture = config.architecture();
    let decodes = match residual {
        Residual::Sampled(sampled) => sampled.samples,
        _ => 1,
    };
    let patch_multiply_adds = encoder_multiply_adds(&architecture)
        + decodes as u64 * decoder_multiply_adds(&architecture);
    Ok(InspectionWork {
        method: config.method,
        window: args.loss.window.window.to_string(),
        width: args.size.width,
        height: args.size.height,
        patches,
        patch_size: args.patch_size,
        stride: args.stride,
        batch: args.batch,
        latent_dim: args.latent_dim,
        opening_diameter: config.inspection.opening_diameter,
        arithmetic: arithmetic(patch_multiply_adds * patches as u64, median_ms),
    })
}

fn config(args: &InspectArgs) -> Config {
    let model = ModelConfig { patch_size: args.patch_size, latent_dim: args.latent_dim };
    let mut config =
        Config { method: args.loss.method, model, ..Config::default() }.with_preset(Preset::Paper);
    config.ssim.window = args.loss.window.window;
    config.inspection.stride = Some(args.stride);
    config.inspection.batch_size = args.batch;
    config
}
