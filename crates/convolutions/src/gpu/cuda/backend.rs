//! The operations of chains but convolutions, mostly launches of `kernels/layers.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::device::{Array, Cuda, expect, view, view_mut};
use super::launch::{Module, count, threads};
use super::{blas, sums};
use crate::gpu::array::{ArrayView, ArrayViewMut};
use crate::gpu::backend::{Backend, Epilogue, Reduction};
use crate::gpu::problem::{Geometry, MatrixProduct};
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, DeviceRepr, LaunchConfig, PushKernelArg,
};

// SAFETY: `repr(C)` and nothing but numbers, with the fields of the structure of the same name in `kernels/geometry.cuh`.
unsafe impl DeviceRepr for Geometry {}

impl Cuda {
    fn kernel(&self, name: &str) -> Result<CudaFunction> {
        Module::Layers.kernel(&self.device, name)
    }

    /// Transposes a matrix `(rows, columns)`.
    #[cfg(feature = "cudnn")]
    pub fn transpose(
        &self,
        matrix: ArrayView<'_, Array>,
        (rows, columns): (usize, usize),
        mut result: ArrayViewMut<'_, Array>,
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
        self.array(len)
    }

    fn unfold(
        &self,
        geometry: &Geometry,
        maps: ArrayView<'_, Array>,
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
        // SAFETY: the arguments are those of the kernel, which reads within the maps of these columns, and writes a value for each
        // thread that is counted.
        unsafe { builder.launch(threads) }.w()?;
        Ok(())
    }

    fn fold(
        &self,
        geometry: &Geometry,
        columns: &Array,
        epilogue: Epilogue<'_, Array>,
        mut maps: ArrayViewMut<'_, Array>,
    ) -> Result<()> {
        let (of_map, of_columns) = geometry.lengths();
        let channels = geometry.channels as usize;
        let are_there = maps.len / of_map * of_columns <= columns.len();
        expect("fold", maps.len.is_multiple_of(of_map) && are_there)?;
        let Width { suffix, threads, count } = Width::of(channels, maps.len, &[maps.start])?;
        let (kernel, stream) = (self.kernel(&format!("fold{suffix}"))?, self.device.cuda_stream());
        let epilogue = self.epilogue(epilogue, channels, maps.len)?;
        let mut maps = view_mut(&mut maps);
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(columns).arg(geometry).arg(&count).arg(&epilogue).arg(&mut maps);
        // SAFETY: the arguments are those of the kernel, which reads within the columns of these maps and the arrays of the epilogue, and
        // writes a value for each thread that is counted.
        unsafe { builder.launch(threads) }.w()?;
        Ok(())
    }

    fn multiply(
        &self,
        product: &MatrixProduct,
        left: ArrayView<'_, Array>,
        right: ArrayView<'_, Array>,
        result: ArrayViewMut<'_, Array>,
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
        let epilogue = self.epilogue(epilogue, channels, values.len())?;
        let channels = channels as u32;
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(values).arg(&count).arg(&channels).arg(&epilogue);
        // SAFETY: the arguments are those of the kernel, which reads the arrays of the epilogue and changes a value for each thread
        // that is counted.
        unsafe { builder.launch(threads) }.w()?;
        Ok(())
    }

    fn rectify_backward(
        &self,
        slope: f32,
        output: ArrayView<'_, Array>,
        gradient: ArrayView<'_, Array>,
    ) -> Result<Array> {
        expect("rectify", output.len == gradient.len)?;
        let (mut result, count) = (self.array(output.len)?, count(output.len)?);
        let (kernel, stream) = (self.kernel("rectify_backward")?, self.device.cuda_stream());
        let (output, gradient) = (view(output), view(gradient));
        let mut builder = stream.launch_builder(&kernel);
        builder.arg(&output).arg(&gradient).arg(&count).arg(&slope).arg(&mut result);
        // SAFETY: the arguments are those of the kernel, which reads two values and writes one for each thread that is counted.
        unsafe { builder.launch(threads(count)) }.w()?;
        Ok(result)
    }

    fn add_rows(&self, reductions: &[Reduction<'_, Array>], sums: &mut Array) -> Result<()> {
        sums::add_rows(self, reductions, sums)
    }
}

/// How many values a thread takes.
struct Width {
    /// The end of the kernel's name.
    suffix: &'static str,
    threads: LaunchConfig,
    /// Threads that have values.
    count: u32,
}

impl Width {
    /// Four channels where those are neighbours and lie at multiples of 16 bytes, one elsewhere. Arrays and columns begin at such
    /// multiples.
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
