//! Launches of `kernels/training.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::{NULL, count, elements, load, threads};
use crate::step_size::StepSizeRule;
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, bail};

type Stored<'a> = (&'a CudaStorage, &'a Layout);

/// The settings of Adam that a kernel takes; `kernels/training.cu` has the same fields.
#[repr(C)]
pub(crate) struct Decay {
    pub beta1: f32,
    pub beta2: f32,
    pub weight_decay: f32,
    pub epsilon: f32,
}

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/training.cu`.
unsafe impl DeviceRepr for Decay {}
// SAFETY: as above.
unsafe impl DeviceRepr for StepSizeRule {}

/// Cuts square patches of `size` pixels a side out of images. `places` `(N, 2)` holds where each patch of an epoch begins and how wide its
/// image is; all lie within the images. The first of the `patches` is the one that is next by the log, or the epoch's first without one.
pub(crate) fn cut_patches(
    images: Stored<'_>,
    places: Stored<'_>,
    log: Option<&CudaSlice<f64>>,
    (patches, size): (usize, usize),
) -> Result<CudaStorage> {
    let device = images.0.device();
    let (images, places) =
        (elements::<f32>(images.0, images.1)?, elements::<i64>(places.0, places.1)?);
    if patches > places.len() / 2 {
        bail!("{patches} patches of {} places", places.len() / 2);
    }
    let pixels = patches * size * size;
    // SAFETY: the kernel writes all of it, and nothing reads it before.
    let mut patches: CudaSlice<f32> = unsafe { device.alloc(pixels) }?;
    let (pixels, size, epoch) = (count(pixels)?, count(size)?, count(places.len() / 2)?);
    let (kernel, stream) = (load(device, "cut_patches")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&images).arg(&places).arg(&epoch);
    match log {
        Some(log) => builder.arg(log),
        None => builder.arg(&NULL),
    };
    builder.arg(&pixels).arg(&size).arg(&mut patches);
    // SAFETY: the arguments are those of the kernel. A thread reads two numbers of its patch, which is one of the epoch, since no
    // batch goes beyond its end, and a pixel that lies in the images, by the caller's promise, and writes one pixel.
    unsafe { builder.launch(threads(pixels)) }.w()?;
    Ok(CudaStorage::wrap_cuda_slice(patches, device.clone()))
}

/// Corrupts the patches `(N, 1, size, size)` that are next by the log. Images and places are those that [`cut_patches`] has cut them from.
pub(crate) fn corrupt_patches(
    patches: Stored<'_>,
    images: Stored<'_>,
    places: Stored<'_>,
    log: &CudaSlice<f64>,
    seed: u64,
) -> Result<CudaStorage> {
    let device = patches.0.device();
    let size = count(patches.1.dims()[3])?;
    let patches = elements::<f32>(patches.0, patches.1)?;
    let (images, places) =
        (elements::<f32>(images.0, images.1)?, elements::<i64>(places.0, places.1)?);
    let (pixels, epoch) = (count(patches.len())?, count(places.len() / 2)?);
    // SAFETY: the kernel writes all of it, and nothing reads it before.
    let mut inputs: CudaSlice<f32> = unsafe { device.alloc(patches.len()) }?;
    let (kernel, stream) = (load(device, "corrupt_patches")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&patches).arg(&images).arg(&places).arg(&epoch).arg(log).arg(&seed);
    builder.arg(&pixels).arg(&size).arg(&mut inputs);
    // SAFETY: the arguments are those of the kernel. A thread reads a pixel of the patches, the places of patches of the epoch, and the
    // pixels of these in its place, which lie in the images by the promise of `cut_patches`; it writes one pixel.
    unsafe { builder.launch(threads(pixels)) }.w()?;
    Ok(CudaStorage::wrap_cuda_slice(inputs, device.clone()))
}

/// Adds the loss of a batch of `patches` to the log, and notes whether it and the reconstructions are finite.
pub(crate) fn log_step(
    log: &mut CudaStorage,
    (patches, step_size): (usize, StepSizeRule),
    loss: Stored<'_>,
    reconstructions: Stored<'_>,
) -> Result<()> {
    let device = log.device().clone();
    let loss = elements::<f32>(loss.0, loss.1)?;
    let reconstructions = elements::<f32>(reconstructions.0, reconstructions.1)?;
    let log = log.as_cuda_slice_mut::<f64>()?;
    let stream = device.cuda_stream();

    let (kernel, values) = (load(&device, "find_infinite")?, count(reconstructions.len())?);
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&reconstructions).arg(&values).arg(&mut *log);
    // SAFETY: the arguments are those of the kernel. A thread reads one of the values, and may write one of the log, of which there is a
    // whole one.
    unsafe { builder.launch(threads(values)) }.w()?;

    let (kernel, patches) = (load(&device, "log_step")?, count(patches)?);
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&loss).arg(&patches).arg(&step_size).arg(log);
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are those of the kernel. Its only thread reads a scalar and changes the values of a log, of which there is a
    // whole one.
    unsafe { builder.launch(config) }.w()?;
    Ok(())
}

/// The tensors that a step of Adam reads and changes.
pub(crate) struct State<'a> {
    pub gradient: &'a CudaView<'a, f32>,
    /// Two of each value.
    pub moments: &'a mut CudaSlice<f32>,
    pub variable: &'a mut CudaSlice<f32>,
}

/// Updates both moments of a gradient and moves the variable, unless a step has failed by the log.
pub(crate) fn adam(
    device: &CudaDevice,
    decay: &Decay,
    log: &CudaSlice<f64>,
    State { gradient, moments, variable }: State<'_>,
) -> Result<()> {
    if gradient.len() != variable.len() || moments.len() != 2 * gradient.len() {
        bail!("Adam needs a gradient and two moments of each value");
    }
    let count = count(gradient.len())?;
    let (kernel, stream) = (load(device, "adam")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(gradient).arg(&count).arg(decay).arg(log).arg(moments).arg(variable);
    // SAFETY: the arguments are those of the kernel. A thread reads the log and one of `count` gradients, and changes a parameter and
    // both its moments.
    unsafe { builder.launch(threads(count)) }.w()?;
    Ok(())
}
