//! Launches of `kernels/training.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::{Module, NULL, count, elements, threads};
use crate::adam::{AdamConfig, Descend};
use crate::record::{Entry, Record};
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::{CudaStorage, Layout, Result, bail};

type Stored<'a> = (&'a CudaStorage, &'a Layout);

/// As in `kernels/training.cu`.
#[repr(C)]
struct Decay {
    beta1: f32,
    beta2: f32,
    weight_decay: f32,
}

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/training.cu`.
unsafe impl DeviceRepr for Decay {}

/// Cuts patches of `size`×`size` pixels out of images, where `places` `(N, 2)` say: where each begins, and how wide its image is.
/// They lie within the images.
pub(crate) fn cut_patches(
    images: Stored<'_>,
    places: Stored<'_>,
    size: usize,
) -> Result<CudaStorage> {
    let device = images.0.device();
    let (images, places) =
        (elements::<f32>(images.0, images.1)?, elements::<i64>(places.0, places.1)?);
    let pixels = places.len() / 2 * size * size;
    // SAFETY: the kernel writes all of it, and nothing reads it before.
    let mut patches: CudaSlice<f32> = unsafe { device.alloc(pixels) }?;
    let (pixels, size) = (count(pixels)?, count(size)?);
    let (kernel, stream) = (Module::Training.kernel(device, "cut_patches")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&images).arg(&places).arg(&pixels).arg(&size).arg(&mut patches);
    // SAFETY: the arguments are those of the kernel. A thread reads two numbers of its patch and a pixel that lies in the images, by
    // the caller's promise, and writes one pixel.
    unsafe { builder.launch(threads(pixels)) }.w()?;
    Ok(CudaStorage::wrap_cuda_slice(patches, device.clone()))
}

/// Records a loss, for reconstructions of this sum.
pub(crate) fn record_step(
    entry: &Entry,
    record: &mut CudaStorage,
    [loss, sum]: [Stored<'_>; 2],
) -> Result<()> {
    let device = record.device().clone();
    let (loss, sum) = (elements::<f32>(loss.0, loss.1)?, elements::<f32>(sum.0, sum.1)?);
    let numbers = [entry.count as f64, entry.patches as f64, entry.steps as f64];
    let record = record.as_cuda_slice_mut::<f64>()?;
    let (kernel, stream) = (Module::Training.kernel(&device, "record_step")?, device.cuda_stream());
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&loss).arg(&sum);
    builder.arg(&numbers[0]).arg(&numbers[1]).arg(&numbers[2]).arg(record);
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the arguments are those of the kernel. Its only thread reads two scalars and changes the values of a record, of which
    // there is a whole one.
    unsafe { builder.launch(config) }.w()?;
    Ok(())
}

/// Updates both moments of a gradient, unless a step has failed.
pub(crate) fn update_moments(
    config: &AdamConfig,
    record: Option<&Record>,
    moments: &mut CudaStorage,
    gradient: Stored<'_>,
    variable: Stored<'_>,
) -> Result<()> {
    let device = moments.device().clone();
    let (gradient, variable) =
        (elements::<f32>(gradient.0, gradient.1)?, elements::<f32>(variable.0, variable.1)?);
    let moments = moments.as_cuda_slice_mut::<f32>()?;
    check(&gradient, &variable, moments.len())?;
    let count = count(gradient.len())?;
    let &AdamConfig { beta1, beta2, weight_decay, .. } = config;
    let decay =
        Decay { beta1: beta1 as f32, beta2: beta2 as f32, weight_decay: weight_decay as f32 };
    let (kernel, stream) =
        (Module::Training.kernel(&device, "update_moments")?, device.cuda_stream());
    with(record, |record| {
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&gradient).arg(&variable).arg(&count).arg(&decay);
        match record {
            Some(record) => builder.arg(record),
            None => builder.arg(&NULL),
        };
        builder.arg(moments);
        // SAFETY: the arguments are those of the kernel. A thread reads a gradient and a parameter, of which there are `count`, and
        // changes both its moments.
        unsafe { builder.launch(threads(count)) }.w()?;
        Ok(())
    })
}

/// Moves a variable against its mean gradient, unless a step has failed.
pub(crate) fn descend(
    step: &Descend,
    variable: &mut CudaStorage,
    moments: Stored<'_>,
) -> Result<()> {
    let device = variable.device().clone();
    let moments = elements::<f32>(moments.0, moments.1)?;
    let variable = variable.as_cuda_slice_mut::<f32>()?;
    let count = count(variable.len())?;
    if moments.len() != 2 * variable.len() {
        bail!("Adam needs two moments of each value");
    }
    let (kernel, stream) = (Module::Training.kernel(&device, "descend")?, device.cuda_stream());
    with(step.record.as_ref(), |record| {
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&moments).arg(&count);
        builder.arg(&step.step_size).arg(&step.second_correction).arg(&step.epsilon);
        match record {
            Some(record) => builder.arg(record),
            None => builder.arg(&NULL),
        };
        builder.arg(variable);
        // SAFETY: the arguments are those of the kernel. A thread reads both moments of a value, of which there are `count`, and
        // changes the value.
        unsafe { builder.launch(threads(count)) }.w()?;
        Ok(())
    })
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

fn check(gradient: &CudaView<'_, f32>, variable: &CudaView<'_, f32>, moments: usize) -> Result<()> {
    match gradient.len() == variable.len() && moments == 2 * gradient.len() {
        true => Ok(()),
        false => bail!("Adam needs a gradient and two moments of each value"),
    }
}
