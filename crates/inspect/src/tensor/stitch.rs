//! Averaging patches that overlap.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{
    CpuStorage, CustomOp1, DType, InplaceOp2, Layout, Shape, Tensor, WithDType, bail,
};
use rayon::prelude::*;
use std::ops::Range;

use super::contiguous;
use super::geometry::Geometry;
use super::tiles::Tiles;
use crate::Error;
use crate::stitch::add_patches;

/// The running sum of patches, in f64 as on the CPU.
pub(super) struct Stitch {
    geometry: Geometry,
    /// `(H, W)`
    sum: Tensor,
}

impl Stitch {
    pub fn new(tiles: &Tiles<'_>) -> Result<Self, Error> {
        let (geometry, device) = (tiles.geometry, tiles.image.device());
        let sum = Tensor::zeros((geometry.height, geometry.width), DType::F64, device)?;
        Ok(Self { geometry, sum })
    }

    /// Adds the patches of these numbers, `(N, 1, patch, patch)` or `(N, patch, patch)`, of f32 or f64.
    pub fn add(&mut self, range: Range<usize>, patches: &Tensor) -> Result<(), Error> {
        let add = Add { geometry: self.geometry, range };
        Ok(self.sum.inplace_op2(&patches.contiguous()?, &add)?)
    }

    /// The mean of the patches that cover each pixel, `(H, W)`.
    pub fn average(&self) -> Result<Tensor, Error> {
        Ok(self.precise_average()?.to_dtype(DType::F32)?)
    }

    /// As [`average`](Self::average), before the rounding.
    pub fn precise_average(&self) -> Result<Tensor, Error> {
        Ok(self.sum.apply_op1_no_bwd(&Average { geometry: self.geometry })?)
    }
}

/// Sum `(H, W)` += patches `(N, …, patch, patch)`, each pixel's in the order of their numbers.
pub(super) struct Add {
    pub geometry: Geometry,
    pub range: Range<usize>,
}

impl Add {
    /// The rows of the image that the patches touch.
    #[cfg(feature = "cuda")]
    pub fn rows(&self) -> Range<usize> {
        let (first, last) = (self.range.start, self.range.end - 1);
        self.geometry.corner(first).1..self.geometry.corner(last).1 + self.geometry.patch
    }

    fn run<T: WithDType + Into<f64>>(
        &self,
        sum: &mut [f64],
        patches: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<()> {
        let corners: Vec<_> = self.range.clone().map(|tile| self.geometry.corner(tile)).collect();
        let patches = contiguous::<T>(patches, layout)?;
        add_patches(sum, self.geometry.width, self.geometry.patch, &corners, patches);
        Ok(())
    }
}

impl InplaceOp2 for Add {
    fn name(&self) -> &'static str {
        "add-tiles"
    }

    fn cpu_fwd(
        &self,
        sum: &mut CpuStorage,
        _: &Layout,
        patches: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<()> {
        let CpuStorage::F64(sum) = sum else { bail!("{}: expected a sum in f64", self.name()) };
        match patches {
            CpuStorage::F64(_) => self.run::<f64>(sum, patches, layout),
            _ => self.run::<f32>(sum, patches, layout),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        sum: &mut CudaStorage,
        _: &Layout,
        patches: &CudaStorage,
        layout: &Layout,
    ) -> candle_core::Result<()> {
        self.on_cuda(sum, patches, layout)
    }
}

/// Sum `(H, W)` → the same, divided by the number of patches that cover a pixel.
pub(super) struct Average {
    pub geometry: Geometry,
}

impl CustomOp1 for Average {
    fn name(&self) -> &'static str {
        "average-tiles"
    }

    fn cpu_fwd(
        &self,
        sum: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let Geometry { width, patch, stride, columns, rows, height } = self.geometry;
        let along = |length, count| move |at: usize| covering(at, length, patch, stride, count);
        let (columns, rows) = (along(width, columns), along(height, rows));
        let mut average = contiguous::<f64>(sum, layout)?.to_vec();
        average.par_chunks_mut(width).enumerate().for_each(|(y, line)| {
            for (x, value) in line.iter_mut().enumerate() {
                *value /= (columns(x) * rows(y)) as f64;
            }
        });
        Ok((CpuStorage::F64(average), layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        sum: &CudaStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        Ok((self.on_cuda(sum, layout)?, layout.shape().clone()))
    }
}

/// How many of `count` patches along an axis cover a pixel of it.
fn covering(at: usize, length: usize, patch: usize, stride: usize, count: usize) -> usize {
    // The last one is flush with the border; the others are at multiples of the stride.
    let first = (at + stride).saturating_sub(patch) / stride;
    let end = (at / stride + 1).min(count - 1);
    end.saturating_sub(first) + usize::from(at + patch >= length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use crate::tiling::Grid;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn pixels_are_covered_as_the_grid_says(
            patch in 1usize..12, wider in 0usize..40, part in 0.0f64..1.0,
        ) {
            let stride = 1 + ((patch - 1) as f64 * part) as usize;
            let length = patch + wider;
            let (columns, _) = Grid::new(length, patch, patch, stride).unwrap().coverage();
            let count = Geometry::new(length, patch, patch, stride).unwrap().columns;
            for (at, &expected) in columns.iter().enumerate() {
                let got = covering(at, length, patch, stride, count);
                prop_assert_eq!(got, expected as usize, "at {}", at);
            }
        }
    }
}
