//! The latent noise of training steps.

use crate::Result;
use candle_core::Tensor;

/// The place of the noise on the device: the same in every step, so that a CUDA graph finds it there.
#[derive(Debug, Default)]
pub(super) struct NoiseBuffer(Option<Tensor>);

impl NoiseBuffer {
    /// Copies the noise `(N, latent_dim)` of a step into the buffer, which has room for `batch` rows.
    pub fn fill(&mut self, noise: &Tensor, batch: usize) -> Result<Tensor> {
        let (count, length) = noise.dims2()?;
        let buffer = match self.0.take() {
            Some(buffer) => buffer,
            None => Tensor::zeros((batch, length), noise.dtype(), noise.device())?,
        };
        buffer.slice_set(noise, 0, 0)?;
        let rows = buffer.narrow(0, 0, count)?;
        self.0 = Some(buffer);
        Ok(rows)
    }
}
