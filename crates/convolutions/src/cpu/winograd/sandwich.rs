//! Products of a tile with a small constant matrix from both sides.

use super::algorithm::Matrix;
use pulp::Simd;

/// The distances of neighbouring rows and of neighbouring columns of a tile, in values. Either may be negative.
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

    /// Whether a tile of `side`×`side` places lies in `0..len` if each place holds `width` values and the first begins at `first`.
    pub fn lie_in(&self, len: usize, first: usize, side: usize, width: usize) -> bool {
        let reach = |bound: fn(isize, isize) -> isize| {
            let steps = side as isize - 1;
            first as isize + steps * (bound(self.row, 0) + bound(self.column, 0))
        };
        reach(isize::min) >= 0 && reach(isize::max) + width as isize <= len as isize
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_of_strides_of_opposite_signs_are_bounded() {
        // From 10 on, the rows reach 2·6 values back, the columns 2·1 ahead: the corners 10 and 10 − 12 + 2 = 0 are inside, −2 is not.
        let strides = Strides { row: -6, column: 1 };
        assert!(!strides.lie_in(100, 10, 3, 1));
        assert!(strides.lie_in(15, 12, 3, 1) && !strides.lie_in(14, 12, 3, 1));
        // Each place holds 4 values.
        assert!(strides.lie_in(18, 12, 3, 4) && !strides.lie_in(17, 12, 3, 4));
        let strides = Strides { row: 6, column: -1 };
        assert!(strides.lie_in(15, 2, 3, 1) && !strides.lie_in(15, 1, 3, 1));
    }
}
