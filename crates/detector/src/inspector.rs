//! Inspection of a whole image: margins, scaling, patches, residual map, and back to the image's own pixels.

use crate::Result;
use crate::config::{Config, Scores};
use crate::data::{Margins, crop, uncrop};
use crate::error::{Context, bail};
use crate::halving::Halving;
use crate::images::resize;
use crate::network::Network;
use crate::records::Calibration;
use inspect::{Image, Inspected, Inspection, Reference, Residual, open, residual_map};
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
    /// Those of the residual maps after the first one.
    others: Vec<Residual>,
    /// Present if scores are relative and the model is calibrated.
    reference: Option<Reference>,
}

/// The maps of an image before its scores become relative to good images.
pub(crate) struct Compared {
    pub inspected: Inspected,
    /// The residual maps after the first one.
    pub others: Vec<Image>,
}

impl Compared {
    /// All residual maps.
    pub fn into_residuals(self) -> Vec<Image> {
        std::iter::once(self.inspected.residual).chain(self.others).collect()
    }
}

impl Inspector {
    /// An inspector with the settings of a configuration. Where scores are relative to good images, it has to be calibrated before it
    /// inspects: see [`calibrated`](Self::calibrated), [`calibrate`](crate::calibrate).
    ///
    /// # Errors
    /// If the configuration is out of range.
    pub fn new(model: Autoencoder, config: &Config) -> Result<Self> {
        let inspection = config.inspection()?;
        let others = config.residuals()?.split_off(1);
        let network = Halving::new(Network { model, seed: config.training.seed });
        Ok(Self { network, config: config.clone(), inspection, others, reference: None })
    }

    /// The same with the good images of a calibration to compare with.
    ///
    /// # Errors
    /// If scores are relative to good images, but the calibration has other residual maps or Gaussians.
    pub fn calibrated(self, calibration: &Calibration) -> Result<Self> {
        if self.config.inspection.scores == Scores::Residual {
            return Ok(self);
        }
        let expected = (1 + self.others.len(), &self.config.inspection.smoothing[..]);
        let fits = |reference: &&Reference| {
            (reference.residual_maps(), &reference.sigmas()[..]) == expected
        };
        match calibration.reference.as_ref().filter(fits) {
            Some(reference) => Ok(Self { reference: Some(reference.clone()), ..self }),
            None => bail!(
                "relative scores need a calibration with the same `residual` and `inspection.smoothing`; `bench-cli calibrate` makes it"
            ),
        }
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
        let size = inner.size();
        let inspected = self.inspect_prepared(&scale(inner, &self.config))?;
        Ok(Inspected {
            reconstruction: self.restore(inspected.reconstruction, size),
            residual: self.restore(inspected.residual, size),
            anomaly_map: self.restore(inspected.anomaly_map, size),
        })
    }

    /// The maps of an image that [`prepare`] has made, in its own pixels.
    ///
    /// # Errors
    /// If the image is smaller than a patch, the network fails, or scores are relative and the inspector is not calibrated.
    pub fn inspect_prepared(&self, image: &Image) -> Result<Inspected> {
        if self.config.inspection.scores == Scores::Residual {
            return Ok(self.compare(image)?.inspected);
        }
        let uncalibrated = "relative scores need good images to compare with: calibrate first";
        let reference = self.reference.as_ref().with_context(|| uncalibrated.to_owned())?;
        let Compared { inspected, others } = self.compare(image)?;
        let Inspected { reconstruction, residual, .. } = inspected;
        let mut residuals: Vec<_> = std::iter::once(residual).chain(others).collect();
        let anomaly_map = self.relative(reference, &residuals)?;
        Ok(Inspected { reconstruction, residual: residuals.swap_remove(0), anomaly_map })
    }

    /// The anomaly map of an image that [`prepare`] has made, relative to good images.
    pub(crate) fn relative(&self, reference: &Reference, residuals: &[Image]) -> Result<Image> {
        Ok(open(&reference.anomaly_map(residuals)?, self.inspection.opening))
    }

    /// All residual maps of an image that [`prepare`] has made.
    pub(crate) fn compare(&self, image: &Image) -> Result<Compared> {
        let inspected = inspect::tensor::inspect(image, &self.network, &self.inspection)?;
        let map = |residual| residual_map(image, &inspected.reconstruction, residual);
        let others = self.others.iter().map(map).collect::<Result<_, _>>()?;
        Ok(Compared { inspected, others })
    }

    /// A map of an image that [`prepare`] has made, in the pixels of the region of interest.
    pub(crate) fn restore(&self, map: Image, (width, height): (usize, usize)) -> Image {
        match self.config.data.size {
            Some(_) => resize(&map, width, height),
            None => map,
        }
    }

    /// The settings that images are inspected with.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A map of the region of interest in the frame of the whole image, with zeros around.
    pub fn uncrop(&self, map: &Image) -> Image {
        uncrop(map, self.margins(), 0.0)
    }
}
