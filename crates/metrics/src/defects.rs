//! The contributions of defective pixels to the per-region overlap.

use rayon::prelude::*;

use crate::region::{Regions, regions};
use crate::{ScoredImage, key};

/// The defective pixels of all images.
#[derive(Clone, Debug)]
pub(crate) struct Defects {
    /// Key in the upper and region in the lower 32 bits, ascending: in the
    /// order of descending scores, and always in the same order among ties.
    pixels: Vec<u64>,
    /// The contribution of a pixel of each region to the overlap: one over the
    /// region's size.
    weights: Vec<f64>,
}

impl Defects {
    /// The images hold fewer than 2³² pixels in all.
    pub(crate) fn of(images: &[ScoredImage<'_>]) -> Self {
        let found: Vec<Regions> =
            images.par_iter().map(|image| regions(image.labels, image.width.max(1))).collect();
        let sizes = || found.iter().flat_map(|regions| &regions.sizes);
        let mut pixels = Vec::with_capacity(sizes().sum());
        let mut first = 0;
        for (image, regions) in images.iter().zip(&found) {
            for (run, region) in &regions.runs {
                // Region numbers stay below 2³², as there are no more than pixels.
                let region = (first + region) as u64;
                let keys = image.scores[run.clone()].iter().map(|&score| key::encode(score));
                pixels.extend(keys.map(|key| u64::from(key) << 32 | region));
            }
            first += regions.sizes.len();
        }
        pixels.par_sort_unstable();
        Self { pixels, weights: sizes().map(|&size| 1.0 / size as f64).collect() }
    }

    /// The number of regions.
    pub(crate) fn regions(&self) -> usize {
        self.weights.len()
    }

    /// The contribution of each pixel to the overlap, in the order of descending
    /// scores.
    pub(crate) fn weights(&self) -> impl ExactSizeIterator<Item = f64> {
        self.pixels.iter().map(|&pixel| self.weights[(pixel & u64::from(u32::MAX)) as usize])
    }
}
