//! How much arithmetic the network's convolutions are.

use anyhow::Result;
use models::Autoencoder;
use safetensors::SafeTensors;
use serde::Serialize;

/// Multiply-adds of the plain algorithm, each product of a weight and a value counted once, and the rate at which
/// they were done. A multiply-add is two floating-point operations.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Arithmetic {
    pub multiply_adds: u64,
    pub gflop_per_s: f64,
}

impl Arithmetic {
    pub fn new(multiply_adds: u64, milliseconds: f64) -> Self {
        Self { multiply_adds, gflop_per_s: 2.0 * multiply_adds as f64 / milliseconds / 1e6 }
    }
}

/// Multiply-adds per patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiplyAdds {
    pub forward: u64,
    /// Forward and backward pass. The gradient with respect to the patches is not needed, hence not counted.
    pub training: u64,
}

impl MultiplyAdds {
    /// Counts from the shapes of the weights: kernels of 4 halve the map (Table 1: stride 2), kernels of 3 keep it, and
    /// those of 8 leave one pixel. The decoder mirrors the encoder, product by product.
    ///
    /// # Errors
    /// If the weights cannot be had.
    pub fn per_patch(model: &Autoencoder) -> Result<Self> {
        let weights = model.to_safetensors()?;
        let weights = SafeTensors::deserialize(&weights)?;
        let mut side = model.architecture().patch_size as u64;
        let (mut first, mut encoder) = (None, 0);
        for layer in 0.. {
            let Ok(weight) = weights.tensor(&format!("encoder.{}.weight", 2 * layer)) else {
                break;
            };
            let kernel = weight.shape()[2];
            side = match kernel {
                4 => side / 2,
                3 => side,
                _ => 1,
            };
            let products = weight.shape().iter().product::<usize>() as u64 * side * side;
            first.get_or_insert(products);
            encoder += products;
        }
        let forward = 2 * encoder;
        // Either gradient takes as many products as the layer itself.
        Ok(Self { forward, training: 3 * forward - first.unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use candle_core::Device;
    use models::Architecture;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Table 1 by hand: kernel² · inputs · outputs · side².
    #[test]
    fn products_are_those_of_table_1() {
        let architecture = Architecture { patch_size: 128, latent_dim: 100 };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
        let encoder = [
            16 * 32 * 64 * 64,
            16 * 32 * 32 * 32 * 32,
            9 * 32 * 32 * 32 * 32,
            16 * 32 * 64 * 16 * 16,
            9 * 64 * 64 * 16 * 16,
            16 * 64 * 128 * 8 * 8,
            9 * 128 * 64 * 8 * 8,
            9 * 64 * 32 * 8 * 8,
            64 * 32 * 100,
        ];
        let forward = 2 * encoder.iter().sum::<u64>();
        let expected = MultiplyAdds { forward, training: 3 * forward - encoder[0] };
        assert_eq!(MultiplyAdds::per_patch(&model).unwrap(), expected);
    }
}
