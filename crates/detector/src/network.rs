//! A trained network as the crate `inspect` takes it.

use candle_core::{Device, Tensor};
use inspect::tensor::TensorReconstructor;
use models::Autoencoder;
use std::error::Error;

/// A trained network that reconstructs patches.
pub struct Network {
    /// The network.
    pub model: Autoencoder,
    /// The seed of latent samples.
    pub seed: u64,
}

impl TensorReconstructor for Network {
    fn patch_size(&self) -> usize {
        self.model.architecture().patch_size
    }

    fn device(&self) -> &Device {
        self.model.device()
    }

    fn reconstruct(&self, patches: &Tensor) -> Result<Tensor, Box<dyn Error + Send + Sync>> {
        Ok(self.model.reconstruct_detached(patches)?)
    }

    fn sample(
        &self,
        patches: &Tensor,
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Result<Tensor, Box<dyn Error + Send + Sync>> {
        // A patch's place decides about its samples; no image is 2³⁰ pixels wide.
        let keys: Vec<u64> = corners.iter().map(|&(x, y)| (y as u64) << 30 | x as u64).collect();
        Ok(self.model.sample_detached(patches, samples, self.seed, &keys)?)
    }
}
