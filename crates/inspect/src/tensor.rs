//! Inspection where the network is: tiles are cut, reconstructed, stitched and compared on candle's device, and an image
//! crosses over once in each direction. The opening follows on the CPU.
//!
//! On the CPU, [`inspect`](crate::inspect()) does the same with less overhead, and gives the same maps: sums are taken in the
//! same order, in f64.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(test)]
mod emulated;
mod geometry;
mod residual;
mod sampled;
mod stitch;
mod tiles;

use candle_core::{CpuStorage, Device, Layout, Tensor, WithDType, bail};

use crate::finite::check_finite;
use crate::{Averaging, Error, Image, Inspected, Inspection, Plane, Residual, Tiling, open};
use geometry::Geometry;
use residual::residual_maps;
use sampled::inspect_samples;
use stitch::Stitch;
use tiles::Tiles;

/// Anything that reconstructs square patches on a device; see [`Reconstructor`](crate::Reconstructor).
pub trait TensorReconstructor {
    /// Side length of the patches in pixels.
    fn patch_size(&self) -> usize;

    /// Where patches are to lie.
    fn device(&self) -> &Device;

    /// Reconstructs patches `(N, 1, patch, patch)` of f32 intensities in [0, 1]; the result has the same shape.
    ///
    /// # Errors
    /// Whatever the implementation cannot do; it reaches the caller as [`Error::Reconstructor`].
    fn reconstruct(
        &self,
        patches: &Tensor,
    ) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>>;

    /// Reconstructs each of `patches`, `(N, 1, patch, patch)`, `samples` times: `(N, samples, patch, patch)`. Randomness
    /// should come from the patch's place in the image, the column and row of its first pixel in `corners`.
    ///
    /// # Errors
    /// As for [`reconstruct`](Self::reconstruct); without an implementation, always.
    fn sample(
        &self,
        patches: &Tensor,
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>> {
        let _ = (patches, corners, samples);
        Err("this reconstructor has one reconstruction of a patch, and no samples".into())
    }
}

/// Inspects one image as [`inspect`](crate::inspect()) does, on the reconstructor's device.
///
/// The device holds a batch of patches and a few planes of the image's size.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use inspect::tensor::{TensorReconstructor, inspect};
/// use inspect::{Averaging, Disk, Image, Inspection, Residual, Tiling};
///
/// /// Has only ever seen black.
/// struct Black;
///
/// impl TensorReconstructor for Black {
///     fn patch_size(&self) -> usize {
///         2
///     }
///
///     fn device(&self) -> &Device {
///         &Device::Cpu
///     }
///
///     fn reconstruct(
///         &self,
///         patches: &Tensor,
///     ) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>> {
///         Ok(patches.zeros_like()?)
///     }
/// }
///
/// let inspection = Inspection {
///     tiling: Tiling { stride: 1, batch: 8 },
///     averaging: Averaging::Reconstruction,
///     residual: Residual::L2,
///     opening: Disk::with_diameter(0),
/// };
/// let image = Image::new(3, 2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.5])?;
/// let maps = inspect(&image, &Black, &inspection)?;
/// assert_eq!(maps.residual.data(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.25]);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// Those of [`inspect`](crate::inspect()), and [`Error::Tensor`] if the device fails.
pub fn inspect(
    image: &Image,
    reconstructor: &dyn TensorReconstructor,
    inspection: &Inspection,
) -> Result<Inspected, Error> {
    check_finite("the image", image.data())?;
    let (width, height) = image.size();
    let Tiling { stride, batch } = inspection.tiling;
    let geometry = Geometry::new(width, height, reconstructor.patch_size(), stride)?;
    let pixels = Tensor::from_slice(image.data(), (height, width), reconstructor.device())?;
    let tiles = Tiles::new(&pixels, geometry, batch)?;
    let maps = match (inspection.averaging, &inspection.residual) {
        (_, Residual::Sampled(sampled)) => {
            inspect_samples(&tiles, reconstructor, inspection.averaging, sampled)?
        }
        (Averaging::Reconstruction, residual) => {
            residual.check(width, height)?;
            let reconstruction = stitched(&tiles, reconstructor)?;
            let residual = residual_maps(&pixels, &reconstruction, residual)?;
            [reconstruction, residual]
        }
        (Averaging::Residual, residual) => average_residuals(&tiles, reconstructor, residual)?,
    };
    let [reconstruction, residual] = planes(&maps, width, height)?;
    check_finite("the reconstruction", reconstruction.data())?;
    check_finite("the residual map", residual.data())?;
    let anomaly_map = open(&residual, inspection.opening);
    Ok(Inspected { reconstruction, residual, anomaly_map })
}

/// The mean of all reconstructions of each pixel, `(H, W)`.
fn stitched(tiles: &Tiles<'_>, reconstructor: &dyn TensorReconstructor) -> Result<Tensor, Error> {
    let mut stitch = Stitch::new(tiles)?;
    tiles.for_each_batch(|range, patches| {
        stitch.add(range, &reconstruct(reconstructor, patches)?)
    })?;
    stitch.average()
}

/// The averaged reconstruction and the average of the patches' residual maps, both `(H, W)`.
fn average_residuals(
    tiles: &Tiles<'_>,
    reconstructor: &dyn TensorReconstructor,
    residual: &Residual,
) -> Result<[Tensor; 2], Error> {
    residual.check(tiles.patch(), tiles.patch())?;
    let (mut reconstruction, mut residuals) = (Stitch::new(tiles)?, Stitch::new(tiles)?);
    tiles.for_each_batch(|range, patches| {
        let reconstructions = reconstruct(reconstructor, patches)?;
        residuals.add(range.clone(), &residual_maps(patches, &reconstructions, residual)?)?;
        reconstruction.add(range, &reconstructions)
    })?;
    Ok([reconstruction.average()?, residuals.average()?])
}

fn reconstruct(reconstructor: &dyn TensorReconstructor, patches: &Tensor) -> Result<Tensor, Error> {
    let reconstructions = reconstructor.reconstruct(patches).map_err(Error::Reconstructor)?;
    check_shape(&reconstructions, patches.dims())?;
    Ok(reconstructions)
}

/// Checks what a reconstructor gives for a batch of patches.
fn check_shape(reconstructions: &Tensor, expected: &[usize]) -> Result<(), Error> {
    if reconstructions.dims() == expected {
        return Ok(());
    }
    Err(Error::ReconstructionShape {
        expected: expected.to_vec(),
        got: reconstructions.dims().to_vec(),
    })
}

/// Maps `(H, W)` from the device, at once.
fn planes(maps: &[Tensor; 2], width: usize, height: usize) -> Result<[Image; 2], Error> {
    let mut values = Tensor::stack(maps, 0)?.flatten_all()?.to_vec1::<f32>()?;
    let second = values.split_off(width * height);
    Ok([Plane::new(width, height, values)?, Plane::new(width, height, second)?])
}

/// The elements of a contiguous tensor in memory.
fn contiguous<'a, T: WithDType>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> candle_core::Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => bail!("the inspection of tensors expects contiguous ones"),
    }
}
