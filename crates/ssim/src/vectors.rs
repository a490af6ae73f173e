//! Code that is compiled for several instruction sets and chosen at run time.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "calling what is compiled for more than the oldest machine is unsafe, and so are conversions to registers"
    )
)]

/// The right to compute on vectors of `L` values of type `f64`, on a machine that has been asked for them.
///
/// No instruction set rounds differently, as long as none but the basic operations are used.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<const L: usize>(());

/// The widest vectors of a machine.
#[derive(Clone, Copy)]
pub(crate) enum Widest {
    /// Those of AVX-512.
    #[cfg(target_arch = "x86_64")]
    Eight(Vectors<8>),
    /// Those of AVX2.
    #[cfg(target_arch = "x86_64")]
    Four(Vectors<4>),
    /// Those that every machine has.
    Two(Vectors<2>),
}

impl Widest {
    /// Runs `job` compiled for the widest vectors of this machine, if it does not matter how many values they hold.
    ///
    /// Only what is inlined into `job` is compiled so: closures and functions marked `#[inline(always)]`.
    pub(crate) fn run<R>(job: impl FnOnce() -> R) -> R {
        match Self::of_machine() {
            #[cfg(target_arch = "x86_64")]
            Self::Eight(vectors) => vectors.run(job),
            #[cfg(target_arch = "x86_64")]
            Self::Four(vectors) => vectors.run(job),
            Self::Two(vectors) => vectors.run(job),
        }
    }

    pub(crate) fn of_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = Vectors::eight() {
            return Self::Eight(vectors);
        } else if let Some(vectors) = Vectors::four() {
            return Self::Four(vectors);
        }
        Self::Two(Vectors::TWO)
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectors<8> {
    /// Those of AVX-512, if the machine has it.
    pub(crate) fn eight() -> Option<Self> {
        let has_it = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        has_it.then_some(Self(()))
    }

    /// Runs `job` compiled for these vectors, as [`Widest::run`].
    pub(crate) fn run<R>(self, job: impl FnOnce() -> R) -> R {
        // SAFETY: whoever has these vectors has asked the machine for them.
        unsafe { with_avx512(job) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Vectors<4> {
    /// Those of AVX2, if the machine has it.
    pub(crate) fn four() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Runs `job` compiled for these vectors, as [`Widest::run`].
    pub(crate) fn run<R>(self, job: impl FnOnce() -> R) -> R {
        // SAFETY: whoever has these vectors has asked the machine for them.
        unsafe { with_avx2(job) }
    }
}

impl Vectors<2> {
    /// Those of any machine.
    pub(crate) const TWO: Self = Self(());

    /// Runs `job`, as [`Widest::run`].
    pub(crate) fn run<R>(self, job: impl FnOnce() -> R) -> R {
        job()
    }
}

impl<const L: usize> Vectors<L> {
    /// Rows and columns exchanged.
    ///
    /// Written as shuffles, since the compiler prefers to move each value on its own.
    #[inline(always)]
    pub(crate) fn transposed(
        self,
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut))] mut rows: [[f64; L]; L],
    ) -> [[f64; L]; L] {
        #[cfg(target_arch = "x86_64")]
        if let Ok(values) = rows.as_flattened_mut().try_into() {
            // SAFETY: whoever has vectors of eight has asked the machine for them.
            unsafe { transpose_eight(values) };
            return rows;
        } else if let Ok(values) = rows.as_flattened_mut().try_into() {
            // SAFETY: whoever has vectors of four has asked the machine for them.
            unsafe { transpose_four(values) };
            return rows;
        }
        std::array::from_fn(|column| rows.map(|row| row[column]))
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn with_avx512<R>(job: impl FnOnce() -> R) -> R {
    job()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(job: impl FnOnce() -> R) -> R {
    job()
}

/// Exchanges rows and columns of eight rows of eight.
///
/// No function of its own, which would be called: it is inlined into what is compiled for these vectors.
///
/// # Safety
/// The machine has AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_eight(values: &mut [f64; 64]) {
    use std::arch::x86_64::{
        _mm512_loadu_pd, _mm512_setzero_pd, _mm512_shuffle_f64x2, _mm512_storeu_pd,
        _mm512_unpackhi_pd, _mm512_unpacklo_pd,
    };

    let rows = values.as_chunks_mut::<8>().0;
    // SAFETY: the machine has the instructions, and each row is as long as a register.
    unsafe {
        // Of each pair of rows, values side by side: those of even columns, and those of odd ones.
        let mut pairs = [[_mm512_setzero_pd(); 4]; 2];
        for pair in 0..4 {
            let even = _mm512_loadu_pd(rows[2 * pair].as_ptr());
            let odd = _mm512_loadu_pd(rows[2 * pair + 1].as_ptr());
            pairs[0][pair] = _mm512_unpacklo_pd(even, odd);
            pairs[1][pair] = _mm512_unpackhi_pd(even, odd);
        }
        for (parity, [a, b, c, d]) in pairs.into_iter().enumerate() {
            // Of four rows, columns 0 and 4 and columns 2 and 6, counted from the parity.
            let first = [_mm512_shuffle_f64x2::<0x88>(a, b), _mm512_shuffle_f64x2::<0x88>(c, d)];
            let second = [_mm512_shuffle_f64x2::<0xdd>(a, b), _mm512_shuffle_f64x2::<0xdd>(c, d)];
            for (column, [upper, lower]) in [(parity, first), (parity + 2, second)] {
                let columns = _mm512_shuffle_f64x2::<0x88>(upper, lower);
                _mm512_storeu_pd(rows[column].as_mut_ptr(), columns);
                let columns = _mm512_shuffle_f64x2::<0xdd>(upper, lower);
                _mm512_storeu_pd(rows[column + 4].as_mut_ptr(), columns);
            }
        }
    }
}

/// Exchanges rows and columns of four rows of four, as [`transpose_eight`].
///
/// # Safety
/// The machine has AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_four(values: &mut [f64; 16]) {
    use std::arch::x86_64::{
        _mm256_loadu_pd, _mm256_permute2f128_pd, _mm256_storeu_pd, _mm256_unpackhi_pd,
        _mm256_unpacklo_pd,
    };

    let rows = values.as_chunks_mut::<4>().0;
    // SAFETY: the machine has the instructions, and each row is as long as a register.
    unsafe {
        let [a, b, c, d] = [
            _mm256_loadu_pd(rows[0].as_ptr()),
            _mm256_loadu_pd(rows[1].as_ptr()),
            _mm256_loadu_pd(rows[2].as_ptr()),
            _mm256_loadu_pd(rows[3].as_ptr()),
        ];
        // Of each pair of rows, values side by side: those of even columns, and those of odd ones.
        let even = (_mm256_unpacklo_pd(a, b), _mm256_unpacklo_pd(c, d));
        let odd = (_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d));
        for (parity, (upper, lower)) in [(0, even), (1, odd)] {
            let columns = _mm256_permute2f128_pd::<0x20>(upper, lower);
            _mm256_storeu_pd(rows[parity].as_mut_ptr(), columns);
            let columns = _mm256_permute2f128_pd::<0x31>(upper, lower);
            _mm256_storeu_pd(rows[parity + 2].as_mut_ptr(), columns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const L: usize>(vectors: Vectors<L>) {
        let rows =
            std::array::from_fn(|row| std::array::from_fn(|column| (L * row + column) as f64));
        let columns = vectors.transposed(rows);
        for (index, column) in columns.iter().enumerate() {
            assert_eq!(*column, rows.map(|row| row[index]));
        }
    }

    #[test]
    fn rows_and_columns_change_places() {
        check(Vectors::TWO);
        #[cfg(target_arch = "x86_64")]
        {
            Vectors::four().into_iter().for_each(check);
            Vectors::eight().into_iter().for_each(check);
        }
    }
}
