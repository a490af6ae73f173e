//! Launches of `kernels/layers.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::super::columns::{Geometry, Product};
use super::super::{Backend, Epilogue, Matrix, Part, PartMut, Problem, Shares};
#[cfg(feature = "cudnn")]
use super::cudnn as convolutions;
#[cfg(not(feature = "cudnn"))]
use super::gathered as convolutions;
use super::{Cuda, blas, sums};
use crate::launch::{Module, NULL, count, threads};
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaView, CudaViewMut, DevicePtr, DeviceRepr, LaunchConfig,
    PushKernelArg,
};
use candle_core::{Result, bail};

type Array = CudaSlice<f32>;

/// An epilogue as in `kernels/epilogue.cuh`; what there is not is a null pointer.
#[repr(C)]
pub(super) struct Finish {
    bias: u64,
    outputs: u64,
    slope: f32,
}

// SAFETY: `repr(C)` with the fields of `Epilogue` in `kernels/epilogue.cuh`.
unsafe impl DeviceRepr for Finish {}

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/geometry.cuh`.
unsafe impl DeviceRepr for Geometry {}

impl Cuda {
    fn kernel(&self, name: &str) -> Result<CudaFunction> {
        Module::Layers.kernel(&self.device, name)
    }

    /// What kernels are told of an epilogue of so many values.
    pub fn finishing(
        &self,
        epilogue: Epilogue<'_, Array>,
        channels: usize,
        values: usize,
    ) -> Result<Finish> {
        let Epilogue { bias, outputs, slope } = epilogue;
        expect("bias", bias.is_none_or(|bias| bias.len == channels))?;
        expect("outputs", outputs.is_none_or(|outputs| outputs.len == values))?;
        let stream = self.device.cuda_stream();
        // All work of a device is done in one order: that the pointer is used needs no other trace.
        let pointer = |part| view(part).device_ptr(&stream).0;
        Ok(Finish {
            bias: bias.map_or(NULL, pointer),
            outputs: outputs.map_or(NULL, pointer),
            slope,
        })
    }

    /// A matrix `(rows, columns)` with rows as columns.
    #[cfg(feature = "cudnn")]
    pub fn transpose(
        &self,
        matrix: Part<'_, Array>,
        (rows, columns): (usize, usize),
        mut result: PartMut<'_, Array>,
    ) -> Result<()> {
        expect("transpose", matrix.len == rows * columns && result.len == matrix.len)?;
        let config = threads(count(matrix.len)?);
        let (rows, columns) = (count(rows)?, count(columns)?);
        let (kernel, stream) = (self.kernel("transpose")?, self.device.cuda_stream());
        let (matrix, mut result) = (view(matrix), view_mut(&mut result));
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&matrix).arg(&rows).arg(&columns).arg(&mut result);
        // SAFETY: the arguments are those of the kernel; both matrices have as many values as it reads and writes.
        unsafe { builder.launch(config) }.w()?;
        Ok(())
    }
}

impl Backend for Cuda {
    type Array = Array;

    fn allocate(&self, len: usize) -> Result<Array> {
        // SAFETY: whoever allocates writes all elements, and nothing reads them before: tests let them begin as NaN.
        unsafe { self.device.alloc(len) }
    }

    fn unfold(
        &self,
        geometry: &Geometry,
        maps: Part<'_, Array>,
        columns: &mut Array,
    ) -> Result<()> {
        let (of_map, of_columns) = geometry.lengths();
        let values = maps.len / of_map * of_columns;
        expect("unfold", maps.len.is_multiple_of(of_map) && values <= columns.len())?;
        let Width { suffix, threads, count } =
            Width::of(geometry.channels as usize, values, &[maps.start])?;
        let (kernel, stream) =
            (self.kernel(&format!("unfold{suffix}"))?, self.device.cuda_stream());
        let maps = view(maps);
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&maps).arg(geometry).arg(&count).arg(columns);
        // SAFETY: the arguments are those of the kernel, which reads within the maps that these columns are of, and writes a value for
        // each thread that is counted.
        unsafe { builder.launch(threads) }.w()?;
        Ok(())
    }

    fn fold(
        &self,
        geometry: &Geometry,
        columns: &Array,
        epilogue: Epilogue<'_, Array>,
        mut maps: PartMut<'_, Array>,
    ) -> Result<()> {
        let (of_map, of_columns) = geometry.lengths();
        let channels = geometry.channels as usize;
        let are_there = maps.len / of_map * of_columns <= columns.len();
        expect("fold", maps.len.is_multiple_of(of_map) && are_there)?;
        let Width { suffix, threads, count } = Width::of(channels, maps.len, &[maps.start])?;
        let (kernel, stream) = (self.kernel(&format!("fold{suffix}"))?, self.device.cuda_stream());
        let finish = self.finishing(epilogue, channels, maps.len)?;
        let mut maps = view_mut(&mut maps);
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(columns).arg(geometry).arg(&count).arg(&finish).arg(&mut maps);
        // SAFETY: the arguments are those of the kernel, which reads within the columns of these maps and what the epilogue is to have,
        // and writes a value for each thread that is counted.
        unsafe { builder.launch(threads) }.w()?;
        Ok(())
    }

    fn multiply(
        &self,
        product: &Product,
        left: Part<'_, Array>,
        right: Part<'_, Array>,
        result: PartMut<'_, Array>,
    ) -> Result<()> {
        blas::multiply(self, product, left, right, result)
    }

    fn finish(
        &self,
        channels: usize,
        epilogue: Epilogue<'_, Array>,
        values: &mut Array,
    ) -> Result<()> {
        if epilogue.is_none() {
            return Ok(());
        }
        let Width { suffix, threads, count } = Width::of(channels, values.len(), &[])?;
        let (kernel, stream) =
            (self.kernel(&format!("finish{suffix}"))?, self.device.cuda_stream());
        let finish = self.finishing(epilogue, channels, values.len())?;
        let channels = channels as u32;
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(values).arg(&count).arg(&channels).arg(&finish);
        // SAFETY: the arguments are those of the kernel, which reads what the epilogue is to have and changes a value for each thread
        // that is counted.
        unsafe { builder.launch(threads) }.w()?;
        Ok(())
    }

    fn rectify_backward(
        &self,
        slope: f32,
        output: Part<'_, Array>,
        gradient: Part<'_, Array>,
    ) -> Result<Array> {
        expect("rectify", output.len == gradient.len)?;
        let (mut result, count) = (self.allocate(output.len)?, count(output.len)?);
        let (kernel, stream) = (self.kernel("rectify_backward")?, self.device.cuda_stream());
        let (output, gradient) = (view(output), view(gradient));
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&output).arg(&gradient).arg(&count).arg(&slope).arg(&mut result);
        // SAFETY: the arguments are those of the kernel, which reads two values and writes one for each thread that is counted.
        unsafe { builder.launch(threads(count)) }.w()?;
        Ok(result)
    }

    fn add_rows(&self, matrices: &[Matrix<'_, Array>], sums: &mut Array) -> Result<()> {
        sums::add_rows(self, matrices, sums)
    }

    fn convolution(
        &self,
        problem: &Problem,
        input: Part<'_, Array>,
        weights: Part<'_, Array>,
        epilogue: Epilogue<'_, Array>,
        result: &mut Array,
    ) -> Result<()> {
        convolutions::convolution(self, problem, input, weights, epilogue, result)
    }

    fn input_gradient(
        &self,
        problem: &Problem,
        gradient: Part<'_, Array>,
        weights: Part<'_, Array>,
        epilogue: Epilogue<'_, Array>,
        result: &mut Array,
    ) -> Result<()> {
        convolutions::input_gradient(self, problem, gradient, weights, epilogue, result)
    }

    fn weight_gradient(
        &self,
        problem: &Problem,
        input: Part<'_, Array>,
        gradient: Part<'_, Array>,
        result: PartMut<'_, Array>,
    ) -> Result<Option<Shares<Array>>> {
        convolutions::weight_gradient(self, problem, input, gradient, result)
    }
}

/// How many values a thread takes.
struct Width {
    /// Of the kernel's name.
    suffix: &'static str,
    threads: LaunchConfig,
    /// Of what threads take.
    count: u32,
}

impl Width {
    /// Four channels where they are neighbours and lie at multiples of 16 bytes, as arrays and columns begin.
    fn of(channels: usize, values: usize, starts: &[usize]) -> Result<Self> {
        let is_multiple = |number: &usize| number.is_multiple_of(4);
        let (suffix, lanes) = match is_multiple(&channels) && starts.iter().all(is_multiple) {
            true => ("_4", 4),
            false => ("_1", 1),
        };
        let count = count(values)? / lanes;
        Ok(Self { suffix, threads: threads(count), count })
    }
}

/// Refuses to launch what would lead out of an array.
pub(super) fn expect(what: &str, condition: bool) -> Result<()> {
    match condition {
        true => Ok(()),
        false => bail!("{what} on CUDA: arrays of other lengths than the maps"),
    }
}

pub(super) fn view(part: Part<'_, Array>) -> CudaView<'_, f32> {
    part.array.slice(part.range())
}

pub(super) fn view_mut<'a>(part: &'a mut PartMut<'_, Array>) -> CudaViewMut<'a, f32> {
    part.array.slice_mut(part.start..part.start + part.len)
}
