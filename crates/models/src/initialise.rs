//! Seeded initial weights.

use crate::Result;
use crate::architecture::Architecture;
use crate::autoencoder::half::{chains, names_and_shapes, unpack};
use crate::init::Initialisation;
use crate::stream::Stream;
use candle_core::{Device, Tensor, Var};
use candle_nn::VarMap;
use convolutions::Chain;
use rand::Rng;
use std::sync::PoisonError;

/// Fills a `VarMap` with the weights that a training of this seed begins with: the same for the same seed, on every machine and device.
/// Variables of these names that are there already keep their identity and get new values; others are left alone.
///
/// candle draws the initial weights of an empty `VarMap` from a generator of its own, which has no seed on the CPU.
///
/// ```
/// use candle_core::{DType, Device};
/// use candle_nn::{VarBuilder, VarMap};
/// use models::{Architecture, Autoencoder, Initialisation, initialise};
///
/// let (device, varmap) = (Device::Cpu, VarMap::new());
/// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
/// initialise(&varmap, &architecture, Initialisation::He, 7, &device)?;
/// let model = Autoencoder::new(&architecture, VarBuilder::from_varmap(&varmap, DType::F32, &device))?;
/// let first = model.to_safetensors()?;
///
/// initialise(&varmap, &architecture, Initialisation::He, 8, &device)?;
/// assert!(model.to_safetensors()? != first);
/// initialise(&varmap, &architecture, Initialisation::He, 7, &device)?;
/// assert!(model.to_safetensors()? == first);
/// # Ok::<(), models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for an invalid architecture; [`Error::Tensor`](crate::Error::Tensor) if a variable of one of
/// these names has another shape, or the device fails.
pub fn initialise(
    varmap: &VarMap,
    architecture: &Architecture,
    initialisation: Initialisation,
    seed: u64,
    device: &Device,
) -> Result<()> {
    architecture.validate()?;
    let rng = &mut Stream::Weights.rng(seed);
    for (half, chain) in chains(architecture) {
        let tensors = draw(&chain, initialisation, rng, device)?;
        for ((name, _), tensor) in names_and_shapes(half, &chain).into_iter().zip(tensors) {
            set(varmap, name, &tensor)?;
        }
    }
    Ok(())
}

/// The weights and biases of all layers, drawn one layer after the other.
fn draw(
    chain: &Chain,
    initialisation: Initialisation,
    rng: &mut impl Rng,
    device: &Device,
) -> Result<Vec<Tensor>> {
    let draw = |layer| initialisation.draw(layer, rng);
    let parameters: Vec<f32> = chain.layers().iter().flat_map(draw).collect();
    unpack(chain, &Tensor::from_vec(parameters, chain.parameter_count(), device)?)
}

fn set(varmap: &VarMap, name: String, value: &Tensor) -> Result<()> {
    let mut variables = varmap.data().lock().unwrap_or_else(PoisonError::into_inner);
    match variables.get(&name) {
        Some(variable) => variable.set(value)?,
        None => drop(variables.insert(name, Var::from_tensor(value)?)),
    }
    Ok(())
}
