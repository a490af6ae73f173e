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
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::progress::Progress;

    /// An image whose pixels tell their place: `100 · y + x`.
    fn image(width: usize, height: usize) -> TrainingImage {
        let pixels = (0..width * height).map(|i| (100 * (i / width) + i % width) as f32).collect();
        TrainingImage { width, height, pixels, places: None }
    }

    fn source(images: Vec<TrainingImage>) -> Result<PatchSource> {
        PatchSource::new(images, 32, Corruption::Blocks, 5, &Device::Cpu)
    }

    fn batch(source: &PatchSource, patches: &[u64]) -> Tensor {
        let epoch = source.epoch(patches.to_vec()).unwrap();
        source.batch(&epoch, 0..patches.len()).unwrap()
    }

    /// The inputs and the patches of an epoch of 200, as a run sees them after `seen` patches.
    fn corrupted(source: &PatchSource, seen: u64) -> [Vec<Vec<f32>>; 2] {
        let log = LossLog::new(&Device::Cpu).unwrap();
        log.restart(Progress { patches: seen, ..Progress::default() }).unwrap();
        let epoch = source.epoch((0..200).collect()).unwrap();
        let Batch { patches, inputs } = source.next_batch(&epoch, 0..200, seen, &log).unwrap();
        [inputs, patches].map(|batch| batch.flatten(1, 3).unwrap().to_vec2().unwrap())
    }

    #[test]
    fn blocks_cover_a_part_of_what_the_network_sees() {
        // White columns are not to be trained on.
        let inside: Vec<bool> = (0..64 * 64).map(|i| i % 64 >= 6).collect();
        let pixels = inside.iter().map(|&inside| if inside { 0.5 } else { 1.0 }).collect();
        let places = CropPlaces::within((64, 64), &inside, 32, 1.0);
        let source = source(vec![TrainingImage { width: 64, height: 64, pixels, places }]).unwrap();
        let [inputs, patches] = corrupted(&source, 0);
        assert!(patches.iter().flatten().all(|&pixel| pixel == 0.5), "the target is the patch");
        let changed = inputs.iter().map(|input| input.iter().filter(|&&p| p != 0.5).count());
        let changed: Vec<usize> = changed.collect();
        // One patch of five has no block, and some have only blocks of another patch, which is as grey; blocks are at most 11 pixels wide.
        let clean = changed.iter().filter(|&&count| count == 0).count();
        assert!((40..100).contains(&clean), "{clean}");
        assert!(changed.iter().all(|&count| count <= 4 * 11 * 11));
        assert!(inputs.iter().flatten().all(|pixel| (0.0..1.0).contains(pixel)), "not of outside");
        assert_eq!(corrupted(&source, 0)[0], inputs);
        // What a run sees later has other blocks, also where patches are the same in each epoch.
        assert_eq!(corrupted(&source, 1)[0][..199], inputs[1..]);
        assert_ne!(corrupted(&source, 200)[0], inputs);
    }

    #[test]
    fn devices_corrupt_patches_alike() {
        let dim = |width, height| {
            let mut image = image(width, height);
            image.pixels.iter_mut().for_each(|pixel| *pixel /= 6000.0);
            image
        };
        let images = || vec![dim(40, 37), dim(33, 50)];
        let here = source(images()).unwrap();
        let there = source(images()).unwrap().on_device().unwrap();
        for source in [source(images()).unwrap(), source(images()).unwrap().on_device().unwrap()] {
            let [inputs, patches] =
                corrupted(&PatchSource { corruption: Corruption::None, ..source }, 200);
            assert_eq!(inputs, patches, "without corruption");
        }
        let [expected, patches] = corrupted(&here, 200);
        assert_eq!(corrupted(&there, 200), [expected.clone(), patches.clone()]);
        assert_ne!(expected, patches);
    }

    #[test]
    fn patches_are_cut_where_the_seed_says() {
        let source = source(vec![image(40, 37)]).unwrap();
        let batch = batch(&source, &[0, 1, 2, 3]);
        assert_eq!(batch.dims(), [4, 1, 32, 32]);
        for patch in batch.flatten(1, 3).unwrap().to_vec2::<f32>().unwrap() {
            let (top, left) = ((patch[0] / 100.0).floor(), patch[0] % 100.0);
            assert!(top <= 5.0 && left <= 8.0);
            let expected: Vec<f32> = (0..32 * 32)
                .map(|i| 100.0 * (top + (i / 32) as f32) + left + (i % 32) as f32)
                .collect();
            assert_eq!(patch, expected);
        }
        let again = self::batch(&source, &[3]);
        let third = batch.get(3).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(again.flatten_all().unwrap().to_vec1::<f32>().unwrap(), third);
    }

    #[test]
    fn every_place_is_reached() {
        let patches: Vec<u64> = (0..200).collect();
        let mut corners: Vec<u32> = batch(&source(vec![image(34, 33)]).unwrap(), &patches)
            .flatten(1, 3)
            .unwrap()
            .to_vec2::<f32>()
            .unwrap()
            .iter()
            .map(|patch| patch[0] as u32)
            .collect();
        corners.sort_unstable();
        corners.dedup();
        assert_eq!(corners, [0, 1, 2, 100, 101, 102]);
    }

    #[test]
    fn patches_are_cut_where_they_may_be() {
        let inside: Vec<bool> = (0..40 * 37).map(|i| i % 40 >= 6).collect();
        let places = CropPlaces::within((40, 37), &inside, 32, 1.0);
        let images = vec![TrainingImage { places: places.clone(), ..image(40, 37) }];
        let patches = batch(&source(images).unwrap(), &(0..200).collect::<Vec<_>>());
        let corners = patches.flatten(1, 3).unwrap().to_vec2::<f32>().unwrap();
        let lefts: std::collections::BTreeSet<u32> =
            corners.iter().map(|patch| patch[0] as u32 % 100).collect();
        assert_eq!(lefts.into_iter().collect::<Vec<_>>(), [6, 7, 8]);
        assert!(source(vec![TrainingImage { places, ..image(41, 37) }]).is_err());
    }

    #[test]
    fn devices_cut_the_same_patches() {
        let images = || vec![image(40, 37), image(33, 50), image(32, 32)];
        let here = source(images()).unwrap();
        let there = source(images()).unwrap().on_device().unwrap();
        let [here, there] = [here, there].map(|source| {
            let epoch = source.epoch((5..25).collect()).unwrap();
            let batch = source.batch(&epoch, 3..17).unwrap();
            assert_eq!(batch.dims(), [14, 1, 32, 32]);
            batch.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        });
        assert_eq!(here, there);
    }

    #[test]
    fn fixed_epochs_hold_the_same_patches_in_another_order() {
        let first = epoch_order(Sampling::Fixed, 0, 50, 1);
        let second = epoch_order(Sampling::Fixed, 1, 50, 1);
        assert_ne!(first, second);
        let sorted = |mut order: Vec<u64>| {
            order.sort_unstable();
            order
        };
        assert_eq!(sorted(first), sorted(second));
        assert_eq!(epoch_order(Sampling::Fresh, 2, 3, 1), [6, 7, 8]);
    }

    #[test]
    fn images_that_no_patch_fits_into_are_refused() {
        let error = source(vec![image(40, 40), image(64, 31)]).unwrap_err();
        assert!(matches!(error, Error::ImageTooSmall { index: 1, height: 31, .. }));
        assert!(matches!(source(vec![]), Err(Error::NoImages)));
    }
}
