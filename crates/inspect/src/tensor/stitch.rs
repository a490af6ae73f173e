//! Adding up patches that overlap.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, DType, Device, InplaceOp3, Layout, Tensor, WithDType, bail};
use std::ops::Range;

#[cfg(feature = "cuda")]
use super::cuda;
use super::geometry::Geometry;
use super::storage::contiguous;
use super::tiles::Tiles;
use crate::Error;
use crate::stitch::add_patches;

/// The running sum of the weighted patches of a band, in f64 as on the CPU.
pub(super) struct Stitch {
    /// `(H, W)`
    sum: Tensor,
    /// The weights along one axis of a patch, `(patch)` in f64.
    weights: Tensor,
}

impl Stitch {
    /// Zeros, on the device of the weights.
    pub fn new(geometry: Geometry, weights: &Tensor) -> Result<Self, Error> {
        let sum = zeros(geometry.height, geometry.width, weights.device())?;
        Ok(Self { sum, weights: weights.clone() })
    }

    /// Adds the patches of these numbers, `(N, 1, patch, patch)` or `(N, patch, patch)`, of f32 or f64.
    pub fn add(
        &mut self,
        tiles: &Tiles<'_>,
        range: Range<usize>,
        patches: &Tensor,
    ) -> Result<(), Error> {
        let add = Add { geometry: tiles.geometry, range };
        Ok(self.sum.inplace_op3(&patches.contiguous()?, &self.weights, &add)?)
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

/// Sum `(H, W)` += patches `(N, …, patch, patch)`, weighted by `(patch)` in each direction; each pixel's in the order of their
/// numbers.
struct Add {
    geometry: Geometry,
    range: Range<usize>,
}

impl Add {
    fn run<T: WithDType + Into<f64>>(
        &self,
        sum: &mut [f64],
        patches: (&CpuStorage, &Layout),
        weights: &[f64],
    ) -> candle_core::Result<()> {
        let corners: Vec<_> = self.range.clone().map(|tile| self.geometry.corner(tile)).collect();
        let patches = contiguous::<T>(patches.0, patches.1)?;
        add_patches(sum, self.geometry.width, weights, &corners, patches);
        Ok(())
    }
}

impl InplaceOp3 for Add {
    fn name(&self) -> &'static str {
        "add-tiles"
    }

    fn cpu_fwd(
        &self,
        sum: &mut CpuStorage,
        _: &Layout,
        patches: &CpuStorage,
        patches_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> candle_core::Result<()> {
        let CpuStorage::F64(sum) = sum else { bail!("{}: expected a sum in f64", self.name()) };
        let (weights, layout) = (contiguous(weights, weights_layout)?, patches_layout);
        match patches {
            CpuStorage::F64(_) => self.run::<f64>(sum, (patches, layout), weights),
            _ => self.run::<f32>(sum, (patches, layout), weights),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        sum: &mut CudaStorage,
        _: &Layout,
        patches: &CudaStorage,
        patches_layout: &Layout,
        weights: &CudaStorage,
        weights_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (patches, weights) = ((patches, patches_layout), (weights, weights_layout));
        cuda::add(self.geometry, &self.range, sum, patches, weights)
    }
}
