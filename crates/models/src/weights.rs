//! Weights as safetensors files.

use crate::architecture::Architecture;
use crate::autoencoder::Autoencoder;
use crate::autoencoder::half::{chains, names_and_shapes};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

impl Autoencoder {
    /// The weights as a safetensors file, under the names and in the layouts of the equivalent PyTorch module; see [`Autoencoder`].
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        Ok(safetensors::serialize(self.named_tensors()?, None)?)
    }

    /// Reads weights as [`Autoencoder::to_safetensors`] writes them, and refuses all others: [`Autoencoder::new`] with a `VarBuilder`
    /// converts types and ignores tensors that it does not need.
    ///
    /// ```
    /// use candle_core::{DType, Device};
    /// use candle_nn::{VarBuilder, VarMap};
    /// use models::{Architecture, Autoencoder, Error};
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
    /// let vb = VarBuilder::from_varmap(&VarMap::new(), DType::F32, &Device::Cpu);
    /// let weights = Autoencoder::new(&architecture, vb)?.to_safetensors()?;
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
        let model = Self::take(&mut tensors, &architecture, device)?;
        match tensors.into_keys().next() {
            Some(name) => Err(Error::UnexpectedTensor { name }),
            None => Ok(model),
        }
    }

    /// A model with the weights that it takes out of `tensors`, which are on the CPU.
    pub(crate) fn take(
        tensors: &mut BTreeMap<String, Tensor>,
        architecture: &Architecture,
        device: &Device,
    ) -> Result<Self> {
        architecture.validate()?;
        let chains = chains(architecture);
        let wanted = chains.iter().flat_map(|(half, chain)| names_and_shapes(half, chain));
        let weights = wanted
            .map(|(name, shape)| Ok((name.clone(), take_tensor(tensors, name, &shape)?)))
            .collect::<Result<HashMap<_, _>>>()?;
        Self::new(architecture, VarBuilder::from_tensors(weights, DType::F32, device))
    }

    /// All weights and biases by name, in PyTorch's layout, on the CPU: candle panics if it cannot write a tensor of a device
    /// that fails.
    pub(crate) fn named_tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut named = BTreeMap::new();
        for half in self.halves() {
            for (name, tensor) in half.named_tensors()? {
                named.insert(name, tensor.to_device(&Device::Cpu)?);
            }
        }
        Ok(named)
    }
}

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
