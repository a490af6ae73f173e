//! Products of a tile with a small constant matrix from both sides.

use super::algorithm::Matrix;
use pulp::Simd;

/// Where the values of a tile lie: each row and each column so many values after the one before.
#[derive(Clone, Copy)]
pub struct Strides {
    pub row: isize,
    pub column: isize,
}

impl Strides {
    pub fn new(row: usize, column: usize) -> Self {
        Self { row: row as isize, column: column as isize }
    }

    #[inline(always)]
    pub fn at(&self, row: usize, column: usize) -> isize {
        row as isize * self.row + column as isize * self.column
    }

    /// The offset of a tile's last value from its first.
    pub fn last(&self, side: usize) -> isize {
        self.at(side - 1, side - 1)
    }
}

/// Computes `matrix · tile · matrixᵀ` for each lane of a vector: of `C`×`C` loaded vectors the `R`×`R` to be stored.
#[inline(always)]
pub fn sandwich<S: Simd, A: Matrix<R, C>, const R: usize, const C: usize>(
    simd: S,
    load: impl Fn(usize, usize) -> S::f32s,
    mut store: impl FnMut(usize, usize, S::f32s),
) {
    let mut columns = [[simd.splat_f32s(0.0); R]; C];
    for (c, column) in columns.iter_mut().enumerate() {
        let mut values = [simd.splat_f32s(0.0); C];
        for (r, value) in values.iter_mut().enumerate() {
            *value = load(r, c);
        }
        *column = product::<S, A, R, C>(simd, values);
    }
    for r in 0..R {
        let mut values = [simd.splat_f32s(0.0); C];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column[r];
        }
        for (c, value) in product::<S, A, R, C>(simd, values).into_iter().enumerate() {
            store(r, c, value);
        }
    }
}

/// The product `matrix · values`. The compiler leaves out zeros and multiplications by one.
#[inline(always)]
fn product<S: Simd, A: Matrix<R, C>, const R: usize, const C: usize>(
    simd: S,
    values: [S::f32s; C],
) -> [S::f32s; R] {
    let mut sums = [simd.splat_f32s(0.0); R];
    for (sum, row) in sums.iter_mut().zip(&A::VALUES) {
        for (&value, &factor) in values.iter().zip(row) {
            if factor != 0.0 {
                *sum = simd.mul_add_e_f32s(value, simd.splat_f32s(factor), *sum);
            }
        }
    }
    sums
}
