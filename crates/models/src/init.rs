//! Random initial weights.

use crate::architecture::LEAKY_SLOPE;
use crate::conv::{Direction, Layer};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// What a training begins with.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use models::{Architecture, Autoencoder, Initialisation};
/// # use rand::SeedableRng;
///
/// let architecture = Architecture { patch_size: 32, latent_dim: 20, ..Architecture::default() };
/// # let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let patches = Tensor::rand(0_f32, 1.0, (4, 1, 32, 32), &Device::Cpu)?;
///
/// // How much reconstructions of different patches differ before the first step.
/// let mut variance = |initialisation| -> models::Result<f32> {
///     let model = Autoencoder::initialised(architecture, initialisation, &mut rng, &Device::Cpu)?;
///     Ok(model.reconstruct(&patches)?.var(0)?.mean_all()?.to_scalar()?)
/// };
/// assert!(variance(Initialisation::He)? > 1e6 * variance(Initialisation::Pytorch)?);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialisation {
    /// Normal weights with the variance that keeps the size of activations through leaky rectifiers,
    /// `2 / ((1 + 0.2²) · fan_in)` (He et al. 2015, equation 15); biases are zero. The fan-in of a transposed convolution is
    /// `C_in · kernel² / stride²`, since that many products meet in one of its outputs.
    #[default]
    He,
    /// PyTorch's default for both kinds of convolution: weights and biases uniform within `±1 / sqrt(fan_in)`, the fan-in of a
    /// transposed convolution being `C_out · kernel²`. The weights are 2.4 times narrower, which leaves the SSIM autoencoder
    /// at constant grey reconstructions for long. For comparisons.
    Pytorch,
}

impl Initialisation {
    /// The parameters of a layer: its weights, then its biases.
    pub(crate) fn draw(self, layer: &Layer, rng: &mut impl Rng) -> Vec<f32> {
        let (weights, biases) = (layer.conv.weight_count(), layer.channels().1);
        match self {
            Self::He => {
                let slope = f64::from(LEAKY_SLOPE);
                let deviation = (2.0 / ((1.0 + slope * slope) * products(layer))).sqrt();
                let normal = || -> f64 { StandardNormal.sample(rng) };
                let weight = std::iter::repeat_with(normal).map(|value| (value * deviation) as f32);
                weight.take(weights).chain(std::iter::repeat_n(0.0, biases)).collect()
            }
            Self::Pytorch => {
                // The convolution that a transposed one transposes takes what that gives.
                let fan_in = layer.conv.in_channels * layer.conv.kernel.pow(2);
                let bound = (fan_in as f64).sqrt().recip();
                let value = || (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32;
                std::iter::repeat_with(value).take(weights + biases).collect()
            }
        }
    }
}

/// How many products meet in an output of the layer.
fn products(Layer { conv, direction, .. }: &Layer) -> f64 {
    let kernel_area = (conv.kernel * conv.kernel) as f64;
    match direction {
        Direction::Convolution => conv.in_channels as f64 * kernel_area,
        Direction::Transposed => {
            conv.out_channels as f64 * kernel_area / (conv.stride * conv.stride) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Architecture;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// The second layers of encoder and decoder: 4×4 from 32 to 32 channels, 3×3 from 64 to 32.
    fn layers() -> [Layer; 2] {
        let architecture = Architecture::default();
        let layer = |conv, direction| Layer { conv, direction, slope: Some(LEAKY_SLOPE) };
        [
            layer(architecture.encoder()[1], Direction::Convolution),
            layer(architecture.decoder()[1], Direction::Transposed),
        ]
    }

    #[test]
    fn he_keeps_the_mean_square() {
        for layer in layers() {
            let values = Initialisation::He.draw(&layer, &mut ChaCha8Rng::seed_from_u64(1));
            let (weights, biases) = values.split_at(layer.conv.weight_count());
            let square = weights.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>();
            let kept = square / weights.len() as f64 * products(&layer) * (1.0 + 0.04) / 2.0;
            // The mean of n squares of normal values scatters by sqrt(2 / n), 0.011 here.
            assert!((kept - 1.0).abs() < 0.05, "{kept}");
            assert!(biases.iter().all(|&bias| bias == 0.0));
        }
    }

    #[test]
    fn pytorchs_default_is_uniform_within_its_bounds() {
        // `torch.nn.Conv2d(32, 32, 4)` and `torch.nn.ConvTranspose2d(32, 64, 3)`: 1 / sqrt(32 · 4²) and 1 / sqrt(64 · 3²).
        for (layer, bound) in layers().into_iter().zip([0.044_194_174, 0.041_666_668]) {
            let values = Initialisation::Pytorch.draw(&layer, &mut ChaCha8Rng::seed_from_u64(1));
            assert_eq!(values.len(), layer.conv.weight_count() + layer.channels().1);
            let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            assert!((0.999 * bound..=bound).contains(&largest), "{largest}");
        }
    }
}
