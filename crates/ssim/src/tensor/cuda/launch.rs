#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use candle_core::{
    Result,
    cuda_backend::{
        WrapErr,
        cudarc::driver::{
            CudaFunction, CudaSlice, CudaView, DeviceRepr, LaunchArgs, LaunchConfig, PushKernelArg,
        },
    },
};

use super::{super::objective::Objective, batch::Batch};
use crate::{
    Components,
    device::{Formula, Geometry, LANES, Tiles, WARPS},
};

/// Devices keep modules by name.
const MODULE: &str = concat!("ssim-", env!("CARGO_PKG_VERSION"));
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/ssim.ptx"));

/// An array that a kernel does not need.
const NULL: u64 = 0;

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structures of the same name in `kernels/geometry.cuh`; `Tiles` is
// called `Tiling` there.
unsafe impl DeviceRepr for Geometry {}
// SAFETY: as above.
unsafe impl DeviceRepr for Formula {}
// SAFETY: as above.
unsafe impl DeviceRepr for Tiles {}

/// The windows' contributions to the gradient and to the loss.
struct Linearised {
    /// Three for each window: the gradient is linear in the pixels under it.
    coefficients: CudaSlice<f32>,
    /// Sums of 1 − SSIM.
    partial: CudaSlice<f32>,
}

impl Batch<'_> {
    /// The wanted maps, one after the other.
    pub(super) fn maps(&self, components: Components) -> Result<CudaSlice<f32>> {
        let mut maps = self.uninitialised(components.len() * self.arguments.windows())?;
        self.windows(components.bits().into(), Some(&mut maps), None)?;
        Ok(maps)
    }

    /// The mean of 1 − SSIM.
    pub(super) fn loss(&self) -> Result<CudaSlice<f32>> {
        let mut partial = self.uninitialised(self.arguments.maps.blocks as usize)?;
        self.windows(0, None, Some(&mut partial))?;
        self.mean(&partial)
    }

    /// The mean of 1 − SSIM and its gradient with respect to the first image.
    pub(super) fn loss_and_gradient(&self) -> Result<(CudaSlice<f32>, CudaSlice<f32>)> {
        let linearised = self.linearise(Objective::Loss, None)?;
        Ok((self.mean(&linearised.partial)?, self.pull_back(&linearised.coefficients)?))
    }

    /// The gradient with respect to the first image, given that of the objective.
    pub(super) fn gradient(
        &self,
        of: Objective,
        grad: &CudaView<'_, f32>,
    ) -> Result<CudaSlice<f32>> {
        self.pull_back(&self.linearise(of, Some(grad))?.coefficients)
    }

    fn windows(
        &self,
        wanted: u32,
        maps: Option<&mut CudaSlice<f32>>,
        partial: Option<&mut CudaSlice<f32>>,
    ) -> Result<()> {
        let arguments = &self.arguments;
        let (kernel, stream) = (self.kernel("ssim_windows")?, self.device.cuda_stream());
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&self.x).arg(&self.y).arg(&arguments.geometry).arg(&arguments.maps.tiles);
        builder.arg(&arguments.formula).arg(&wanted).arg(&arguments.planes);
        optional(&mut builder, maps);
        optional(&mut builder, partial);
        // SAFETY: the arguments are those of the kernel in `kernels/ssim.cu`. It reads x and y within the planes that the geometry
        // describes, of which they were made; it writes as many maps as bits are wanted, and a sum for each block.
        unsafe { builder.launch(config(arguments.maps.blocks)) }.w()?;
        Ok(())
    }

    fn linearise(&self, of: Objective, grad: Option<&CudaView<'_, f32>>) -> Result<Linearised> {
        let arguments = &self.arguments;
        let windows = arguments.windows();
        let mut coefficients = self.uninitialised(3 * windows)?;
        let mut partial = self.uninitialised(arguments.maps.blocks as usize)?;
        let (stride, factor) = match of {
            Objective::Loss => (0_usize, (-1.0 / windows as f64) as f32),
            Objective::Map => (1, 1.0),
        };
        let (kernel, stream) = (self.kernel("ssim_linearise")?, self.device.cuda_stream());
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&self.x).arg(&self.y).arg(&arguments.geometry).arg(&arguments.maps.tiles);
        builder.arg(&arguments.formula);
        match grad {
            Some(grad) => builder.arg(grad),
            None => builder.arg(&NULL),
        };
        builder.arg(&stride).arg(&factor).arg(&arguments.planes);
        builder.arg(&mut coefficients).arg(&mut partial);
        // SAFETY: as for `windows`; the gradient of a map has a value for each window, and that of the loss is a scalar, of which
        // a stride of 0 reads nothing else. Three coefficients for each window and a sum for each block are written.
        unsafe { builder.launch(config(arguments.maps.blocks)) }.w()?;
        Ok(Linearised { coefficients, partial })
    }

    fn pull_back(&self, coefficients: &CudaSlice<f32>) -> Result<CudaSlice<f32>> {
        let arguments = &self.arguments;
        let mut gradient = self.uninitialised(self.x.len())?;
        let (kernel, stream) = (self.kernel("ssim_pull_back")?, self.device.cuda_stream());
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&self.x).arg(&self.y).arg(&arguments.geometry).arg(&arguments.images.tiles);
        builder.arg(coefficients).arg(&arguments.planes).arg(&mut gradient);
        // SAFETY: as for `windows`; three coefficients for each window are read, and a value for each pixel is written.
        unsafe { builder.launch(config(arguments.images.blocks)) }.w()?;
        Ok(gradient)
    }

    /// The mean over all windows of what was summed in parts.
    fn mean(&self, partial: &CudaSlice<f32>) -> Result<CudaSlice<f32>> {
        let mut mean = self.uninitialised(1)?;
        let (count, scale) = (partial.len(), 1.0 / self.arguments.windows() as f64);
        let (kernel, stream) = (self.kernel("ssim_sum")?, self.device.cuda_stream());
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(partial).arg(&count).arg(&scale).arg(&mut mean);
        // SAFETY: the kernel reads `count` values, which is all of them, and writes one.
        unsafe { builder.launch(config(1)) }.w()?;
        Ok(mean)
    }

    fn kernel(&self, name: &str) -> Result<CudaFunction> {
        Ok(self.device.get_or_load_custom_func(name, MODULE, PTX)?.into_cuda_function())
    }

    /// Memory for a kernel to write all of.
    fn uninitialised(&self, length: usize) -> Result<CudaSlice<f32>> {
        // SAFETY: every kernel above writes all elements of what it is given to write, and nothing reads them before.
        unsafe { self.device.alloc(length) }
    }
}

/// An array, or a null pointer.
fn optional<'a>(builder: &mut LaunchArgs<'a>, array: Option<&'a mut CudaSlice<f32>>) {
    match array {
        Some(array) => builder.arg(array),
        None => builder.arg(&NULL),
    };
}

fn config(blocks: u32) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (blocks, 1, 1),
        block_dim: (LANES as u32, WARPS as u32, 1),
        shared_mem_bytes: 0,
    }
}
