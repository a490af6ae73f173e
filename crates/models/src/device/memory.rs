//! Memory that nothing uses at the moment.
#![expect(unsafe_code, reason = "the driver takes pointers")]

use candle_core::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::DriverError;
use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
use std::ptr::from_mut;

/// Lets memory go without events that tell when other streams have done with it.
pub(super) fn use_one_stream(cuda: &CudaDevice) {
    // SAFETY: all operations on tensors of this device go to its only stream, and no other device shares them.
    unsafe { cuda.disable_event_tracking() }
}

/// Lets the driver keep memory for the next allocation, as other programs for GPUs do. By default it hands all of it back whenever it
/// is waited for, and has to find and map it again, which takes longer than a training step.
pub(super) fn keep(cuda: &CudaDevice) -> Result<(), DriverError> {
    let stream = cuda.cuda_stream();
    let mut bytes = u64::MAX;
    // SAFETY: the device is that of a context which is in use, its pool lives as long as the process, and the value of this attribute
    // is a number of 64 bits, which is read before the call returns.
    unsafe {
        let pool = device::get_default_mem_pool(stream.context().cu_device())?;
        let value = from_mut(&mut bytes).cast();
        mem_pool::set_attribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, value)
    }
}
