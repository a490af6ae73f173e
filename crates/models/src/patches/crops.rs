//! Patches cut on the device that holds the images.

use crate::record::Record;
use candle_core::Device;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
#[cfg(feature = "cuda")]
use candle_core::{CudaStorage, cuda_backend::WrapErr};
use convolutions::contiguous;

/// The share of a GPU's free memory that images may take.
#[cfg(feature = "cuda")]
const MOST_OF_MEMORY: f64 = 0.5;

/// Whether the device is to hold images of so many pixels. Others cut patches on the CPU, where the images are already.
#[cfg(feature = "cuda")]
pub(super) fn is_done_by(device: &Device, pixels: usize) -> Result<bool> {
    let Device::Cuda(device) = device else { return Ok(false) };
    let (free, _) = device.cuda_stream().context().mem_get_info().w()?;
    Ok((pixels * size_of::<f32>()) as f64 <= MOST_OF_MEMORY * free as f64)
}

/// As above: without CUDA, no device is.
#[cfg(not(feature = "cuda"))]
pub(super) fn is_done_by(_: &Device, _: usize) -> Result<bool> {
    Ok(false)
}

/// The patches `(N, 1, size, size)` of images, one vector of pixels, at `places` `(N, 2)`: where each begins, and how wide its image
/// is.
pub(crate) fn cut(images: &Tensor, places: &Tensor, size: usize) -> Result<Tensor> {
    images.apply_op2_no_bwd(places, &Cut { size, count: places.dim(0)?, record: None })
}

/// So many patches as above that come next, where `places` are those of an epoch and the record says how far the run is.
pub(crate) fn cut_next(
    images: &Tensor,
    places: &Tensor,
    size: usize,
    count: usize,
    record: &Record,
) -> Result<Tensor> {
    images.apply_op2_no_bwd(places, &Cut { size, count, record: Some(record.clone()) })
}

struct Cut {
    size: usize,
    count: usize,
    record: Option<Record>,
}

impl Cut {
    fn shape(&self) -> Shape {
        Shape::from((self.count, 1, self.size, self.size))
    }

    /// The first place, for who computes on the CPU.
    fn first(&self, epoch: usize) -> Result<usize> {
        match &self.record {
            Some(record) => Ok(record.read()?.standing.patches as usize % epoch),
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
        let (record, counts) = (self.record.as_ref(), (self.count, self.size));
        Ok((crate::cuda::training::cut_patches(images, places, record, counts)?, self.shape()))
    }
}
