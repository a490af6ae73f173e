//! Where the time of a training step goes.

use crate::{Architecture, Autoencoder};
use convolutions::Size;
use convolutions::profile::{product_rate, time_layers};
use serde::Serialize;

/// How long the convolutions of a network take, each the shortest of several runs.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Multiply-adds per second of a matrix product that fits into the caches, by the kernel that all layers use.
    pub product_rate: f64,
    /// From the patch to its reconstruction.
    pub layers: Vec<LayerProfile>,
}

/// How long a layer takes for a batch, without its bias and rectifier.
#[derive(Clone, Debug, Serialize)]
pub struct LayerProfile {
    /// As its weights are called, such as `encoder.2`.
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

impl Autoencoder {
    /// Times the convolutions of all layers on a batch of patches on the CPU, wherever the weights lie, `runs` times each.
    ///
    /// ```
    /// use candle_core::Device;
    /// use models::{Architecture, Autoencoder};
    /// # use rand::SeedableRng;
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
    /// # let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    /// let profile = Autoencoder::new(architecture, &mut rng, &Device::Cpu)?.profile(2, 1);
    /// let first = &profile.layers[0];
    /// assert_eq!((first.layer.as_str(), first.multiply_adds), ("encoder.0", 2 * 32 * 32 * 32 * 9));
    /// assert!(first.forward_ms > 0.0 && profile.product_rate > 0.0);
    /// # Ok::<(), models::Error>(())
    /// ```
    pub fn profile(&self, batch: usize, runs: usize) -> Profile {
        let Architecture { patch_size, .. } = self.architecture();
        let patches = Size { height: patch_size, width: patch_size };
        let codes = Size { height: 1, width: 1 };
        let ms = |time: std::time::Duration| 1e3 * time.as_secs_f64();
        let stacks = self.stacks().into_iter().zip([patches, codes]);
        let layers = stacks.flat_map(|(stack, size)| {
            let times = time_layers(&stack.chain, batch, size, runs).into_iter().enumerate();
            times.map(move |(i, times)| LayerProfile {
                layer: stack.layer_name(i),
                multiply_adds: times.multiply_adds,
                forward_ms: ms(times.forward),
                input_gradient_ms: ms(times.input_gradient),
                weight_gradient_ms: ms(times.weight_gradient),
            })
        });
        Profile { product_rate: product_rate(runs), layers: layers.collect() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use candle_core::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn layers_are_named_and_counted() {
        let architecture =
            Architecture { patch_size: 32, latent_dim: 20, ..Architecture::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
        let profile = model.profile(2, 1);
        let last = profile.layers.last().unwrap();
        assert_eq!(profile.layers[1].layer, "encoder.2");
        assert_eq!(last.layer, format!("decoder.{}", profile.layers.len() - 2));
        // 2 patches, whose 32×32 pixels meet the 3×3 weights from 1 to 32 channels at both ends.
        assert_eq!(profile.layers[0].multiply_adds, 2 * 32 * 32 * 9 * 32);
        assert_eq!(last.multiply_adds, profile.layers[0].multiply_adds);
        assert!(profile.product_rate > 0.0 && last.weight_gradient_ms > 0.0);
    }
}
