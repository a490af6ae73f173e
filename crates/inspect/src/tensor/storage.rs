use candle_core::{CpuStorage, Layout, WithDType, bail};

/// The elements of a contiguous tensor in memory.
pub(super) fn contiguous<'a, T: WithDType>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> candle_core::Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<T>()?[start..end]),
        None => bail!("the inspection of tensors expects contiguous ones"),
    }
}
