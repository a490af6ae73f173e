//! Several reconstructions of each patch.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape};

use super::bands::{Bands, append};
#[cfg(feature = "cuda")]
use super::cuda;
use super::reconstructor::{TensorReconstructor, check_shape};
use super::residual::scores;
use super::storage::contiguous;
use crate::samples::moments;
use crate::{Averaging, Error, Sampled};

/// The averaged reconstruction, of all samples and patches, and the residual map, row by row.
pub(super) fn inspect_samples(
    bands: &Bands<'_>,
    reconstructor: &dyn TensorReconstructor,
    averaging: Averaging,
    sampled: &Sampled,
) -> Result<[Vec<f32>; 2], Error> {
    sampled.validate()?;
    let Sampled { samples, score } = *sampled;
    let (mut reconstruction, mut residual) = (bands.plane(), bands.plane());
    bands.for_each(
        // Of the differences from the image: their means, and the means of their squares or else the scores.
        |tiles, range, patches, [means, second]| {
            let corners = tiles.corners(range.clone());
            let decodes = reconstructor.sample(patches, &corners, samples);
            let decodes = decodes.map_err(Error::Reconstructor)?;
            check_shape(&decodes, &[range.len(), samples, tiles.patch(), tiles.patch()])?;
            let moments = patches.apply_op2_no_bwd(&decodes.contiguous()?, &Moments)?;
            let (mean, mean_square) = (moments.get(0)?, moments.get(1)?);
            let patch_second = match averaging {
                Averaging::Reconstruction => mean_square,
                // Rounded as where each patch has a map of its own.
                Averaging::Residual => scores(score, &mean, &mean_square)?.to_dtype(DType::F32)?,
            };
            second.add(tiles, range.clone(), &patch_second)?;
            means.add(tiles, range, &mean)
        },
        |pixels, [means, second]| {
            append(&mut reconstruction, &(pixels.to_dtype(DType::F64)? + &means)?)?;
            let scores = match averaging {
                Averaging::Reconstruction => scores(score, &means, &second)?,
                Averaging::Residual => second,
            };
            append(&mut residual, &scores)
        },
    )?;
    Ok([reconstruction, residual])
}

/// Patches `(N, 1, patch, patch)` and their reconstructions `(N, samples, patch, patch)` → the means of the differences of the
/// latter from the former, and those of their squares, `(2, N, patch, patch)` in f64.
pub(super) struct Moments;

impl Moments {
    fn shape(decodes: &Layout) -> candle_core::Result<Shape> {
        let (count, _, height, width) = decodes.shape().dims4()?;
        Ok((2, count, height, width).into())
    }
}

impl CustomOp2 for Moments {
    fn name(&self) -> &'static str {
        "moments-of-samples"
    }

    fn cpu_fwd(
        &self,
        patches: &CpuStorage,
        patches_layout: &Layout,
        decodes: &CpuStorage,
        decodes_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, samples, height, width) = decodes_layout.shape().dims4()?;
        let patches = contiguous(patches, patches_layout)?;
        let decodes = contiguous(decodes, decodes_layout)?;
        let (mut moments, squares) = moments(patches, decodes, height * width, samples);
        moments.extend(squares);
        Ok((CpuStorage::F64(moments), Self::shape(decodes_layout)?))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        patches: &CudaStorage,
        patches_layout: &Layout,
        decodes: &CudaStorage,
        decodes_layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        let moments = cuda::moments((patches, patches_layout), (decodes, decodes_layout))?;
        Ok((moments, Self::shape(decodes_layout)?))
    }
}
