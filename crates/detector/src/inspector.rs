//! Inspection of a whole image: its view, patches, residual maps, and back to the image's own pixels.

use crate::Result;
use crate::config::{Config, Scores};
use crate::error::{Context, bail};
use crate::halving::Halving;
use crate::network::Network;
use crate::records::Calibration;
use crate::view::{View, Views};
use inspect::{
    Image, Inspected, Inspection, NOT_SCORED, Reference, RegionOfInterest, Residual, open,
    residual_map,
};
use models::Autoencoder;
use std::path::Path;

/// A trained network and the settings that images are inspected with.
pub struct Inspector {
    network: Halving<Network>,
    config: Config,
    views: Views,
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
    /// If the configuration is out of range, or its region of interest cannot be read.
    pub fn new(model: Autoencoder, config: &Config) -> Result<Self> {
        let (inspection, views) = (config.inspection()?, Views::of(&config.data)?);
        let others = config.residuals()?.split_off(1);
        let network = Halving::new(Network { model, seed: config.training.seed });
        Ok(Self { network, config: config.clone(), views, inspection, others, reference: None })
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

    /// The first residual: how a pixel and its reconstruction are compared.
    pub fn residual(&self) -> Residual {
        self.inspection.residual
    }

    /// Reads an image as those that the network was trained on.
    ///
    /// # Errors
    /// If it cannot be read; see [`read_image`](crate::read_image).
    pub fn read(&self, path: &Path) -> Result<Image> {
        self.config.data.read(path)
    }

    /// The view that the network has of images.
    pub fn views(&self) -> &Views {
        &self.views
    }

    /// The maps of an image, all of its size. Outside of the region of interest, the anomaly map is [`NOT_SCORED`], and the others
    /// are 0.
    ///
    /// # Errors
    /// If there is no region of interest in the image, it is too small, the network fails, or `data.region` has a mask for each image.
    pub fn inspect(&self, image: &Image) -> Result<Inspected> {
        self.inspect_named(image, None)
    }

    /// As [`inspect`](Self::inspect), for settings of `data.region` with a mask for each image: the name of the image's file tells which
    /// is its own.
    ///
    /// # Errors
    /// If there is no region of interest in the image, its mask cannot be read, it is too small, or the network fails.
    pub fn inspect_named(&self, image: &Image, name: Option<&Path>) -> Result<Inspected> {
        let View { image, place } = self.views.view(image, name)?;
        let inspected = self.inspect_view(&image, place.region.as_ref())?;
        Ok(Inspected {
            reconstruction: place.uncrop(inspected.reconstruction, 0.0),
            residual: place.uncrop(inspected.residual, 0.0),
            anomaly_map: place.uncrop(inspected.anomaly_map, NOT_SCORED),
        })
    }

    /// The maps of an image that is [what the network sees](View::image), in its own pixels.
    ///
    /// # Errors
    /// If the image is smaller than a patch, the network fails, or scores are relative and the inspector is not calibrated.
    pub fn inspect_prepared(&self, image: &Image) -> Result<Inspected> {
        self.inspect_view(image, None)
    }

    fn inspect_view(&self, image: &Image, region: Option<&RegionOfInterest>) -> Result<Inspected> {
        if self.config.inspection.scores == Scores::Residual {
            return Ok(self.compare(image)?.inspected);
        }
        let uncalibrated = "relative scores need good images to compare with: calibrate first";
        let reference = self.reference.as_ref().with_context(|| uncalibrated.to_owned())?;
        let Compared { inspected, others } = self.compare(image)?;
        let Inspected { reconstruction, residual, .. } = inspected;
        let mut residuals: Vec<_> = std::iter::once(residual).chain(others).collect();
        let anomaly_map = self.relative(reference, &residuals, region)?;
        Ok(Inspected { reconstruction, residual: residuals.swap_remove(0), anomaly_map })
    }

    /// The anomaly map of a view, relative to good images.
    pub(crate) fn relative(
        &self,
        reference: &Reference,
        residuals: &[Image],
        region: Option<&RegionOfInterest>,
    ) -> Result<Image> {
        Ok(open(&reference.anomaly_map_within(residuals, region)?, self.inspection.opening))
    }

    /// All residual maps of a view.
    pub(crate) fn compare(&self, image: &Image) -> Result<Compared> {
        let inspected = inspect::tensor::inspect(image, &self.network, &self.inspection)?;
        let map = |residual| residual_map(image, &inspected.reconstruction, residual);
        let others = self.others.iter().map(map).collect::<Result<_, _>>()?;
        Ok(Compared { inspected, others })
    }

    /// The settings that images are inspected with.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}
