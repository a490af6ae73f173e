//! Cutting patches out of an image.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use std::ops::Range;

#[cfg(feature = "cuda")]
use super::cuda;
use super::geometry::Geometry;
use super::storage::contiguous;
use crate::Error;

/// A band of an image, `(H, W)` on a device, and where its patches lie.
pub(super) struct Tiles<'a> {
    pub image: &'a Tensor,
    pub geometry: Geometry,
    /// The band's first row in the image with its padding.
    top: usize,
    batch: usize,
}

impl<'a> Tiles<'a> {
    /// `batch`, at least 1, is how many patches are cut at once.
    pub fn new(image: &'a Tensor, geometry: Geometry, top: usize, batch: usize) -> Self {
        Self { image, geometry, top, batch }
    }

    /// Side length of the patches in pixels.
    pub fn patch(&self) -> usize {
        self.geometry.patch
    }

    /// Cuts all patches, row by row, and hands them to `visit` batch by batch, `(N, 1, patch, patch)` with their numbers.
    pub fn for_each_batch(
        &self,
        mut visit: impl FnMut(Range<usize>, &Tensor) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let count = self.geometry.columns * self.geometry.rows;
        for first in (0..count).step_by(self.batch) {
            let range = first..count.min(first + self.batch);
            let cut = Cut { geometry: self.geometry, range: range.clone() };
            visit(range, &self.image.apply_op1_no_bwd(&cut)?)?;
        }
        Ok(())
    }

    /// The corners `(x, y)` of some patches in the image with its padding.
    pub fn corners(&self, range: Range<usize>) -> Vec<(usize, usize)> {
        let in_image = |(x, y)| (x, self.top + y);
        range.map(|tile| in_image(self.geometry.corner(tile))).collect()
    }
}

/// Image `(H, W)` → patches `(N, 1, patch, patch)`.
struct Cut {
    geometry: Geometry,
    range: Range<usize>,
}

impl Cut {
    fn shape(&self) -> Shape {
        (self.range.len(), 1, self.geometry.patch, self.geometry.patch).into()
    }
}

impl CustomOp1 for Cut {
    fn name(&self) -> &'static str {
        "cut-tiles"
    }

    fn cpu_fwd(
        &self,
        image: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (image, Geometry { width, patch, .. }) =
            (contiguous::<f32>(image, layout)?, self.geometry);
        let mut patches = Vec::with_capacity(self.range.len() * self.geometry.area());
        for (x, y) in self.range.clone().map(|tile| self.geometry.corner(tile)) {
            for row in image.chunks_exact(width).skip(y).take(patch) {
                patches.extend_from_slice(&row[x..x + patch]);
            }
        }
        Ok((CpuStorage::F32(patches), self.shape()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        image: &CudaStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        Ok((cuda::cut(self.geometry, &self.range, (image, layout))?, self.shape()))
    }
}
