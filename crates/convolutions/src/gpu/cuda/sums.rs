//! Launches of `kernels/sums.cu`.
#![expect(unsafe_code, reason = "what a kernel does with its arguments is not for Rust to see")]

use super::device::{Array, Cuda, expect, view};
use super::launch::{Module, NULL, blocks, count};
use crate::gpu::backend::Reduction;
use crate::gpu::rows::Rows;
use candle_core::Result;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{
    DevicePtr, DevicePtrMut, DeviceRepr, PushKernelArg,
};

/// As in `kernels/sums.cu`.
const MOST_SUMS: usize = 24;
const MOST_TICKETS: u32 = 512;

/// As in `kernels/sums.cu`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Sum {
    values: u64,
    result: u64,
    rows: u32,
    columns: u32,
    per_part: u32,
    first_block: u32,
    first_partial: u32,
    first_ticket: u32,
}

/// As in `kernels/sums.cu`.
#[repr(C)]
struct Sums {
    of: [Sum; MOST_SUMS],
    count: u32,
}

// SAFETY: `repr(C)` with the fields of the structure of the same name in `kernels/sums.cu`.
unsafe impl DeviceRepr for Sums {}

/// Adds up the rows of matrices, as many matrices at once as a launch takes.
pub fn add_rows(cuda: &Cuda, reductions: &[Reduction<'_, Array>], sums: &mut Array) -> Result<()> {
    reductions.chunks(MOST_SUMS).try_for_each(|reductions| launch(cuda, reductions, sums))
}

fn launch(cuda: &Cuda, reductions: &[Reduction<'_, Array>], sums: &mut Array) -> Result<()> {
    let stream = cuda.device.cuda_stream();
    let mut arguments = Sums { of: [Sum::default(); MOST_SUMS], count: count(reductions.len())? };
    let (mut all_blocks, mut partial_sums, mut tickets) = (0, 0, 0);
    for (sum, Reduction { values, rows, to }) in arguments.of.iter_mut().zip(reductions) {
        expect("sums of rows", values.len == rows * to.len() && to.end <= sums.len())?;
        count(values.len)?;
        let split = Rows::split(count(*rows)?, count(to.len())?);
        // All work of a device is done in one order: that the pointers are used needs no other trace.
        let result = sums.slice_mut(to.clone()).device_ptr_mut(&stream).0;
        *sum = Sum {
            values: view(*values).device_ptr(&stream).0,
            result,
            rows: split.rows,
            columns: split.columns,
            per_part: split.per_part,
            first_block: all_blocks,
            first_partial: partial_sums,
            first_ticket: tickets,
        };
        all_blocks += split.parts() * split.groups();
        if split.parts() > 1 {
            partial_sums += split.parts() * split.columns;
            tickets += split.groups();
        }
    }
    expect("sums of rows", tickets <= MOST_TICKETS)?;
    let partial = match partial_sums {
        0 => None,
        sums => Some(cuda.array(sums as usize)?),
    };
    let kernel = Module::Sums.kernel(&cuda.device, "add_rows")?;
    let mut builder = stream.launch_builder(&kernel);
    builder.arg(&arguments);
    match &partial {
        Some(partial) => builder.arg(partial),
        None => builder.arg(&NULL),
    };
    // SAFETY: the arguments are those of the kernel, which reads as many values of each matrix as its rows and columns say, and writes a
    // sum for each of its columns; matrices of several parts have room for the sums of these, and tickets of their own.
    unsafe { builder.launch(blocks(all_blocks)) }.w()?;
    Ok(())
}
