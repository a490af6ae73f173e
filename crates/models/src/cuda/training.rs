//! Launches of `kernels/training.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::{NULL, count, elements, load, threads};
use crate::adam::{AdamConfig, Pace};
use crate::record::{Entry, Record};
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, bail};

type Stored<'a> = (&'a CudaStorage, &'a Layout);

/// As in `kernels/training.cu`.
#[repr(C)]
struct Decay {
    beta1: f32,
    beta2: f32,
    weight_decay: f32,
    epsilon: f32,
}

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/training.cu`.
unsafe impl DeviceRepr for Decay {}
// SAFETY: as above.
unsafe impl DeviceRepr for Pace {}

/// Cuts so many patches of `size`×`size` pixels out of images, where `places` `(N, 2)` say: where each begins, and how wide its image
/// is. They lie within the images. The first is the first place, or the next of the epoch by the record.
pub(crate) fn cut_patches(
    images: Stored<'_>,
    places: Stored<'_>,
    record: Option<&Record>,
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
    with(record, |record| {
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&images).arg(&places).arg(&epoch);
        match record {
            Some(record) => builder.arg(record),
            None => builder.arg(&NULL),
        };
        builder.arg(&pixels).arg(&size).arg(&mut patches);
        // SAFETY: the arguments are those of the kernel. A thread reads two numbers of its patch, which is one of the epoch, since no
        // batch goes beyond its end, and a pixel that lies in the images, by the caller's promise, and writes one pixel.
        unsafe { builder.launch(threads(pixels)) }.w()?;
        Ok(())
    })?;
    Ok(CudaStorage::wrap_cuda_slice(patches, device.clone()))
}

/// Records a loss, and whether it and the reconstructions are finite.
pub(crate) fn record_step(
    entry: &Entry,
    record: &mut CudaStorage,
    loss: Stored<'_>,
    reconstructions: Stored<'_>,
) -> Result<()> {
    let device = record.device().clone();
    let loss = elements::<f32>(loss.0, loss.1)?;
    let reconstructions = elements::<f32>(reconstructions.0, reconstructions.1)?;
    let record = record.as_cuda_slice_mut::<f64>()?;
    let stream = device.cuda_stream();

    let (kernel, values) = (load(&device, "look_at")?, count(reconstructions.len())?);
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&reconstructions).arg(&values).arg(&mut *record);
    // SAFETY: the arguments are those of the kernel. A thread reads one of so many values, and may write one of the record, of which
    // there is a whole one.
    unsafe { builder.launch(threads(values)) }.w()?;

    let (kernel, patches) = (load(&device, "record_step")?, count(entry.count)?);
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&loss).arg(&patches).arg(&entry.pace).arg(record);
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are those of the kernel. Its only thread reads a scalar and changes the values of a record, of which there
    // is a whole one.
    unsafe { builder.launch(config) }.w()?;
    Ok(())
}

/// What a step of Adam reads and changes.
pub(crate) struct State<'a> {
    pub gradient: &'a CudaView<'a, f32>,
    /// Two of each value.
    pub moments: &'a mut CudaSlice<f32>,
    pub variable: &'a mut CudaSlice<f32>,
}

/// Updates both moments of a gradient and moves the variable, unless a step has failed.
pub(crate) fn adam(
    device: &CudaDevice,
    config: &AdamConfig,
    record: &CudaSlice<f64>,
    State { gradient, moments, variable }: State<'_>,
) -> Result<()> {
    if gradient.len() != variable.len() || moments.len() != 2 * gradient.len() {
        bail!("Adam needs a gradient and two moments of each value");
    }
    let count = count(gradient.len())?;
    let &AdamConfig { beta1, beta2, weight_decay, epsilon, .. } = config;
    let [beta1, beta2, weight_decay, epsilon] =
        [beta1, beta2, weight_decay, epsilon].map(|value| value as f32);
    let decay = Decay { beta1, beta2, weight_decay, epsilon };
    let (kernel, stream) = (load(device, "adam")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(gradient).arg(&count).arg(&decay).arg(record).arg(moments).arg(variable);
    // SAFETY: the arguments are those of the kernel. A thread reads the record and a gradient, of which there are `count`, and changes
    // a parameter and both its moments.
    unsafe { builder.launch(threads(count)) }.w()?;
    Ok(())
}

/// Hands the values of a record to `launch`, if there is one.
fn with(
    record: Option<&Record>,
    launch: impl FnOnce(Option<&CudaSlice<f64>>) -> Result<()>,
) -> Result<()> {
    match record {
        Some(record) => record.on_cuda(|values| launch(Some(values))),
        None => launch(None),
    }
}
