//! Where the time of a training step goes.

use super::network::architecture;
use crate::args::NetworkArgs;
use crate::commands::Context;
use anyhow::Result;
use detector::records::{LayerTimes, LayersRecord};
use models::bench::{LayerProfile, profile};

/// Times the convolutions of each layer, and compares them with the floor of the plain algorithm: a matrix product of as
/// many multiplications.
///
/// # Errors
/// If the arguments are out of range.
pub fn layers(context: &Context, network: &NetworkArgs, runs: usize) -> Result<()> {
    let profile = profile(&architecture(network), network.batch, runs)?;
    let threads = rayon::current_num_threads();
    context.terminal.text(&format!(
        "{:<12} {:>10} {:>10} {:>14} {:>15}",
        "layer", "floor ms", "forward", "input gradient", "weight gradient"
    ))?;
    for layer in &profile.layers {
        context.terminal.text(&line(layer, profile.product_rate))?;
    }
    let &NetworkArgs { size: patch_size, batch, latent_dim } = network;
    context.terminal.record(&LayersRecord {
        case: "layers".to_owned(),
        threads,
        batch,
        patch_size,
        latent_dim,
        product_rate: profile.product_rate,
        layers: profile.layers.into_iter().map(times).collect(),
    })
}

fn times(layer: LayerProfile) -> LayerTimes {
    let LayerProfile { layer, multiply_adds, forward_ms, input_gradient_ms, weight_gradient_ms } =
        layer;
    LayerTimes { layer, multiply_adds, forward_ms, input_gradient_ms, weight_gradient_ms }
}

fn line(layer: &LayerProfile, product_rate: f64) -> String {
    let LayerProfile { layer, multiply_adds, forward_ms, input_gradient_ms, weight_gradient_ms } =
        layer;
    let floor = 1e3 * *multiply_adds as f64 / product_rate;
    format!(
        "{layer:<12} {floor:>10.2} {forward_ms:>10.2} {input_gradient_ms:>14.2} {weight_gradient_ms:>15.2}"
    )
}
