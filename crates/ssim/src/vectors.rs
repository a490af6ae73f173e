//! Code that is compiled for several instruction sets and chosen at run time.
#![expect(
    unsafe_code,
    reason = "calling what is compiled for more than the oldest machine is unsafe"
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
