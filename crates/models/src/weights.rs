//! Weights as safetensors, under the names and in the layouts of the equivalent PyTorch module.

use crate::autoencoder::Stack;
use crate::{Architecture, Autoencoder, Error, Result};
use candle_core::{DType, Device, Tensor};
use convolutions::{Conv2d, Layer};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

impl Autoencoder {
    /// The weights as a safetensors file.
    ///
    /// The tensors carry the names and shapes of a PyTorch module with two `torch.nn.Sequential`s, `encoder` of
    /// `Conv2d(C_in, C_out, k, stride, padding)` and `decoder` of `ConvTranspose2d`, each layer but the last of both
    /// followed by `LeakyReLU(0.2)`: `encoder.0.weight` `(C_out, C_in, k, k)`, `encoder.0.bias`, …, `decoder.0.weight`
    /// `(C_in, C_out, k, k)`, …
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let tensors = self.named_tensors()?;
        Ok(safetensors::serialize(tensors, None)?)
    }

    /// Reads weights as [`Autoencoder::to_safetensors`] writes them.
    ///
    /// ```
    /// use candle_core::Device;
    /// use models::{Architecture, Autoencoder, Error};
    /// # use rand::SeedableRng;
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
    /// # let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    /// let weights = Autoencoder::new(architecture, &mut rng, &Device::Cpu)?.to_safetensors()?;
    /// let model = Autoencoder::from_safetensors(&weights, architecture, &Device::Cpu)?;
    /// assert_eq!(model.to_safetensors()?, weights);
    ///
    /// let larger = Architecture { latent_dim: 5, ..architecture };
    /// let error = Autoencoder::from_safetensors(&weights, larger, &Device::Cpu).unwrap_err();
    /// assert!(matches!(error, Error::TensorMismatch { .. }));
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] for bytes that are not a safetensors file; [`Error::MissingTensor`],
    /// [`Error::UnexpectedTensor`] and [`Error::TensorMismatch`] for weights of another architecture;
    /// [`Error::NotFinite`] for NaN or infinite weights.
    pub fn from_safetensors(
        bytes: &[u8],
        architecture: Architecture,
        device: &Device,
    ) -> Result<Self> {
        let mut tensors = read_tensors(bytes)?;
        let zeros = |layer: &Layer| vec![0.0; layer.parameter_count()];
        let model = Self::build(architecture, zeros, device)?;
        model.set_tensors(&mut tensors)?;
        match tensors.into_keys().next() {
            Some(name) => Err(Error::UnexpectedTensor { name }),
            None => Ok(model),
        }
    }

    /// All weights and biases by name, in PyTorch's layout, on the CPU: candle panics if it cannot write a tensor of a device
    /// that fails.
    pub(crate) fn named_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors = BTreeMap::new();
        for stack in self.stacks() {
            let parameters = stack.parameters.as_detached_tensor().to_device(&Device::Cpu)?;
            let part = |range: Range<usize>| parameters.narrow(0, range.start, range.len());
            for (i, (weights, bias)) in stack.chain.places().enumerate() {
                let weights =
                    part(weights)?.reshape(&stack.chain.layers()[i].conv.weight_shape())?;
                let [weights_name, bias_name] = names(stack, i);
                tensors.insert(weights_name, weights.permute(TO_TORCH)?.contiguous()?);
                tensors.insert(bias_name, part(bias)?);
            }
        }
        Ok(tensors)
    }

    /// Takes this model's weights and biases out of `tensors`, which are on the CPU.
    pub(crate) fn set_tensors(&self, tensors: &mut BTreeMap<String, Tensor>) -> Result<()> {
        for stack in self.stacks() {
            let mut parts = Vec::new();
            for (i, (layer, (_, bias))) in
                stack.chain.layers().iter().zip(stack.chain.places()).enumerate()
            {
                let Conv2d { in_channels, out_channels, kernel, .. } = layer.conv;
                let torch_shape = [out_channels, in_channels, kernel, kernel];
                let [weights_name, bias_name] = names(stack, i);
                let weights = take_tensor(tensors, weights_name, &torch_shape)?;
                parts.push(weights.permute(FROM_TORCH)?.flatten_all()?);
                parts.push(take_tensor(tensors, bias_name, &[bias.len()])?);
            }
            let parameters = Tensor::cat(&parts, 0)?.to_device(stack.parameters.device())?;
            stack.parameters.set(&parameters)?;
        }
        Ok(())
    }
}

/// The names of a layer's weights and bias.
fn names(stack: &Stack, layer: usize) -> [String; 2] {
    ["weight", "bias"].map(|tensor| format!("{}.{tensor}", stack.layer_name(layer)))
}

/// `(k, k, C_in, C_out)` of a convolution to `(C_out, C_in, k, k)`. For a transposed convolution the same permutation
/// gives PyTorch's `(C_in, C_out, k, k)`, since its input channels are the convolution's output channels.
const TO_TORCH: (usize, usize, usize, usize) = (3, 2, 0, 1);
const FROM_TORCH: (usize, usize, usize, usize) = (2, 3, 1, 0);

/// All tensors of a safetensors file by name, on the CPU.
pub(crate) fn read_tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    // Reads the header first and refuses one that does not fit the bytes.
    let file = safetensors::SafeTensors::deserialize(bytes)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != safetensors::Dtype::F32 {
            let (expected, got) = ("of type F32".into(), format!("of type {:?}", view.dtype()));
            return Err(Error::TensorMismatch { name, expected, got });
        }
        let tensor = Tensor::from_raw_buffer(view.data(), DType::F32, view.shape(), &Device::Cpu)?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// Takes a tensor of the given name and shape, with finite values, out of `tensors`.
pub(crate) fn take_tensor(
    tensors: &mut BTreeMap<String, Tensor>,
    name: String,
    shape: &[usize],
) -> Result<Tensor> {
    let Entry::Occupied(entry) = tensors.entry(name.clone()) else {
        return Err(Error::MissingTensor { name });
    };
    let tensor = entry.remove();
    check_shape(&name, &tensor, shape)?;
    check_finite(&name, &tensor)?;
    Ok(tensor)
}

pub(crate) fn check_shape(name: &str, tensor: &Tensor, shape: &[usize]) -> Result<()> {
    if tensor.dims() == shape {
        return Ok(());
    }
    let (expected, got) = (format!("of shape {shape:?}"), format!("{:?}", tensor.dims()));
    Err(Error::TensorMismatch { name: name.to_owned(), expected, got })
}

pub(crate) fn check_finite(name: &str, tensor: &Tensor) -> Result<()> {
    // A sum of squares is finite only if all values are, overflow of weights beyond 1e19 included.
    match tensor.sqr()?.sum_all()?.to_scalar::<f32>()?.is_finite() {
        true => Ok(()),
        false => Err(Error::NotFinite { name: name.to_owned() }),
    }
}
