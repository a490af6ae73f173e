//! Training patches, cut at random places that depend on nothing but the seed.

use crate::stream::{Stream, below};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// A single-channel training image, row by row, with intensities in [0, 1].
#[derive(Clone, Debug)]
pub struct TrainingImage {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width · height` intensities.
    pub pixels: Vec<f32>,
}

/// Which patches the epochs of a training run see.
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
    seed: u64,
}

impl PatchSource {
    pub fn new(images: Vec<TrainingImage>, patch_size: usize, seed: u64) -> Result<Self> {
        if images.is_empty() {
            return Err(Error::NoImages);
        }
        for (index, &TrainingImage { width, height, ref pixels }) in images.iter().enumerate() {
            if width < patch_size || height < patch_size {
                return Err(Error::ImageTooSmall { index, width, height, patch: patch_size });
            }
            if pixels.len() != width * height {
                let expected = format!("{} values for {width}x{height} pixels", width * height);
                return Err(Error::setting("image", expected, pixels.len()));
            }
        }
        Ok(Self { images, patch_size, seed })
    }

    /// The patches of the given numbers, `(N, 1, patch_size, patch_size)`: each from an image chosen at random, at a place
    /// chosen at random in it.
    pub fn batch(&self, patches: &[u64], device: &Device) -> Result<Tensor> {
        let size = self.patch_size;
        let mut pixels = Vec::with_capacity(patches.len() * size * size);
        for &patch in patches {
            let mut rng = Stream::Crop { patch }.rng(self.seed);
            let image = &self.images[below(&mut rng, self.images.len())];
            let left = below(&mut rng, image.width - size + 1);
            let top = below(&mut rng, image.height - size + 1);
            for row in image.pixels.chunks_exact(image.width).skip(top).take(size) {
                pixels.extend_from_slice(&row[left..left + size]);
            }
        }
        Ok(Tensor::from_vec(pixels, (patches.len(), 1, size, size), device)?)
    }
}

/// The numbers of the patches of an epoch, in the order in which they are seen.
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

    /// An image whose pixels tell their place: `100 · y + x`.
    fn image(width: usize, height: usize) -> TrainingImage {
        let pixels = (0..width * height).map(|i| (100 * (i / width) + i % width) as f32).collect();
        TrainingImage { width, height, pixels }
    }

    #[test]
    fn patches_are_cut_where_the_seed_says() {
        let source = PatchSource::new(vec![image(40, 37)], 32, 5).unwrap();
        let batch = source.batch(&[0, 1, 2, 3], &Device::Cpu).unwrap();
        assert_eq!(batch.dims(), [4, 1, 32, 32]);
        for patch in batch.flatten(1, 3).unwrap().to_vec2::<f32>().unwrap() {
            let (top, left) = ((patch[0] / 100.0).floor(), patch[0] % 100.0);
            assert!(top <= 5.0 && left <= 8.0);
            let expected: Vec<f32> = (0..32 * 32)
                .map(|i| 100.0 * (top + (i / 32) as f32) + left + (i % 32) as f32)
                .collect();
            assert_eq!(patch, expected);
        }
        let again = source.batch(&[3], &Device::Cpu).unwrap();
        let third = batch.get(3).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(again.flatten_all().unwrap().to_vec1::<f32>().unwrap(), third);
    }

    #[test]
    fn every_place_is_reached() {
        let source = PatchSource::new(vec![image(34, 33)], 32, 5).unwrap();
        let patches: Vec<u64> = (0..200).collect();
        let batch = source.batch(&patches, &Device::Cpu).unwrap();
        let mut corners: Vec<u32> = batch
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
        let error = PatchSource::new(vec![image(40, 40), image(64, 31)], 32, 0).unwrap_err();
        assert!(matches!(error, Error::ImageTooSmall { index: 1, height: 31, .. }));
        assert!(matches!(PatchSource::new(vec![], 32, 0), Err(Error::NoImages)));
    }
}
