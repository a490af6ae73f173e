//! Inspection where the network is: tiles are cut, reconstructed, stitched and compared on candle's device, and an image
//! crosses over once in each direction. Smoothing and opening follow on the CPU.
//!
//! On the CPU, [`inspect`](crate::inspect()) does the same with less overhead, and gives the same maps: sums are taken in the
//! same order, in f64. Here the memory is bounded: an image of more than four million pixels is inspected in bands, with the same
//! result to the bit, and takes a few hundred megabytes beside itself and its maps.

mod bands;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(test)]
mod emulated;
mod geometry;
mod reconstructor;
mod residual;
mod sampled;
mod stitch;
mod storage;
mod tiles;

use candle_core::{DType, Tensor};

use crate::finite::check_finite;
use crate::residual::residual_values;
use crate::{Averaging, Error, Image, Inspected, Inspection, Plane, Residual, anomaly_map};
use bands::{BAND, Bands, append};
pub use reconstructor::TensorReconstructor;
use reconstructor::reconstruct;
use residual::residual_maps;
use sampled::inspect_samples;

/// Inspects one image as [`inspect`](crate::inspect()) does, on the reconstructor's device.
///
/// A device other than the CPU holds a batch of patches, two planes of the image's size and their residual map.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use inspect::tensor::{TensorReconstructor, inspect};
/// use inspect::{Image, Inspection, Residual, Tiling};
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
/// let paper = Inspection::paper(Residual::L2);
/// let inspection = Inspection { tiling: Tiling { stride: 1, ..paper.tiling }, ..paper };
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
    inspect_in_bands(image, reconstructor, inspection, BAND)
}

/// [`inspect`] in bands of at most `band` pixels, or of one row of patches.
fn inspect_in_bands(
    image: &Image,
    reconstructor: &dyn TensorReconstructor,
    inspection: &Inspection,
    band: usize,
) -> Result<Inspected, Error> {
    check_finite("the image", image.data())?;
    let (width, height) = image.size();
    let Inspection { tiling, averaging, residual, smoothing, opening } = *inspection;
    smoothing.validate()?;
    let (device, patch) = (reconstructor.device(), reconstructor.patch_size());
    let bands = Bands::new(image, device, patch, &tiling, band)?;
    let [reconstruction, residual] = match (averaging, residual) {
        (_, Residual::Sampled(sampled)) => {
            inspect_samples(&bands, reconstructor, averaging, &sampled)?
        }
        (Averaging::Reconstruction, residual) => {
            average_reconstructions(&bands, reconstructor, &residual)?
        }
        (Averaging::Residual, residual) => average_residuals(&bands, reconstructor, &residual)?,
    };
    check_finite("the reconstruction", &reconstruction)?;
    check_finite("the residual map", &residual)?;
    let reconstruction = Plane::new(width, height, reconstruction)?;
    let residual = Plane::new(width, height, residual)?;
    let anomaly_map = anomaly_map(&residual, &smoothing, opening)?;
    Ok(Inspected { reconstruction, residual, anomaly_map })
}

/// The mean of all reconstructions of each pixel, and its residual map, row by row.
fn average_reconstructions(
    bands: &Bands<'_>,
    reconstructor: &dyn TensorReconstructor,
    residual: &Residual,
) -> Result<[Vec<f32>; 2], Error> {
    let (width, height) = bands.image.size();
    residual.check(width, height)?;
    let mut reconstruction = bands.plane();
    // The residual of a pixel may depend on the range of all pixels, so that it is taken of whole planes: on the CPU of those in
    // memory, elsewhere of these.
    let (mut pixels, mut means) = (Vec::new(), Vec::new());
    bands.for_each(
        |tiles, range, patches, [sum]| sum.add(tiles, range, &reconstruct(reconstructor, patches)?),
        |rows, [mean]| {
            let mean = mean.to_dtype(DType::F32)?;
            append(&mut reconstruction, &mean)?;
            if !bands.device.is_cpu() {
                pixels.push(rows);
                means.push(mean);
            }
            Ok(())
        },
    )?;
    check_finite("the reconstruction", &reconstruction)?;
    let values = match bands.device.is_cpu() {
        true => residual_values(bands.image.data(), &reconstruction, width, height, residual)?,
        false => residual_on_device(&pixels, &means, residual)?,
    };
    Ok([reconstruction, values])
}

/// The residual map of an image and its reconstruction in bands `(rows, W)`, row by row.
fn residual_on_device(
    image: &[Tensor],
    reconstruction: &[Tensor],
    residual: &Residual,
) -> Result<Vec<f32>, Error> {
    let (x, y) = (Tensor::cat(image, 0)?, Tensor::cat(reconstruction, 0)?);
    Ok(residual_maps(&x, &y, residual)?.flatten_all()?.to_vec1()?)
}

/// The averaged reconstruction and the average of the patches' residual maps, row by row.
fn average_residuals(
    bands: &Bands<'_>,
    reconstructor: &dyn TensorReconstructor,
    residual: &Residual,
) -> Result<[Vec<f32>; 2], Error> {
    let patch = reconstructor.patch_size();
    residual.check(patch, patch)?;
    let mut planes = [bands.plane(), bands.plane()];
    bands.for_each(
        |tiles, range, patches, [reconstruction, residuals]| {
            let reconstructions = reconstruct(reconstructor, patches)?;
            let maps = residual_maps(patches, &reconstructions, residual)?;
            residuals.add(tiles, range.clone(), &maps)?;
            reconstruction.add(tiles, range, &reconstructions)
        },
        |_, means| {
            let mut planes = planes.iter_mut().zip(&means);
            planes.try_for_each(|(plane, mean)| append(plane, mean))
        },
    )?;
    Ok(planes)
}

#[cfg(test)]
mod tests;
