//! Adding up patches that overlap.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, DType, Device, InplaceOp2, Layout, Tensor, WithDType, bail};
use std::ops::Range;

use super::geometry::Geometry;
use super::storage::contiguous;
use super::tiles::Tiles;
use crate::Error;
use crate::stitch::add_patches;

/// The running sum of the patches of a band, in f64 as on the CPU.
pub(super) struct Stitch {
    /// `(H, W)`
    sum: Tensor,
}

impl Stitch {
    pub fn new(geometry: Geometry, device: &Device) -> Result<Self, Error> {
        Ok(Self { sum: zeros(geometry.height, geometry.width, device)? })
    }

    /// Adds the patches of these numbers, `(N, 1, patch, patch)` or `(N, patch, patch)`, of f32 or f64.
    pub fn add(
        &mut self,
        tiles: &Tiles<'_>,
        range: Range<usize>,
        patches: &Tensor,
    ) -> Result<(), Error> {
        let add = Add { geometry: tiles.geometry, range };
        Ok(self.sum.inplace_op2(&patches.contiguous()?, &add)?)
    }

    /// Gives the first rows away, `(rows, W)`. Those that are left are the first ones of the next band.
    pub fn take(&mut self, rows: usize) -> Result<Tensor, Error> {
        let taken = self.sum.narrow(0, 0, rows)?;
        self.sum = self.sum.narrow(0, rows, self.sum.dim(0)? - rows)?;
        Ok(taken)
    }

    /// Appends rows of zeros, up to the height of the next band.
    pub fn extend(&mut self, height: usize) -> Result<(), Error> {
        let (left, width) = self.sum.dims2()?;
        if left < height {
            let zeros = zeros(height - left, width, self.sum.device())?;
            self.sum = if left == 0 { zeros } else { Tensor::cat(&[&self.sum, &zeros], 0)? };
        }
        Ok(())
    }
}

fn zeros(height: usize, width: usize, device: &Device) -> Result<Tensor, Error> {
    Ok(Tensor::zeros((height, width), DType::F64, device)?)
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
