//! The values of tensors, for operations on the CPU.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// Hands the values of contiguous f32 tensors on the CPU to `use_values`.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let tensor = Tensor::new(&[1f32, 2.0], &Device::Cpu)?;
/// let sum = convolutions::with_values([&tensor], |[values]| values.iter().sum::<f32>())?;
/// assert_eq!(sum, 3.0);
/// # Ok::<(), candle_core::Error>(())
/// ```
///
/// # Errors
/// For tensors of another type, on another device or with gaps.
pub fn with_values<const N: usize, T>(
    tensors: [&Tensor; N],
    use_values: impl FnOnce([&[f32]; N]) -> T,
) -> Result<T> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut values: [&[f32]; N] = [&[]; N];
    for (values, (storage, layout)) in values.iter_mut().zip(&guards) {
        *values = match &**storage {
            Storage::Cpu(storage) => contiguous(storage, layout)?,
            _ => bail!("expected tensors on the CPU"),
        };
    }
    Ok(use_values(values))
}

/// The values of a contiguous f32 tensor, from what [`candle_core::CustomOp1::cpu_fwd`] and its like are given.
///
/// # Errors
/// For another type, or a tensor with gaps.
pub fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
    }
}
