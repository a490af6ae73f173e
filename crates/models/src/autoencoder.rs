//! The network of Table 1, plain and variational.

#[cfg(test)]
mod tests;

use crate::architecture::{Architecture, LEAKY_SLOPE, Latent};
use crate::stream::{Stream, normal_rows};
use crate::{Error, Initialisation, Posterior, Precision, Result};
use candle_core::{Device, Tensor, Var};
use convolutions::{Activations, Chain, Conv2d, Direction, InputGradient, Layer, Mode};
use rand::Rng;

/// One half of the network.
#[derive(Debug)]
pub(crate) struct Stack {
    pub name: &'static str,
    pub chain: Chain,
    pub parameters: Var,
}

impl Stack {
    /// A leaky rectifier follows all layers but the last. A layer's weights and biases are what `draw` gives.
    fn build(
        name: &'static str,
        convs: Vec<Conv2d>,
        direction: Direction,
        draw: impl FnMut(&Layer) -> Vec<f32>,
        device: &Device,
    ) -> Result<Self> {
        let slope = Some(LEAKY_SLOPE);
        let mut layers: Vec<_> =
            convs.into_iter().map(|conv| Layer { conv, direction, slope }).collect();
        if let Some(last) = layers.last_mut() {
            last.slope = None;
        }
        let input_gradient = match direction {
            Direction::Convolution => InputGradient::Skipped,
            Direction::Transposed => InputGradient::Needed,
        };
        let chain = Chain::new(layers, input_gradient);
        let parameters: Vec<f32> = chain.layers().iter().flat_map(draw).collect();
        let parameters = Tensor::from_vec(parameters, chain.parameter_count(), device)?;
        Ok(Self { name, chain, parameters: Var::from_tensor(&parameters)? })
    }

    /// The name of a layer. A `torch.nn.Sequential` counts the activations in between as well.
    pub fn layer_name(&self, layer: usize) -> String {
        format!("{}.{}", self.name, 2 * layer)
    }

    fn apply(&self, maps: &Tensor, mode: Mode) -> Result<Tensor> {
        Ok(self.chain.apply(maps, &self.parameters, mode)?)
    }

    /// As [`apply`](Self::apply) for training, with the activations that its gradients need.
    pub fn forward(&self, maps: &Tensor) -> Result<(Tensor, Activations)> {
        Ok(self.chain.forward(maps, &self.parameters, Mode::Training)?)
    }
}

/// The autoencoder of the paper's Table 1: an encoder to a latent vector and its mirror image.
///
/// Leaky rectifiers of slope 0.2 follow all layers but the last of the encoder and the last of the decoder, which are
/// linear. With [`Latent::Normal`] it is a variational autoencoder (Kingma and Welling, 2014): the first half of the encoder's
/// outputs are the means of the latent vector's components, the second half the logarithms of their variances.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use models::{Architecture, Autoencoder};
/// use rand::SeedableRng;
///
/// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu)?;
/// assert!(model.architecture() == architecture && model.device().is_cpu());
///
/// let patches = Tensor::ones((3, 1, 32, 32), DType::F32, &Device::Cpu)?;
/// let codes = model.encode(&patches)?;
/// assert_eq!(codes.dims(), [3, 4]);
/// assert_eq!(model.decode(&codes)?.dims(), [3, 1, 32, 32]);
///
/// // For training and for inference; the values are the same.
/// let values = |maps: Tensor| maps.flatten_all()?.to_vec1::<f32>();
/// let reconstructions = values(model.reconstruct(&patches)?)?;
/// assert_eq!(values(model.reconstruct_detached(&patches)?)?, reconstructions);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Debug)]
pub struct Autoencoder {
    architecture: Architecture,
    pub(crate) encoder: Stack,
    pub(crate) decoder: Stack,
}

impl Autoencoder {
    /// An autoencoder with random weights, [`Initialisation::He`].
    ///
    /// # Errors
    /// [`Error::Setting`] for an invalid architecture; [`Error::Tensor`] if the device fails.
    pub fn new(architecture: Architecture, rng: &mut impl Rng, device: &Device) -> Result<Self> {
        Self::initialised(architecture, Initialisation::default(), rng, device)
    }

    /// An autoencoder with random weights.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn initialised(
        architecture: Architecture,
        initialisation: Initialisation,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Result<Self> {
        Self::build(architecture, |layer| initialisation.draw(layer, rng), device)
    }

    /// Builds all layers with what `draw` gives: weights, then biases.
    pub(crate) fn build(
        architecture: Architecture,
        mut draw: impl FnMut(&Layer) -> Vec<f32>,
        device: &Device,
    ) -> Result<Self> {
        architecture.validate()?;
        let (forwards, backwards) = (architecture.encoder(), architecture.decoder());
        let (convolution, transposed) = (Direction::Convolution, Direction::Transposed);
        let encoder = Stack::build("encoder", forwards, convolution, &mut draw, device)?;
        let decoder = Stack::build("decoder", backwards, transposed, &mut draw, device)?;
        Ok(Self { architecture, encoder, decoder })
    }

    /// Lets CUDA devices multiply in this precision.
    pub(crate) fn multiply_in(&mut self, precision: Precision) {
        for stack in [&mut self.encoder, &mut self.decoder] {
            stack.chain = stack.chain.clone().with_precision(precision);
        }
    }

    /// The architecture.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The device that holds the weights.
    pub fn device(&self) -> &Device {
        self.encoder.parameters.device()
    }

    /// The latent vectors `(N, latent_dim)` of patches `(N, 1, patch_size, patch_size)`; with [`Latent::Normal`], their means.
    ///
    /// # Errors
    /// [`Error::Tensor`] for patches of another shape or type than f32.
    pub fn encode(&self, patches: &Tensor) -> Result<Tensor> {
        self.mean_codes(patches, Mode::Training)
    }

    /// The distributions of latent vectors of patches `(N, 1, patch_size, patch_size)`.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use models::{Architecture, Autoencoder, Latent};
    /// # use rand::SeedableRng;
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, latent: Latent::Normal };
    /// # let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    /// let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu)?;
    /// let patches = Tensor::ones((3, 1, 32, 32), DType::F32, &Device::Cpu)?;
    /// let posterior = model.posterior(&patches)?;
    /// assert_eq!((posterior.mean().dims(), posterior.log_variance().dims()), (&[3, 4][..], &[3, 4][..]));
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] unless the latent layer is [`Latent::Normal`]; [`Error::Tensor`] for patches of
    /// another shape or type than f32.
    pub fn posterior(&self, patches: &Tensor) -> Result<Posterior> {
        self.run_posterior(patches, Mode::Training)
    }

    fn run_posterior(&self, patches: &Tensor, mode: Mode) -> Result<Posterior> {
        self.architecture.expect_latent(Latent::Normal)?;
        let (outputs, d) = (self.run_encoder(patches, mode)?, self.architecture.latent_dim);
        Posterior::new(outputs.narrow(1, 0, d)?, &outputs.narrow(1, d, d)?)
    }

    fn mean_codes(&self, patches: &Tensor, mode: Mode) -> Result<Tensor> {
        Ok(self.run_encoder(patches, mode)?.narrow(1, 0, self.architecture.latent_dim)?)
    }

    /// What the encoder says of patches, `(N, outputs)`.
    fn run_encoder(&self, patches: &Tensor, mode: Mode) -> Result<Tensor> {
        let size = self.architecture.patch_size;
        let count = expect_shape(patches, "patches", &[Architecture::CHANNELS, size, size])?;
        // With one channel, channels first and channels last are the same.
        let maps = patches.reshape((count, size, size, Architecture::CHANNELS))?;
        Ok(self.encoder.apply(&maps, mode)?.flatten_from(1)?)
    }

    /// The patches `(N, 1, patch_size, patch_size)` of latent vectors `(N, latent_dim)`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for vectors of another shape or type than f32.
    pub fn decode(&self, codes: &Tensor) -> Result<Tensor> {
        self.run_decoder(codes, Mode::Training)
    }

    fn run_decoder(&self, codes: &Tensor, mode: Mode) -> Result<Tensor> {
        let size = self.architecture.patch_size;
        let count = expect_shape(codes, "latent vectors", &[self.architecture.latent_dim])?;
        let maps = codes.reshape((count, 1, 1, self.architecture.latent_dim))?;
        let maps = self.decoder.apply(&maps, mode)?;
        Ok(maps.reshape((count, Architecture::CHANNELS, size, size))?)
    }

    /// The reconstructions of patches `(N, 1, patch_size, patch_size)`, of the same shape. Intensities lie about [0, 1], the
    /// range of the training images, but are not clamped. With [`Latent::Normal`], the latent vectors are their means.
    ///
    /// # Errors
    /// [`Error::Tensor`] for patches of another shape or type than f32.
    pub fn reconstruct(&self, patches: &Tensor) -> Result<Tensor> {
        self.decode(&self.encode(patches)?)
    }

    /// As [`reconstruct`](Self::reconstruct), but nothing is kept that a gradient would need: in memory are the activations
    /// of one layer at a time.
    ///
    /// # Errors
    /// As for [`reconstruct`](Self::reconstruct).
    pub fn reconstruct_detached(&self, patches: &Tensor) -> Result<Tensor> {
        self.run_decoder(&self.mean_codes(patches, Mode::Inference)?, Mode::Inference)
    }

    /// So many reconstructions of each patch `(N, 1, patch_size, patch_size)` from latent vectors drawn from its
    /// distribution: `(N, samples, patch_size, patch_size)`. Nothing is kept that a gradient would need, and one sample of
    /// all patches is decoded at a time.
    ///
    /// The draws depend on `seed` and the patch's own key alone: a patch of the same key has the same samples in any batch.
    /// Keys lie below 2⁶¹.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use models::{Architecture, Autoencoder, Latent};
    /// # use rand::SeedableRng;
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, latent: Latent::Normal };
    /// # let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    /// let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu)?;
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
        let posterior = self.run_posterior(patches, Mode::Inference)?;
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
            self.run_decoder(&codes, Mode::Inference)
        };
        let decodes = (0..samples).map(decode).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&decodes, 1)?)
    }

    pub(crate) fn stacks(&self) -> [&Stack; 2] {
        [&self.encoder, &self.decoder]
    }

    /// All trained tensors in a fixed order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Var> {
        self.stacks().into_iter().map(|stack| &stack.parameters)
    }
}

/// Checks that the shape is `(N, expected…)`, which the number of values alone does not tell, and returns `N`.
fn expect_shape(tensor: &Tensor, name: &str, expected: &[usize]) -> Result<usize> {
    match tensor.dims() {
        [count, rest @ ..] if rest == expected => Ok(*count),
        got => {
            let expected: String = expected.iter().map(|size| format!(", {size}")).collect();
            let message = format!("expected {name} of shape (N{expected}), got {got:?}");
            Err(candle_core::Error::Msg(message).bt().into())
        }
    }
}
