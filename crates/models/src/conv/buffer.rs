//! Buffers that are written before they are read.
#![expect(unsafe_code, reason = "large buffers would be zeroed only to be overwritten")]

use std::mem::MaybeUninit;

/// A vector of `len` values that `fill` writes.
///
/// # Safety
/// `fill` writes every value.
pub(super) unsafe fn filled(len: usize, fill: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    fill(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: all were written, by the caller's promise.
    unsafe { values.set_len(len) };
    values
}
