//! The network of Table 1, plain and variational.

pub(crate) mod half;
mod pass;
#[cfg(test)]
mod tests;

use crate::architecture::{Architecture, Latent};
use crate::posterior::Posterior;
use crate::stream::{Stream, normal_rows};
use crate::{Error, Result};
use candle_core::{Device, Module, Tensor, Var};
use candle_nn::VarBuilder;
use convolutions::Precision;
use half::Half;

/// The autoencoder of the paper's Table 1: an encoder to a latent vector and its mirror image.
///
/// Leaky rectifiers of slope 0.2 follow all layers but the last of the encoder and the last of the decoder, which are
/// linear. With [`Latent::Normal`] it is a variational autoencoder (Kingma and Welling, 2014): the first half of the encoder's
/// outputs are the means of the latent vector's components, the second half the logarithms of their variances.
///
/// Weights have the names and layouts of a PyTorch module with two `torch.nn.Sequential`s, `encoder` of
/// `Conv2d(C_in, C_out, k, stride, padding)` and `decoder` of `ConvTranspose2d`, each layer but the last of both followed by
/// `LeakyReLU(0.2)`: `encoder.0.weight` `(C_out, C_in, k, k)`, `encoder.0.bias`, …, `decoder.0.weight` `(C_in, C_out, k, k)`, …
///
/// Training from random weights, as with any model of candle's:
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::{Optimizer, VarBuilder, VarMap};
/// use models::{Adam, AdamConfig, Architecture, Autoencoder, loss};
///
/// // Eight patches of oblique stripes.
/// let grey = |i: usize| 0.5 + 0.4 * ((i % 32 + i / 32) as f32 * 0.785).sin();
/// let patches = Tensor::from_vec((0..8 * 32 * 32).map(grey).collect(), (8, 1, 32, 32), &Device::Cpu)?;
///
/// let varmap = VarMap::new();
/// let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
/// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
/// let model = Autoencoder::new(&architecture, vb)?;
/// let mut adam = Adam::new(varmap.all_vars(), AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() })?;
/// let mut losses = Vec::new();
/// for _ in 0..30 {
///     let loss = loss::l2(&model.forward(&patches)?, &patches)?;
///     adam.backward_step(&loss)?;
///     losses.push(loss.to_scalar::<f32>()?);
/// }
/// assert!(losses[29] < 0.7 * losses[0], "{losses:?}");
/// # Ok::<(), models::Error>(())
/// ```
///
/// Weights that PyTorch has saved, by `torch.save(model.state_dict(), "model.pth")`:
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::VarBuilder;
/// use models::{Architecture, Autoencoder};
///
/// # mod pth { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/pth.rs")); }
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.pth");
/// # let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
/// # pth::write_state_dict(&path, &pth::table_1(32, 4))?;
/// let vb = VarBuilder::from_pth(path, DType::F32, &Device::Cpu)?;
/// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
/// let model = Autoencoder::new(&architecture, vb)?;
/// let patches = Tensor::ones((3, 1, 32, 32), DType::F32, &Device::Cpu)?;
/// assert_eq!(model.encode(&patches)?.dims(), [3, 4]);
/// assert_eq!(model.forward(&patches)?.dims(), [3, 1, 32, 32]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Trainer`](crate::Trainer) does the same in less time, with crops, noise, checkpoints and reports.
#[derive(Debug)]
pub struct Autoencoder {
    architecture: Architecture,
    encoder: Half,
    decoder: Half,
}

impl Module for Autoencoder {
    /// The reconstructions of patches `(N, 1, patch_size, patch_size)`, of the same shape. Intensities lie about [0, 1], the
    /// range of the training images, but are not clamped. With [`Latent::Normal`], the latent vectors are their means.
    ///
    /// # Errors
    /// For patches of another shape or type than f32.
    fn forward(&self, patches: &Tensor) -> candle_core::Result<Tensor> {
        self.decode(&self.encode(patches)?)
    }
}

impl Autoencoder {
    /// Loads an autoencoder's weights in f32, or makes them: a `VarMap` without them gets random ones by
    /// [`Initialisation::He`](crate::Initialisation::He), whose seed is candle's; [`initialise`](crate::initialise) has seeded ones.
    ///
    /// Weights that are variables may change at any time, and are put in the order of the convolutions in every pass; all others once,
    /// here. Inference is therefore faster with [`detached`](Self::detached) weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for an invalid architecture; [`Error::Tensor`] for missing weights, or weights of another shape.
    #[expect(clippy::needless_pass_by_value, reason = "candle-nn's layers take it so")]
    pub fn new(architecture: &Architecture, vb: VarBuilder<'_>) -> Result<Self> {
        architecture.validate()?;
        let [encoder, decoder] =
            half::chains(architecture).map(|(name, chain)| Half::new(name, chain, &vb));
        Ok(Self { architecture: *architecture, encoder: encoder?, decoder: decoder? })
    }

    /// The same network with a copy of the weights that has no gradient, for inference.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn detached(&self) -> Result<Self> {
        let (encoder, decoder) = (self.encoder.detached()?, self.decoder.detached()?);
        Ok(Self { architecture: self.architecture, encoder, decoder })
    }

    /// The same network with a copy of the weights in one variable for each half, as [`forward_pass`](Self::forward_pass) needs it.
    pub(crate) fn with_packed_variables(&self) -> Result<(Self, [Var; 2])> {
        let (encoder, encoder_variable) = self.encoder.with_packed_variable()?;
        let (decoder, decoder_variable) = self.decoder.with_packed_variable()?;
        let model = Self { architecture: self.architecture, encoder, decoder };
        Ok((model, [encoder_variable, decoder_variable]))
    }

    /// Lets CUDA devices multiply in this precision.
    pub(crate) fn multiply_in(&mut self, precision: Precision) {
        self.encoder.multiply_in(precision);
        self.decoder.multiply_in(precision);
    }

    /// Encoder and decoder.
    pub(crate) fn halves(&self) -> [&Half; 2] {
        [&self.encoder, &self.decoder]
    }

    /// The architecture.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The device that holds the weights.
    pub fn device(&self) -> &Device {
        self.encoder.device()
    }

    /// The latent vectors `(N, latent_dim)` of patches `(N, 1, patch_size, patch_size)`; with [`Latent::Normal`], their means.
    ///
    /// # Errors
    /// For patches of another shape or type than f32.
    pub fn encode(&self, patches: &Tensor) -> candle_core::Result<Tensor> {
        let outputs = self.encoder.apply(&self.patches_as_maps(patches)?)?;
        self.means(&outputs.flatten_from(1)?)
    }

    /// The distributions of latent vectors of patches `(N, 1, patch_size, patch_size)`.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use candle_nn::VarBuilder;
    /// use models::{Architecture, Autoencoder, Latent};
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, latent: Latent::Normal };
    /// let model = Autoencoder::new(&architecture, VarBuilder::zeros(DType::F32, &Device::Cpu))?;
    /// let posterior = model.posterior(&Tensor::ones((3, 1, 32, 32), DType::F32, &Device::Cpu)?)?;
    /// assert_eq!((posterior.mean().dims(), posterior.log_variance().dims()), (&[3, 4][..], &[3, 4][..]));
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] unless the latent layer is [`Latent::Normal`]; [`Error::Tensor`] for patches of
    /// another shape or type than f32.
    pub fn posterior(&self, patches: &Tensor) -> Result<Posterior> {
        let outputs = self.encoder.apply(&self.patches_as_maps(patches)?)?;
        self.distributions(&outputs.flatten_from(1)?)
    }

    /// The patches `(N, 1, patch_size, patch_size)` of latent vectors `(N, latent_dim)`.
    ///
    /// # Errors
    /// For vectors of another shape or type than f32.
    pub fn decode(&self, codes: &Tensor) -> candle_core::Result<Tensor> {
        self.maps_as_patches(&self.decoder.apply(&self.codes_as_maps(codes)?)?)
    }

    /// The same reconstructions as [`forward`](Module::forward)'s, without gradients: only the activations of one layer at a time are in
    /// memory.
    ///
    /// # Errors
    /// [`Error::Tensor`] for patches of another shape or type than f32.
    pub fn reconstruct_detached(&self, patches: &Tensor) -> Result<Tensor> {
        let outputs = self.encoder.apply_detached(&self.patches_as_maps(patches)?)?;
        Ok(self.decode_detached(&self.means(&outputs.flatten_from(1)?)?)?)
    }

    fn decode_detached(&self, codes: &Tensor) -> candle_core::Result<Tensor> {
        self.maps_as_patches(&self.decoder.apply_detached(&self.codes_as_maps(codes)?)?)
    }

    /// Reconstructs each patch `(N, 1, patch_size, patch_size)` from latent vectors drawn from its distribution:
    /// `(N, samples, patch_size, patch_size)`. There are no gradients, and one sample of all patches is decoded at a time.
    ///
    /// The draws depend on `seed` and the patch's own key alone: a patch of the same key has the same samples in any batch.
    /// Keys lie below 2⁶¹.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use candle_nn::{VarBuilder, VarMap};
    /// use models::{Architecture, Autoencoder, Latent};
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, latent: Latent::Normal };
    /// let vb = VarBuilder::from_varmap(&VarMap::new(), DType::F32, &Device::Cpu);
    /// let model = Autoencoder::new(&architecture, vb)?;
    ///
    /// // Three equal patches, of which the first and the last have the same key.
    /// let patches = Tensor::ones((3, 1, 32, 32), DType::F32, &Device::Cpu)?;
    /// let samples = model.sample_detached(&patches, 2, 7, &[10, 11, 10])?;
    /// assert_eq!(samples.dims(), [3, 2, 32, 32]);
    /// let of_patch = |patch: usize| samples.get(patch)?.flatten_all()?.to_vec1::<f32>();
    /// assert_eq!(of_patch(0)?, of_patch(2)?);
    /// assert_ne!(of_patch(0)?, of_patch(1)?);
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] unless the latent layer is [`Latent::Normal`], there is a key for each patch, and a sample;
    /// [`Error::Tensor`] for patches of another shape or type than f32.
    pub fn sample_detached(
        &self,
        patches: &Tensor,
        samples: usize,
        seed: u64,
        keys: &[u64],
    ) -> Result<Tensor> {
        if samples == 0 {
            return Err(Error::setting("samples", "at least 1", samples));
        }
        let outputs = self.encoder.apply_detached(&self.patches_as_maps(patches)?)?;
        let posterior = self.distributions(&outputs.flatten_from(1)?)?;
        let (count, d) = posterior.mean().dims2()?;
        if keys.len() != count {
            let expected = format!("one for each of {count} patches");
            return Err(Error::setting("keys", expected, keys.len()));
        }
        if let Some(key) = keys.iter().find(|&&key| key >= Stream::SAMPLE_KEYS) {
            return Err(Error::setting("keys", "below 2^61", key));
        }
        let streams = keys.iter().map(|&key| Stream::Sample { key });
        let noise = normal_rows(seed, streams, samples * d, self.device())?;
        let decode = |sample: usize| -> Result<Tensor> {
            let codes = posterior.sample(&noise.narrow(1, sample * d, d)?)?;
            Ok(self.decode_detached(&codes)?)
        };
        let decodes = (0..samples).map(decode).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&decodes, 1)?)
    }

    /// Patches as the encoder takes them, `(N, patch_size, patch_size, 1)`: with one channel, channels first and channels last are the
    /// same.
    fn patches_as_maps(&self, patches: &Tensor) -> candle_core::Result<Tensor> {
        let size = self.architecture.patch_size;
        let count = expect_shape(patches, "patches", &[Architecture::CHANNELS, size, size])?;
        patches.reshape((count, size, size, Architecture::CHANNELS))
    }

    fn maps_as_patches(&self, maps: &Tensor) -> candle_core::Result<Tensor> {
        let size = self.architecture.patch_size;
        maps.reshape((maps.dim(0)?, Architecture::CHANNELS, size, size))
    }

    /// Latent vectors as the decoder takes them, `(N, 1, 1, latent_dim)`.
    fn codes_as_maps(&self, codes: &Tensor) -> candle_core::Result<Tensor> {
        let count = expect_shape(codes, "latent vectors", &[self.architecture.latent_dim])?;
        codes.reshape((count, 1, 1, self.architecture.latent_dim))
    }

    /// The first half of the encoder's outputs, or all of them.
    fn means(&self, outputs: &Tensor) -> candle_core::Result<Tensor> {
        outputs.narrow(1, 0, self.architecture.latent_dim)
    }

    /// The distributions that the encoder's outputs `(N, 2 · latent_dim)` describe.
    fn distributions(&self, outputs: &Tensor) -> Result<Posterior> {
        self.architecture.expect_latent(Latent::Normal)?;
        let d = self.architecture.latent_dim;
        Posterior::new(self.means(outputs)?, &outputs.narrow(1, d, d)?)
    }
}

/// Checks that the shape is `(N, expected…)`, and returns `N`. The number of values alone would not tell.
fn expect_shape(tensor: &Tensor, name: &str, expected: &[usize]) -> candle_core::Result<usize> {
    match tensor.dims() {
        [count, rest @ ..] if rest == expected => Ok(*count),
        got => {
            let expected: String = expected.iter().map(|size| format!(", {size}")).collect();
            let message = format!("expected {name} of shape (N{expected}), got {got:?}");
            Err(candle_core::Error::Msg(message).bt())
        }
    }
}
