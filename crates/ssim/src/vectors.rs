//! Code that is compiled for several instruction sets and chosen at run time.
#![expect(
    unsafe_code,
    reason = "calling what is compiled for more than the oldest machine is unsafe, and so are conversions to registers"
)]

/// Runs `job` compiled for the widest vectors of this machine.
///
/// Only what is inlined into `job` is compiled so: closures and functions marked `#[inline(always)]`. No instruction
/// set rounds differently, as long as none but the basic operations are used.
pub(crate) fn vectorised<R>(job: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the machine has these instructions.
            return unsafe { with_avx512(job) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has these instructions.
            return unsafe { with_avx2(job) };
        }
    }
    job()
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

/// The first values of both, and the second values of both.
///
/// Written as two shuffles, since the compiler prefers to move each value on its own.
#[inline(always)]
pub(crate) fn exchanged(a: [f64; 2], b: [f64; 2]) -> [[f64; 2]; 2] {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128d, _mm_unpackhi_pd, _mm_unpacklo_pd};
        use std::mem::transmute;

        // SAFETY: a register of two values is two values, whatever they are; all machines of this kind have it.
        unsafe {
            let (a, b) = (transmute::<[f64; 2], __m128d>(a), transmute::<[f64; 2], __m128d>(b));
            [_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b)]
                .map(|pair| transmute::<__m128d, [f64; 2]>(pair))
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    [[a[0], b[0]], [a[1], b[1]]]
}
