//! From an image file to its anomaly map and back to the image's own pixels.

mod halving;

use crate::config::Config;
use crate::data::{Margins, crop, uncrop};
use crate::io::resize;
use crate::report::Reporter;
use anyhow::Result;
use candle_core::{Device, Tensor};
use halving::Halving;
use inspect::tensor::TensorReconstructor;
use inspect::{Image, Inspected, Inspection, Residual};
use models::Autoencoder;
use std::error::Error;

/// Cuts an image to the region of interest and scales it, as the network is to see it.
///
/// # Errors
/// If the margins leave nothing of the image.
pub fn prepare(image: &Image, config: &Config) -> Result<Image> {
    Ok(scale(crop(image, config.data.margins)?, config))
}

fn scale(image: Image, config: &Config) -> Image {
    match config.data.size {
        Some([width, height]) => resize(&image, width, height),
        None => image,
    }
}

/// A trained model with all that is needed to inspect images.
pub struct Inspector {
    network: Halving<Network>,
    config: Config,
    inspection: Inspection,
}

impl Inspector {
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(model: Autoencoder, config: &Config) -> Result<Self> {
        let inspection = config.inspection()?;
        let network = Network { model, seed: config.training.seed };
        let network = Halving::new(network, |limit| {
            Reporter::default().warn(&format!(
                "the GPU is out of memory; going on with batches of {limit} patches (inspection.batch_size)"
            ));
        });
        Ok(Self { network, config: config.clone(), inspection })
    }

    /// How a pixel is scored.
    pub fn residual(&self) -> Residual {
        self.inspection.residual
    }

    pub fn margins(&self) -> Margins {
        self.config.data.margins
    }

    /// The maps of the region of interest of an image, in the image's own pixels.
    ///
    /// # Errors
    /// If the image is smaller than the margins and a patch, or the network fails.
    pub fn inspect(&self, image: &Image) -> Result<Inspected> {
        // A large image is not copied for nothing.
        if self.margins() == Margins::default() && self.config.data.size.is_none() {
            return self.inspect_prepared(image);
        }
        let inner = crop(image, self.margins())?;
        let (width, height) = (inner.width(), inner.height());
        let inspected = self.inspect_prepared(&scale(inner, &self.config))?;
        let restore = |map: &Image| resize(map, width, height);
        Ok(Inspected {
            reconstruction: restore(&inspected.reconstruction),
            residual: restore(&inspected.residual),
            anomaly_map: restore(&inspected.anomaly_map),
        })
    }

    /// The maps of an image that [`prepare`] has made, in its own pixels.
    ///
    /// # Errors
    /// If the image is smaller than a patch, or the network fails.
    pub fn inspect_prepared(&self, image: &Image) -> Result<Inspected> {
        Ok(inspect::tensor::inspect(image, &self.network, &self.inspection)?)
    }

    /// A map of the region of interest in the frame of the whole image, with zeros around.
    pub fn uncrop(&self, map: &Image) -> Image {
        uncrop(map, self.margins(), 0.0)
    }
}

/// A network as `inspect` knows it.
struct Network {
    model: Autoencoder,
    /// Of latent samples.
    seed: u64,
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
