//! Devices by their names.

pub(crate) mod choice;
pub(crate) mod failure;
#[cfg(feature = "cuda")]
mod memory;

use crate::{Error, Result};
use candle_core::Device;
use std::str::FromStr;

pub use choice::DeviceChoice;
pub use failure::DeviceFailure;

impl DeviceChoice {
    /// Opens the device. A GPU computes a sum first, so that one that cannot compute is refused here.
    ///
    /// # Errors
    /// [`Error::Device`] for a GPU that cannot be used; never for [`DeviceChoice::Auto`] and [`DeviceChoice::Cpu`].
    pub fn open(self) -> Result<Device> {
        match self {
            Self::Auto => Ok(open_cuda(0).unwrap_or(Device::Cpu)),
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(index) => {
                open_cuda(index).map_err(|failure| Error::Device { device: self, failure })
            }
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let unknown = || Error::setting("device", "auto, cpu, cuda or cuda:N", name);
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let index = name.strip_prefix("cuda:").ok_or_else(unknown)?;
                // `parse` would take a sign.
                let is_number = index.bytes().all(|byte| byte.is_ascii_digit());
                index.parse().ok().filter(|_| is_number).map(Self::Cuda).ok_or_else(unknown)
            }
        }
    }
}

/// The name of a device: `cpu`, or a GPU's number and model, as in `cuda:0 (NVIDIA H100 80GB HBM3)`.
///
/// ```
/// assert_eq!(models::device_name(&candle_core::Device::Cpu), "cpu");
/// ```
pub fn device_name(device: &Device) -> String {
    match device {
        Device::Cpu => DeviceChoice::Cpu.to_string(),
        Device::Cuda(device) => cuda_name(device),
        // Not one of ours.
        Device::Metal(_) => "metal".to_owned(),
    }
}

#[cfg(feature = "cuda")]
fn cuda_name(device: &candle_core::CudaDevice) -> String {
    let stream = device.cuda_stream();
    let number = DeviceChoice::Cuda(stream.context().ordinal());
    match stream.context().name() {
        Ok(name) => format!("{number} ({name})"),
        Err(_) => number.to_string(),
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda_name(_: &candle_core::CudaDevice) -> String {
    "cuda".to_owned()
}

#[cfg(feature = "cuda")]
fn open_cuda(index: usize) -> Result<Device, DeviceFailure> {
    use candle_core::cuda::cudarc::driver::CudaContext;

    let count = CudaContext::device_count().map_err(DeviceFailure::from)?;
    let count = usize::try_from(count).unwrap_or(0);
    DeviceFailure::check_index(index, count)?;
    // A stream of its own can be recorded, and takes the work of all threads in the order in which it comes; candle's usual stream is
    // another one for each thread.
    let device = Device::new_cuda_with_stream(index).map_err(|error| DeviceFailure::of(&error))?;
    if let Device::Cuda(device) = &device {
        memory::use_one_stream(device);
    }
    // The driver translates the first kernel, which it may be too old for.
    let one = candle_core::Tensor::ones(1, candle_core::DType::F32, &device);
    let two = one.and_then(|one| one.affine(1.0, 1.0)?.to_vec1::<f32>());
    two.map_err(|error| DeviceFailure::of(&error))?;
    if let Device::Cuda(device) = &device {
        // GPUs without such pools, as virtual ones may be, are only slower.
        let _ = memory::keep(device);
    }
    Ok(device)
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_: usize) -> Result<Device, DeviceFailure> {
    Err(DeviceFailure::NotBuilt)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn names_read_back() {
        use DeviceChoice::{Auto, Cpu, Cuda};
        for choice in [Auto, Cpu, Cuda(0), Cuda(12)] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), Cuda(0));
        for name in ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:+1", "cuda:1x", "cuda1"] {
            let message = name.parse::<DeviceChoice>().unwrap_err().to_string();
            assert_eq!(message, format!("device must be auto, cpu, cuda or cuda:N, got {name}"));
        }
    }

    #[test]
    fn the_cpu_is_always_there() {
        let device = DeviceChoice::Cpu.open().unwrap();
        assert!(device.is_cpu());
        assert_eq!(device_name(&device), "cpu");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn without_the_feature_there_is_the_cpu_only() {
        assert!(DeviceChoice::Auto.open().unwrap().is_cpu());
        let error = DeviceChoice::Cuda(1).open().unwrap_err();
        let is_not_built = matches!(
            error,
            Error::Device { device: DeviceChoice::Cuda(1), failure: DeviceFailure::NotBuilt }
        );
        assert!(is_not_built, "{error:?}");
        let message = error.to_string();
        assert_eq!(
            message,
            "cannot compute on cuda:1: this program was built without the feature `cuda`"
        );
    }
}
