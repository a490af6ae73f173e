//! Patches cut on the device that holds the images.

use crate::loss_log::LossLog;
use candle_core::Device;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
#[cfg(feature = "cuda")]
use candle_core::{
    CudaStorage,
    cuda_backend::{WrapErr, cudarc::driver::CudaSlice},
};
use convolutions::contiguous;

/// The share of a GPU's free memory that images may take.
#[cfg(feature = "cuda")]
const MOST_OF_MEMORY: f64 = 0.5;

/// Whether the device holds images of `pixels` pixels in all, and cuts patches out of them. Otherwise the CPU does.
#[cfg(feature = "cuda")]
pub(super) fn has_room(device: &Device, pixels: usize) -> Result<bool> {
    let Device::Cuda(device) = device else { return Ok(false) };
    let (free, _) = device.cuda_stream().context().mem_get_info().w()?;
    Ok((pixels * size_of::<f32>()) as f64 <= MOST_OF_MEMORY * free as f64)
}

/// Without CUDA, no device holds images.
#[cfg(not(feature = "cuda"))]
pub(super) fn has_room(_: &Device, _: usize) -> Result<bool> {
    Ok(false)
}

/// Cuts patches `(N, 1, size, size)` out of images. `images` is the pixels of all images as one vector; `places` `(N, 2)` holds where
/// each patch begins in it, and the width of its image.
pub(crate) fn cut(images: &Tensor, places: &Tensor, size: usize) -> Result<Tensor> {
    images.apply_op2_no_bwd(places, &Cut { size, count: places.dim(0)?, log: None })
}

/// Cuts the next `count` patches of an epoch, as [`cut`] does: `places` holds the places of all patches of the epoch, and the log tells
/// how many of them were seen.
pub(crate) fn cut_next(
    images: &Tensor,
    places: &Tensor,
    size: usize,
    count: usize,
    log: &LossLog,
) -> Result<Tensor> {
    images.apply_op2_no_bwd(places, &Cut { size, count, log: Some(log.clone()) })
}

struct Cut {
    size: usize,
    count: usize,
    log: Option<LossLog>,
}

impl Cut {
    fn shape(&self) -> Shape {
        Shape::from((self.count, 1, self.size, self.size))
    }

    /// The number of the first patch within its epoch of `epoch` patches, where the CPU computes.
    fn first(&self, epoch: usize) -> Result<usize> {
        match &self.log {
            Some(log) => Ok(log.read()?.progress.patches as usize % epoch),
            None => Ok(0),
        }
    }
}

impl CustomOp2 for Cut {
    fn name(&self) -> &'static str {
        "cut-patches"
    }

    fn cpu_fwd(
        &self,
        images: &CpuStorage,
        images_layout: &Layout,
        places: &CpuStorage,
        places_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let images = contiguous(images, images_layout)?;
        let places = &places.as_slice::<i64>()?[places_layout.start_offset()..];
        let first = self.first(places_layout.dims()[0])?;
        let mut patches = Vec::with_capacity(self.shape().elem_count());
        for place in places.chunks_exact(2).skip(first).take(self.count) {
            let [start, width] = [place[0] as usize, place[1] as usize];
            for row in 0..self.size {
                patches.extend_from_slice(&images[start + row * width..][..self.size]);
            }
        }
        Ok((CpuStorage::F32(patches), self.shape()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        images: &CudaStorage,
        images_layout: &Layout,
        places: &CudaStorage,
        places_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (images, places) = ((images, images_layout), (places, places_layout));
        let cut = |log: Option<&CudaSlice<f64>>| {
            crate::cuda::training::cut_patches(images, places, log, (self.count, self.size))
        };
        let patches = match &self.log {
            Some(log) => log.on_cuda(|values| cut(Some(values))),
            None => cut(None),
        };
        Ok((patches?, self.shape()))
    }
}
