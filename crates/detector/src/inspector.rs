//! Inspection of a whole image: margins, scaling, patches, residual map, and back to the image's own pixels.

use crate::Result;
use crate::config::Config;
use crate::data::{Margins, crop, uncrop};
use crate::halving::Halving;
use crate::images::resize;
use crate::network::Network;
use inspect::{Image, Inspected, Inspection, Residual};
use models::Autoencoder;

/// Crops an image to the region of interest and scales it, as the network takes it.
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

/// A trained network and the settings that images are inspected with.
pub struct Inspector {
    network: Halving<Network>,
    config: Config,
    inspection: Inspection,
}

impl Inspector {
    /// An inspector with the settings of a configuration.
    ///
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(model: Autoencoder, config: &Config) -> Result<Self> {
        let inspection = config.inspection()?;
        let network = Halving::new(Network { model, seed: config.training.seed });
        Ok(Self { network, config: config.clone(), inspection })
    }

    /// Calls `note` with the number of patches whenever a GPU is out of memory and the inspection goes on with batches of that
    /// size.
    #[must_use]
    pub fn on_smaller_batches(self, note: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self { network: self.network.on_smaller_batches(note), ..self }
    }

    /// How a pixel is scored.
    pub fn residual(&self) -> Residual {
        self.inspection.residual
    }

    /// The margins around the region of interest.
    pub fn margins(&self) -> Margins {
        self.config.data.margins
    }

    /// The maps of the region of interest of an image, in the image's own pixels.
    ///
    /// # Errors
    /// If the image is smaller than the margins and a patch, or the network fails.
    pub fn inspect(&self, image: &Image) -> Result<Inspected> {
        // Without margins and scaling, a large image is not copied.
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
