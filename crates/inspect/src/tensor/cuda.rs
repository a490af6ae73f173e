//! Launches of `kernels/tiles.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Result, bail};

use super::geometry::Geometry;
use std::ops::Range;

/// Devices keep modules by name.
const MODULE: &str = concat!("inspect-", env!("CARGO_PKG_VERSION"));
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/tiles.ptx"));

/// Threads of a block.
const THREADS: usize = 256;

// The kernels count in 64 bits.
const _: () = assert!(size_of::<usize>() == 8);

// SAFETY: `repr(C)` and nothing but numbers, with the fields of `Geometry` in `kernels/tiles.cu`.
unsafe impl DeviceRepr for Geometry {}

/// A tensor's elements and where they lie.
type Stored<'a> = (&'a CudaStorage, &'a Layout);

/// Cuts patches out of an image.
pub(super) fn cut(
    geometry: Geometry,
    tiles: &Range<usize>,
    image: Stored<'_>,
) -> Result<CudaStorage> {
    let (device, image) = (image.0.device(), elements::<f32>(image)?);
    let (first, count) = (tiles.start, tiles.len());
    let pixels = count * geometry.area();
    // SAFETY: the kernel writes all of it, and nothing reads it before.
    let mut patches: CudaSlice<f32> = unsafe { device.alloc(pixels) }?;
    let (kernel, stream) = (kernel(device, "cut_tiles")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&image).arg(&geometry).arg(&first).arg(&count).arg(&mut patches);
    // SAFETY: the arguments are those of the kernel. The patches lie in the image, and a thread writes one pixel of them.
    unsafe { builder.launch(config(pixels)?) }.w()?;
    Ok(CudaStorage::wrap_cuda_slice(patches, device.clone()))
}

/// Adds weighted patches of f32 or f64 to a sum.
pub(super) fn add(
    geometry: Geometry,
    tiles: &Range<usize>,
    sum: &mut CudaStorage,
    patches: Stored<'_>,
    weights: Stored<'_>,
) -> Result<()> {
    let weights = elements::<f64>(weights)?;
    match patches.0.dtype() {
        DType::F64 => {
            add_as("add_tiles_f64", geometry, tiles, sum, &elements::<f64>(patches)?, &weights)
        }
        _ => add_as("add_tiles_f32", geometry, tiles, sum, &elements::<f32>(patches)?, &weights),
    }
}

fn add_as<T: CudaDType + DeviceRepr>(
    name: &'static str,
    geometry: Geometry,
    tiles: &Range<usize>,
    sum: &mut CudaStorage,
    patches: &CudaView<'_, T>,
    weights: &CudaView<'_, f64>,
) -> Result<()> {
    let (first, count) = (tiles.start, tiles.len());
    let rows = geometry.rows_of(tiles);
    let (top, rows) = (rows.start, rows.len());
    let (kernel, stream) = (kernel(sum.device(), name)?, sum.device().cuda_stream());
    let sums = sum.as_cuda_slice_mut::<f64>()?;
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(patches).arg(weights).arg(&geometry).arg(&first).arg(&count);
    builder.arg(&top).arg(&rows).arg(sums);
    // SAFETY: the arguments are those of the kernel. It reads within `count` patches and within as many weights as a patch has
    // rows; a thread changes one of the sums in the rows that the patches cover.
    unsafe { builder.launch(config(rows * geometry.width)?) }.w()?;
    Ok(())
}

/// The means of the differences of samples from patches, and of their squares.
pub(super) fn moments(patches: Stored<'_>, decodes: Stored<'_>) -> Result<CudaStorage> {
    let (count, samples, height, width) = decodes.1.shape().dims4()?;
    let (device, area) = (patches.0.device(), height * width);
    let (patches, decodes) = (elements::<f32>(patches)?, elements::<f32>(decodes)?);
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

/// The elements of a contiguous tensor.
fn elements<'a, T: CudaDType>((storage, layout): Stored<'a>) -> Result<CudaView<'a, T>> {
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
