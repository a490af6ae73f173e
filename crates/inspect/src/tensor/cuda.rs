//! Launches of `kernels/tiles.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Result, bail};

use super::geometry::Geometry;
use super::sampled::Moments;
use super::stitch::Add;
use super::tiles::Cut;

/// Devices keep modules by name.
const MODULE: &str = concat!("inspect-", env!("CARGO_PKG_VERSION"));
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/tiles.ptx"));

/// Threads of a block.
const THREADS: usize = 256;

// The kernels count in 64 bits.
const _: () = assert!(size_of::<usize>() == 8);

// SAFETY: `repr(C)` and nothing but numbers, with the fields of `Geometry` in `kernels/tiles.cu`.
unsafe impl DeviceRepr for Geometry {}

impl Cut {
    pub fn on_cuda(&self, image: &CudaStorage, layout: &Layout) -> Result<CudaStorage> {
        let (device, image) = (image.device(), elements::<f32>(image, layout)?);
        let (first, count) = (self.range.start, self.range.len());
        let pixels = count * self.geometry.area();
        // SAFETY: the kernel writes all of it, and nothing reads it before.
        let mut patches: CudaSlice<f32> = unsafe { device.alloc(pixels) }?;
        let (kernel, stream) = (kernel(device, "cut_tiles")?, device.cuda_stream());
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&image).arg(&self.geometry).arg(&first).arg(&count).arg(&mut patches);
        // SAFETY: the arguments are those of the kernel. The patches lie in the image, and a thread writes one pixel of them.
        unsafe { builder.launch(config(pixels)?) }.w()?;
        Ok(CudaStorage::wrap_cuda_slice(patches, device.clone()))
    }
}

impl Add {
    pub fn on_cuda(
        &self,
        sum: &mut CudaStorage,
        patches: &CudaStorage,
        layout: &Layout,
    ) -> Result<()> {
        match patches.dtype() {
            DType::F64 => self.add::<f64>("add_tiles_f64", sum, patches, layout),
            _ => self.add::<f32>("add_tiles_f32", sum, patches, layout),
        }
    }

    fn add<T: CudaDType + DeviceRepr>(
        &self,
        name: &'static str,
        sum: &mut CudaStorage,
        patches: &CudaStorage,
        layout: &Layout,
    ) -> Result<()> {
        let patches = elements::<T>(patches, layout)?;
        let (first, count) = (self.range.start, self.range.len());
        let (top, rows) = (self.rows().start, self.rows().len());
        let (kernel, stream) = (kernel(sum.device(), name)?, sum.device().cuda_stream());
        let sums = sum.as_cuda_slice_mut::<f64>()?;
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&patches).arg(&self.geometry).arg(&first).arg(&count);
        builder.arg(&top).arg(&rows).arg(sums);
        // SAFETY: the arguments are those of the kernel. It reads within `count` patches; a thread changes one of the sums in
        // the rows that they cover.
        unsafe { builder.launch(config(rows * self.geometry.width)?) }.w()?;
        Ok(())
    }
}

impl Moments {
    pub fn on_cuda(
        &self,
        (patches, patches_layout): (&CudaStorage, &Layout),
        (decodes, decodes_layout): (&CudaStorage, &Layout),
    ) -> Result<CudaStorage> {
        let (count, samples, height, width) = decodes_layout.shape().dims4()?;
        let (device, area) = (patches.device(), height * width);
        let patches = elements::<f32>(patches, patches_layout)?;
        let decodes = elements::<f32>(decodes, decodes_layout)?;
        let pixels = count * area;
        if patches.len() != pixels {
            bail!("moments on CUDA: expected {pixels} pixels of patches, got {}", patches.len());
        }
        // SAFETY: the kernel writes all of it, and nothing reads it before.
        let mut moments: CudaSlice<f64> = unsafe { device.alloc(2 * pixels) }?;
        let (kernel, stream) = (kernel(device, "moments_of_samples")?, device.cuda_stream());
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&patches).arg(&decodes).arg(&count).arg(&area).arg(&samples).arg(&mut moments);
        // SAFETY: the arguments are those of the kernel. A thread reads a pixel of the patches and its samples, which are as many as the
        // shape says, and writes two moments.
        unsafe { builder.launch(config(pixels)?) }.w()?;
        Ok(CudaStorage::wrap_cuda_slice(moments, device.clone()))
    }
}

/// The elements of a contiguous tensor.
fn elements<'a, T: CudaDType>(
    storage: &'a CudaStorage,
    layout: &Layout,
) -> Result<CudaView<'a, T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<T>()?.slice(start..end)),
        None => bail!("tiles on CUDA: expected a tensor that is contiguous"),
    }
}

fn kernel(device: &CudaDevice, name: &str) -> Result<CudaFunction> {
    Ok(device.get_or_load_custom_func(name, MODULE, PTX)?.into_cuda_function())
}

/// At least a thread for each pixel.
fn config(pixels: usize) -> Result<LaunchConfig> {
    let Ok(blocks) = i32::try_from(pixels.div_ceil(THREADS)) else {
        bail!("tiles on CUDA: {pixels} pixels are too many for one launch")
    };
    let (grid_dim, block_dim) = ((blocks.unsigned_abs(), 1, 1), (THREADS as u32, 1, 1));
    Ok(LaunchConfig { grid_dim, block_dim, shared_mem_bytes: 0 })
}
