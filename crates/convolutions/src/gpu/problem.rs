//! The convolutions and matrix products that are to be computed, as numbers.

use crate::geometry::{Conv2d, Size};
use candle_core::{Error, Result};

/// A convolution of a batch of maps.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    pub conv: Conv2d,
    pub maps: usize,
    /// The size of the convolved maps.
    pub input: Size,
    /// The size of the results.
    pub output: Size,
}

impl Problem {
    /// Values of a convolved map and of its result.
    pub fn lengths(&self) -> (usize, usize) {
        let Conv2d { in_channels, out_channels, .. } = self.conv;
        (self.input.pixels() * in_channels, self.output.pixels() * out_channels)
    }
}

/// Maps and the pixels of their convolution; `Geometry` in `kernels/geometry.cuh` has the same fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Geometry {
    pub height: u32,
    pub width: u32,
    /// Channels of the convolved maps.
    pub channels: u32,
    pub rows: u32,
    pub columns: u32,
    pub kernel: u32,
    pub stride: u32,
    pub padding: u32,
}

impl Geometry {
    pub fn new(problem: &Problem) -> Result<Self> {
        let Problem { conv, input, output, .. } = *problem;
        let number = |value: usize| u32::try_from(value).map_err(Error::wrap);
        Ok(Self {
            height: number(input.height)?,
            width: number(input.width)?,
            channels: number(conv.in_channels)?,
            rows: number(output.height)?,
            columns: number(output.width)?,
            kernel: number(conv.kernel)?,
            stride: number(conv.stride)?,
            padding: number(conv.padding)?,
        })
    }

    /// Values of a convolved map, and of the columns of a map.
    pub fn lengths(&self) -> (usize, usize) {
        let product = |factors: &[u32]| factors.iter().map(|&factor| factor as usize).product();
        let Self { height, width, channels, rows, columns, kernel, .. } = *self;
        (product(&[height, width, channels]), product(&[rows, columns, kernel, kernel, channels]))
    }
}

/// Which factor of a product is transposed as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransposedFactor {
    Neither,
    Left,
    Right,
}

/// A product of matrices in row-major order, `(rows, inner)` times `(inner, columns)`.
#[derive(Clone, Copy, Debug)]
pub struct MatrixProduct {
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub transposed: TransposedFactor,
    /// Whether it is added to the values of the result.
    pub is_added: bool,
}

/// The arguments of BLAS for a [`MatrixProduct`]. BLAS reads a row-major matrix as its transpose, and so computes
/// `resultᵀ = rightᵀ · leftᵀ`: its `a` is the right factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    pub is_a_transposed: bool,
    pub is_b_transposed: bool,
    pub m: i32,
    pub n: i32,
    pub k: i32,
    pub lda: i32,
    pub ldb: i32,
    pub ldc: i32,
}

impl MatrixProduct {
    pub fn gemm(&self) -> Result<Gemm> {
        let number = |value: usize| i32::try_from(value).map_err(Error::wrap);
        let [m, n, k] = [number(self.columns)?, number(self.rows)?, number(self.inner)?];
        let (is_a_transposed, is_b_transposed) =
            (self.transposed == TransposedFactor::Right, self.transposed == TransposedFactor::Left);
        let lda = if is_a_transposed { k } else { m };
        let ldb = if is_b_transposed { n } else { k };
        Ok(Gemm { is_a_transposed, is_b_transposed, m, n, k, lda, ldb, ldc: m })
    }
}
