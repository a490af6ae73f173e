//! Products of matrices by cuBLAS, which are the same in each run on one kind of GPU.
#![expect(unsafe_code, reason = "cuBLAS takes pointers")]

use super::device::{Array, Cuda, view, view_mut};
use crate::gpu::array::{ArrayView, ArrayViewMut};
use crate::gpu::problem::{Gemm, MatrixProduct};
use crate::precision::Precision;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::cublas::result::gemm_ex;
use candle_core::cuda_backend::cudarc::cublas::sys::{
    cublasComputeType_t as Compute, cublasGemmAlgo_t as Algorithm, cublasOperation_t as Operation,
    cudaDataType_t as Type,
};
use candle_core::cuda_backend::cudarc::driver::{DevicePtr, DevicePtrMut};
use candle_core::{Result, bail};
use std::ptr::from_ref;

pub fn multiply(
    cuda: &Cuda,
    product: &MatrixProduct,
    left: ArrayView<'_, Array>,
    right: ArrayView<'_, Array>,
    mut result: ArrayViewMut<'_, Array>,
) -> Result<()> {
    let MatrixProduct { rows, inner, columns, is_added, .. } = *product;
    if [left.len, right.len, result.len] != [rows * inner, inner * columns, rows * columns] {
        bail!("matrices of other sizes than {product:?}");
    }
    let Gemm { is_a_transposed, is_b_transposed, m, n, k, lda, ldb, ldc } = product.gemm()?;
    let (one, beta): (f32, f32) = (1.0, if is_added { 1.0 } else { 0.0 });
    let (blas, stream) = (cuda.device.cublas_handle(), cuda.device.cuda_stream());
    let (a, b, mut c) = (view(right), view(left), view_mut(&mut result));
    let (a, _reads_a) = a.device_ptr(&stream);
    let (b, _reads_b) = b.device_ptr(&stream);
    let (c, _writes_c) = c.device_ptr_mut(&stream);
    // SAFETY: the three matrices have as many values as their sizes and leading dimensions say, which was checked above; the scalars
    // are read before the call returns.
    unsafe {
        gemm_ex(
            *blas.handle(),
            operation(is_a_transposed),
            operation(is_b_transposed),
            m,
            n,
            k,
            from_ref(&one).cast(),
            a as *const _,
            Type::CUDA_R_32F,
            lda,
            b as *const _,
            Type::CUDA_R_32F,
            ldb,
            from_ref(&beta).cast(),
            c as *mut _,
            Type::CUDA_R_32F,
            ldc,
            compute(cuda.precision),
            Algorithm::CUBLAS_GEMM_DEFAULT,
        )
    }
    .w()
}

fn operation(is_transposed: bool) -> Operation {
    match is_transposed {
        true => Operation::CUBLAS_OP_T,
        false => Operation::CUBLAS_OP_N,
    }
}

/// Sums are in single precision in any case.
fn compute(precision: Precision) -> Compute {
    match precision {
        Precision::F32 => Compute::CUBLAS_COMPUTE_32F,
        Precision::Tf32 => Compute::CUBLAS_COMPUTE_32F_FAST_TF32,
        Precision::Bf16 => Compute::CUBLAS_COMPUTE_32F_FAST_16BF,
    }
}
