//! A trained and calibrated model that decides about images.

use crate::Result;
use crate::images::read_image_and_hash;
use crate::inspector::Inspector;
use crate::model_folder::ModelFolder;
use candle_core::Device;
use inspect::{Connectivity, Decision, Image, Mask, NOT_SCORED, Plane, Region, Regions, regions};
use std::path::Path;

/// A trained and calibrated model.
///
/// ```no_run
/// use detector::{Detector, Verdict};
///
/// let detector = Detector::open("model")?;
/// let found = detector.inspect(&detector.read("line-3/0001.png")?)?;
/// if found.verdict == Verdict::Defective {
///     println!("score {}, {} regions", found.score, found.regions.len());
/// }
/// # Ok::<(), detector::Error>(())
/// ```
pub struct Detector {
    inspector: Inspector,
    decision: Decision,
}

/// The result of an inspection. All planes have the size of the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The network's reconstruction of the image. Outside of the region of interest it is 0.
    pub reconstruction: Image,
    /// The anomaly map: a pixel scores higher where the image is more defective. Outside of the region of interest it is 0.
    pub map: Image,
    /// The pixels of the region of interest, if these are not all.
    pub inside: Option<Mask>,
    /// The defective pixels: those of regions that score at least the threshold and have at least the least area.
    pub mask: Mask,
    /// The number of the region that each pixel belongs to, 0 for none.
    pub labels: Plane<u32>,
    /// The 8-connected regions of defective pixels, ordered by their first pixels.
    pub regions: Vec<Region>,
    /// The largest threshold at which the image is defective: the largest score, if a single pixel makes a defect.
    /// Relative scores are 1 at the calibrated threshold.
    pub score: f32,
    /// Whether there is a defect.
    pub verdict: Verdict,
}

/// The decision about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No pixel is defective.
    Good,
    /// At least one pixel is defective.
    Defective,
}

impl Detector {
    /// Opens the model of a folder, on the CPU.
    ///
    /// # Errors
    /// If a file is missing or cannot be read, or the files do not belong together; see [`ModelFolder::open`] and
    /// [`ModelFolder::calibration`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_on(folder, &Device::Cpu)
    }

    /// As [`Detector::open`], on a device.
    ///
    /// # Errors
    /// As [`Detector::open`], or if the weights do not fit on the device.
    pub fn open_on(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let folder = ModelFolder::open(folder.as_ref())?;
        let (config, calibration) = (folder.config()?, folder.calibration()?);
        let inspector = Inspector::new(folder.model(&config, device)?, &config)?;
        Ok(Self::new(inspector.calibrated(&calibration)?, calibration.decision()))
    }

    /// A detector that decides by a threshold and a least area of one's own.
    pub fn new(inspector: Inspector, decision: Decision) -> Self {
        Self { inspector, decision }
    }

    /// The threshold and the least area of a defect.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Reads an image as those that the network was trained on.
    ///
    /// # Errors
    /// If it cannot be read; see [`read_image`](crate::read_image).
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Image> {
        self.inspector.read(path.as_ref())
    }

    /// As [`Detector::read`], and the SHA-256 of the file, in hexadecimal digits. The file is read once.
    ///
    /// # Errors
    /// As [`Detector::read`].
    pub fn read_and_hash(&self, path: impl AsRef<Path>) -> Result<(Image, String)> {
        read_image_and_hash(path.as_ref(), self.inspector.config().data.conversion()?)
    }

    /// Inspects an image with intensities in [0, 1].
    ///
    /// # Errors
    /// If there is no region of interest in the image, it is too small, the network fails, or `data.region` has a mask for each image.
    pub fn inspect(&self, image: &Image) -> Result<Found> {
        self.inspect_named(image, None)
    }

    /// As [`inspect`](Self::inspect), for models whose `data.region` has a mask for each image: the name of the image's file tells
    /// which is its own.
    ///
    /// # Errors
    /// If there is no region of interest in the image, its mask cannot be read, it is too small, or the network fails.
    pub fn inspect_named(&self, image: &Image, name: Option<&Path>) -> Result<Found> {
        let inspected = self.inspector.inspect_named(image, name)?;
        let (mut map, reconstruction) = (inspected.anomaly_map, inspected.reconstruction);
        let (mask, score) = (self.decision.mask(&map), self.decision.score(&map));
        let inside = map.map(|score| score > NOT_SCORED);
        let inside = inside.data().contains(&false).then_some(inside);
        map.data_mut()
            .iter_mut()
            .filter(|score| **score == NOT_SCORED)
            .for_each(|score| *score = 0.0);
        let Regions { labels, regions } = regions(&mask, &map, Connectivity::Eight)?;
        let verdict = if regions.is_empty() { Verdict::Good } else { Verdict::Defective };
        Ok(Found { reconstruction, map, inside, mask, labels, regions, score, verdict })
    }
}
