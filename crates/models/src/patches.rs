//! Training patches, cut at random places that depend on nothing but the seed.

pub(crate) mod corruption;
pub(crate) mod crops;
mod places;

use crate::loss_log::LossLog;
use crate::stream::{Stream, below};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
pub use corruption::Corruption;
use corruption::put_blocks;
pub use places::CropPlaces;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A single-channel training image, row by row, with intensities in [0, 1].
///
/// ```
/// let bytes = [0u8, 51, 102, 153, 204, 255];
/// let pixels: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
/// let image = models::TrainingImage { width: 3, height: 2, pixels, places: None };
/// assert_eq!(image.pixels[image.width], 0.6); // below the first
/// ```
#[derive(Clone, Debug)]
pub struct TrainingImage {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width · height` intensities.
    pub pixels: Vec<f32>,
    /// The places that patches are cut from, if not all.
    pub places: Option<CropPlaces>,
}

/// Which patches the epochs of a training run see.
///
/// ```
/// assert_eq!(serde_json::to_string(&models::Sampling::Fixed)?, "\"fixed\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// New random crops in every epoch.
    #[default]
    Fresh,
    /// The same random crops in every epoch, in a new order: the paper's text taken by the letter (section 4.2: "10 000
    /// defect-free patches", 200 epochs).
    Fixed,
}

/// Images to cut patches from.
#[derive(Debug)]
pub(crate) struct PatchSource {
    images: Vec<TrainingImage>,
    patch_size: usize,
    corruption: Corruption,
    seed: u64,
    device: Device,
    /// The pixels of all images on the device, if it cuts patches itself.
    resident: Option<Tensor>,
}

/// The patches of an epoch, in the order in which they are seen.
#[derive(Debug)]
pub(crate) struct Epoch {
    numbers: Vec<u64>,
    /// The place of each `(N, 2)`, if the device cuts patches itself: where it begins in the pixels of all images, and the width of its
    /// image.
    places: Option<Tensor>,
}

/// The patches of a step `(N, 1, patch_size, patch_size)`.
pub(crate) struct Batch {
    /// The patches as they are, to be reconstructed.
    pub patches: Tensor,
    /// The patches as the network sees them.
    pub inputs: Tensor,
}

/// The place of a patch.
struct Crop {
    image: usize,
    left: usize,
    top: usize,
}

impl PatchSource {
    pub fn new(
        images: Vec<TrainingImage>,
        patch_size: usize,
        corruption: Corruption,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        if images.is_empty() {
            return Err(Error::NoImages);
        }
        for (index, image) in images.iter().enumerate() {
            let &TrainingImage { width, height, ref pixels, ref places } = image;
            if width < patch_size || height < patch_size {
                return Err(Error::ImageTooSmall { index, width, height, patch: patch_size });
            }
            let expected = width.saturating_mul(height);
            if pixels.len() != expected {
                let expected = format!("{expected} values for {width}x{height} pixels");
                return Err(Error::setting("image", expected, pixels.len()));
            }
            if places.as_ref().is_some_and(|p| (p.size, p.patch) != ((width, height), patch_size)) {
                let expected = format!("of patches of {patch_size} pixels of {width}x{height}");
                return Err(Error::setting("places", expected, "others"));
            }
            if let Some(at) = pixels.iter().position(|pixel| !pixel.is_finite()) {
                let (x, y, value) = (at % width, at / width, pixels[at]);
                let got = format!("{value} at ({x}, {y}) of image {index}");
                return Err(Error::setting("image", "of finite pixels", got));
            }
        }
        let device = device.clone();
        let source = Self { images, patch_size, corruption, seed, device, resident: None };
        match crops::has_room(&source.device, source.pixels())? {
            true => source.on_device(),
            false => Ok(source),
        }
    }

    /// Whether the device holds the images, and cuts patches itself.
    pub fn is_on_device(&self) -> bool {
        self.resident.is_some()
    }

    fn pixels(&self) -> usize {
        self.images.iter().map(|image| image.pixels.len()).sum()
    }

    /// Copies the images to the device, which then cuts patches there.
    fn on_device(mut self) -> Result<Self> {
        let pixels = self.images.iter().flat_map(|image| image.pixels.iter().copied()).collect();
        self.resident = Some(Tensor::from_vec::<_, f32>(pixels, self.pixels(), &self.device)?);
        Ok(self)
    }

    /// An epoch of the patches of the given numbers.
    pub fn epoch(&self, numbers: Vec<u64>) -> Result<Epoch> {
        let places = self.resident.as_ref().map(|_| self.places(&numbers)).transpose()?;
        Ok(Epoch { numbers, places })
    }

    /// Puts other patches into an epoch. If there are as many as before, their places replace the old ones in the same memory.
    pub fn refill(&self, epoch: &mut Epoch, numbers: Vec<u64>) -> Result<()> {
        let next = self.epoch(numbers)?;
        match (&epoch.places, &next.places) {
            (Some(places), Some(others)) if places.dims() == others.dims() => {
                places.slice_set(others, 0, 0)?;
                epoch.numbers = next.numbers;
            }
            _ => *epoch = next,
        }
        Ok(())
    }

    /// Cuts the patches of a range of an epoch, `(N, 1, patch_size, patch_size)`: each from an image chosen at random, at a place chosen
    /// at random in it.
    pub fn batch(&self, epoch: &Epoch, range: Range<usize>) -> Result<Tensor> {
        match (&self.resident, &epoch.places) {
            (Some(images), Some(places)) => Ok(crops::cut(
                images,
                &places.narrow(0, range.start, range.len())?,
                self.patch_size,
            )?),
            _ => self.tensor(self.pixels_of(&epoch.numbers[range])),
        }
    }

    /// Cuts the same patches as [`batch`](Self::batch), if `range` is what comes next in a run that has seen `seen` patches, and corrupts
    /// what the network sees of them. A device that cuts patches itself finds the start of the range in the log, so that the launch is
    /// the same for every batch of an epoch.
    pub fn next_batch(
        &self,
        epoch: &Epoch,
        range: Range<usize>,
        seen: u64,
        log: &LossLog,
    ) -> Result<Batch> {
        if let (Some(images), Some(places)) = (&self.resident, &epoch.places) {
            let patches = crops::cut_next(images, places, self.patch_size, range.len(), log)?;
            let inputs = match self.corruption {
                Corruption::None => patches.clone(),
                Corruption::Blocks => {
                    corruption::corrupt_next(&patches, images, places, self.seed, log)?
                }
            };
            return Ok(Batch { patches, inputs });
        }
        let mut pixels = self.pixels_of(&epoch.numbers[range]);
        let patches = self.tensor(pixels.clone())?;
        let inputs = match self.corruption {
            Corruption::None => patches.clone(),
            Corruption::Blocks => {
                let numbers = &epoch.numbers;
                let other = |n: usize| self.pixels_from(&self.crop(numbers[n]));
                let inputs = pixels.chunks_exact_mut(self.patch_size * self.patch_size);
                for (position, input) in (seen..).zip(inputs) {
                    let stream = (self.seed, position);
                    put_blocks(input, self.patch_size, stream, numbers.len(), other);
                }
                self.tensor(pixels)?
            }
        };
        Ok(Batch { patches, inputs })
    }

    /// The pixels of patches, which the CPU cuts.
    fn pixels_of(&self, patches: &[u64]) -> Vec<f32> {
        let size = self.patch_size;
        let mut pixels = Vec::with_capacity(patches.len() * size * size);
        for &patch in patches {
            let (from, stride) = self.pixels_from(&self.crop(patch));
            from.chunks(stride).take(size).for_each(|row| pixels.extend_from_slice(&row[..size]));
        }
        pixels
    }

    fn tensor(&self, pixels: Vec<f32>) -> Result<Tensor> {
        let size = self.patch_size;
        let count = pixels.len() / (size * size);
        Ok(Tensor::from_vec(pixels, (count, 1, size, size), &self.device)?)
    }

    fn crop(&self, patch: u64) -> Crop {
        let mut rng = Stream::Crop { patch }.rng(self.seed);
        let number = below(&mut rng, self.images.len());
        let image = &self.images[number];
        if let Some(places) = &image.places {
            let (left, top) = places.at(below(&mut rng, places.count()));
            return Crop { image: number, left, top };
        }
        let left = below(&mut rng, image.width - self.patch_size + 1);
        let top = below(&mut rng, image.height - self.patch_size + 1);
        Crop { image: number, left, top }
    }

    /// The pixels of an image from the first one of a patch on, and the width of the image.
    fn pixels_from(&self, crop: &Crop) -> (&[f32], usize) {
        let image = &self.images[crop.image];
        (&image.pixels[crop.top * image.width + crop.left..], image.width)
    }

    /// The places of patches `(N, 2)`: where each begins in the pixels of all images, and the width of its image.
    fn places(&self, patches: &[u64]) -> Result<Tensor> {
        let starts: Vec<usize> = (self.images.iter())
            .scan(0, |end, image| Some(std::mem::replace(end, *end + image.pixels.len())))
            .collect();
        let place = |&patch: &u64| {
            let Crop { image, left, top } = self.crop(patch);
            let width = self.images[image].width;
            [(starts[image] + top * width + left) as i64, width as i64]
        };
        let places: Vec<i64> = patches.iter().flat_map(place).collect();
        Ok(Tensor::from_vec(places, (patches.len(), 2), &self.device)?)
    }
}

/// The numbers of the patches of an epoch, in the order in which the run sees them.
pub(crate) fn epoch_order(sampling: Sampling, epoch: u64, length: u64, seed: u64) -> Vec<u64> {
    match sampling {
        Sampling::Fresh => (epoch * length..(epoch + 1) * length).collect(),
        Sampling::Fixed => {
            let mut order: Vec<u64> = (0..length).collect();
            let mut rng = Stream::Order { epoch }.rng(seed);
            for last in (1..order.len()).rev() {
                order.swap(last, below(&mut rng, last + 1));
            }
            order
        }
    }
}

#[cfg(test)]
mod tests;
