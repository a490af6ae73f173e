//! Inputs and results for other programs.

use crate::args::RunArgs;
use anyhow::Result;
use candle_core::Tensor;
use detector::files::write_atomic;
use std::io::Write;

/// Writes `inputs.safetensors` and `outputs.safetensors`, if they are wanted.
///
/// # Errors
/// If a tensor cannot be computed or a file not be written.
pub fn exchange(args: &RunArgs, tensors: impl FnOnce() -> Result<Exchange>) -> Result<()> {
    let Some(folder) = &args.exchange else { return Ok(()) };
    let Exchange { inputs, outputs } = tensors()?;
    for (name, tensors) in [("inputs.safetensors", inputs), ("outputs.safetensors", outputs)] {
        let bytes = safetensors::serialize(tensors, None)?;
        write_atomic(&folder.join(name), |file| Ok(file.write_all(&bytes)?))?;
    }
    Ok(())
}

/// Tensors by name.
pub struct Exchange {
    pub inputs: Vec<(String, Tensor)>,
    pub outputs: Vec<(String, Tensor)>,
}

/// Names tensors.
pub fn named<const N: usize>(tensors: [(&str, Tensor); N]) -> Vec<(String, Tensor)> {
    tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect()
}
