//! Random initial weights.

use crate::architecture::LEAKY_SLOPE;
use convolutions::{Direction, Layer};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How initial weights are drawn; see [`initialise`](crate::initialise).
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::{VarBuilder, VarMap};
/// use models::{Architecture, Autoencoder, Initialisation, initialise};
///
/// let (device, varmap) = (Device::Cpu, VarMap::new());
/// let architecture = Architecture { patch_size: 32, latent_dim: 20, ..Architecture::default() };
/// let model = Autoencoder::new(&architecture, VarBuilder::from_varmap(&varmap, DType::F32, &device))?;
/// let patches = Tensor::rand(0_f32, 1.0, (4, 1, 32, 32), &device)?;
///
/// // How much reconstructions of different patches differ before the first step.
/// let variance = |initialisation| -> models::Result<f32> {
///     initialise(&varmap, &architecture, initialisation, 0, &device)?;
///     Ok(model.forward(&patches)?.var(0)?.mean_all()?.to_scalar()?)
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
    ///
    /// The decoder's first layer is an exception: from one pixel, only `C_in` products meet, and its results are 8 times smaller than
    /// elsewhere. That is kept, since training is the better for it; see the crate's README.
    #[default]
    He,
    /// PyTorch's default for both kinds of convolution: weights and biases uniform within `±1 / sqrt(fan_in)`, the fan-in of a
    /// transposed convolution being `C_out · kernel²`. For comparisons: the weights are 2.4 times narrower in the encoder, and up to 4.8
    /// times in the decoder, which leaves the SSIM autoencoder at constant grey reconstructions for long.
    Pytorch,
}

impl Initialisation {
    /// Draws the parameters of a layer: its weights `(kernel, kernel, C_in, C_out)`, then its biases.
    pub(crate) fn draw(self, layer: &Layer, rng: &mut impl Rng) -> Vec<f32> {
        let (weights, biases) = (layer.conv.weight_count(), layer.channels().1);
        match self {
            Self::He => {
                let deviation = deviation(layer);
                let normal = || -> f64 { StandardNormal.sample(rng) };
                let weight = std::iter::repeat_with(normal).map(|value| (value * deviation) as f32);
                weight.take(weights).chain(std::iter::repeat_n(0.0, biases)).collect()
            }
            Self::Pytorch => {
                // PyTorch counts a transposed convolution's output channels as its fan-in.
                let fan_in = layer.conv.in_channels * layer.conv.kernel.pow(2);
                let bound = (fan_in as f64).sqrt().recip();
                let value = || (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32;
                std::iter::repeat_with(value).take(weights + biases).collect()
            }
        }
    }
}

/// The standard deviation of a layer's weights by [`Initialisation::He`].
pub(crate) fn deviation(layer: &Layer) -> f64 {
    let slope = f64::from(LEAKY_SLOPE);
    (2.0 / ((1.0 + slope * slope) * products(layer))).sqrt()
}

/// The number of products that meet in an output of the layer, its fan-in.
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
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::Architecture;
    use candle_core::{Device, Tensor};
    use convolutions::{Chain, InputGradient, Mode};
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

    /// The mean square of a layer's outputs before its rectifier, far from borders, for noise of mean square 1.
    fn mean_square(layer: Layer, side: usize) -> f64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let parameters = Initialisation::He.draw(&layer, rng);
        let biases = &parameters[layer.conv.weight_count()..];
        assert!(biases.iter().all(|&bias| bias == 0.0));
        let shape = (8, side, side, layer.channels().0);
        let noise: Vec<f64> =
            StandardNormal.sample_iter(rng).take(8 * side * side * shape.3).collect();
        let noise = noise.into_iter().map(|value| value as f32).collect();
        let input = Tensor::from_vec(noise, shape, &Device::Cpu).unwrap();
        let parameters = Tensor::new(parameters, &Device::Cpu).unwrap();
        let chain = Chain::new(vec![Layer { slope: None, ..layer }], InputGradient::Skipped);
        let output = chain.apply(&input, &parameters, Mode::Inference).unwrap();
        let inside = |maps: Tensor, dim: usize| {
            let size = maps.dims()[dim];
            maps.narrow(dim, size / 4, size / 2).unwrap()
        };
        let squares = inside(inside(output, 1), 2).sqr().unwrap().mean_all().unwrap();
        f64::from(squares.to_scalar::<f32>().unwrap())
    }

    #[test]
    fn he_keeps_the_mean_square() {
        let architecture = Architecture::default();
        let transposed = |conv| Layer { conv, direction: Direction::Transposed, slope: None };
        let strided = architecture.decoder().into_iter().find(|conv| conv.stride == 2).unwrap();
        for layer in layers().into_iter().chain([transposed(strided)]) {
            // The rectifier of slope 0.2 leaves 1.04 / 2 of it.
            let kept = mean_square(layer, 16) * 1.04 / 2.0;
            // Each of at least 32 channels scatters like the mean of as many squares as it has weights, by 6 % at most, and all by
            // a sixth of that, which is little beside 10 %; so is the scatter of the noise.
            assert!((kept - 1.0).abs() < 0.1, "{layer:?}: {kept}");
        }
        // The documented exception keeps a 64th.
        let first = transposed(architecture.decoder()[0]);
        let kept = mean_square(first, 1) * 1.04 / 2.0;
        assert!((64.0 * kept - 1.0).abs() < 0.3, "{kept}");
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
