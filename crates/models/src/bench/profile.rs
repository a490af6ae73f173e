//! The times of a network's layers.

use crate::Result;
use crate::architecture::Architecture;
use crate::autoencoder::half::{chains, layer_name};
use convolutions::Size;
use convolutions::profile::{product_rate, time_layers};
use serde::Serialize;

/// The times of a network's convolutions, each the shortest of several runs.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Multiply-adds per second of a matrix product that fits into the caches, by the kernel that all layers use.
    pub product_rate: f64,
    /// The layers, from the patch to its reconstruction.
    pub layers: Vec<LayerProfile>,
}

/// The times of a layer for a batch, without its bias and rectifier.
#[derive(Clone, Debug, Serialize)]
pub struct LayerProfile {
    /// The name of its weights, such as `encoder.2`.
    pub layer: String,
    /// Multiply-adds of each of the three passes, by the plain algorithm.
    pub multiply_adds: u64,
    /// Milliseconds of the forward pass.
    pub forward_ms: f64,
    /// Milliseconds of the gradient with respect to the input. Training does without that of the first layer.
    pub input_gradient_ms: f64,
    /// Milliseconds of the gradient with respect to the weights.
    pub weight_gradient_ms: f64,
}

/// Times the convolutions of all layers on a batch of patches on the CPU, `runs` times each.
///
/// # Errors
/// [`crate::Error::Setting`] for an invalid architecture.
pub fn profile(architecture: &Architecture, batch: usize, runs: usize) -> Result<Profile> {
    architecture.validate()?;
    let patches = Size { height: architecture.patch_size, width: architecture.patch_size };
    let codes = Size { height: 1, width: 1 };
    let ms = |time: std::time::Duration| 1e3 * time.as_secs_f64();
    let halves = chains(architecture).into_iter().zip([patches, codes]);
    let layers = halves.flat_map(|((half, chain), size)| {
        let times = time_layers(&chain, batch, size, runs).into_iter().enumerate();
        times.map(move |(i, times)| LayerProfile {
            layer: layer_name(half, i),
            multiply_adds: times.multiply_adds,
            forward_ms: ms(times.forward),
            input_gradient_ms: ms(times.input_gradient),
            weight_gradient_ms: ms(times.weight_gradient),
        })
    });
    Ok(Profile { product_rate: product_rate(runs), layers: layers.collect() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn layers_are_named_and_counted() {
        let architecture =
            Architecture { patch_size: 32, latent_dim: 20, ..Architecture::default() };
        let profile = profile(&architecture, 2, 1).unwrap();
        let last = profile.layers.last().unwrap();
        assert_eq!(profile.layers[1].layer, "encoder.2");
        assert_eq!(last.layer, format!("decoder.{}", profile.layers.len() - 2));
        // 2 patches, whose 32×32 pixels meet the 3×3 weights from 1 to 32 channels at both ends.
        assert_eq!(profile.layers[0].multiply_adds, 2 * 32 * 32 * 9 * 32);
        assert_eq!(last.multiply_adds, profile.layers[0].multiply_adds);
        assert!(profile.product_rate > 0.0 && last.weight_gradient_ms > 0.0);
    }
}
