//! Reasons why a GPU cannot be used, by the errors of its driver.

/// The reason why a GPU cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceFailure {
    /// The program knows no GPUs.
    #[error("this program was built without the feature `cuda`")]
    NotBuilt,
    /// There is no driver, or it does not run.
    #[error("the NVIDIA driver is not installed or does not run")]
    NoDriver,
    /// There is a driver, but no GPU.
    #[error("the NVIDIA driver shows no GPU")]
    NoGpu,
    /// There is no GPU of this number.
    #[error("there {}", count_of_gpus(*.count))]
    NoSuchGpu {
        /// The number of GPUs; at least 1.
        count: usize,
    },
    /// The driver knows less than the CUDA toolkit that the program was built with.
    #[error("the NVIDIA driver is too old for the CUDA toolkit that this program was built with")]
    DriverTooOld,
    /// The driver's libraries and its kernel module are of different versions.
    #[error("the NVIDIA driver was updated: its parts fit together after a restart of the machine")]
    DriverMismatch,
    /// The program was built for newer GPUs.
    #[error("this program was built for newer GPUs (`CUDA_COMPUTE_CAP`)")]
    WrongGpu,
    /// Another process has the GPU for itself.
    #[error("the GPU is in use by another process alone, or out of order")]
    Unavailable,
    /// The GPU's memory does not suffice.
    #[error("the GPU is out of memory")]
    OutOfMemory,
    /// Something else.
    #[error("the NVIDIA driver reports error {code}")]
    Driver {
        /// A `CUresult`.
        code: u32,
    },
    /// A library of the CUDA toolkit, or candle, cannot work with the GPU.
    #[error("{message}")]
    Library {
        /// Its message, on one line.
        message: String,
    },
}

fn count_of_gpus(count: usize) -> String {
    match count {
        1 => "is one GPU, cuda:0".to_owned(),
        _ => format!("are {count} GPUs, cuda:0 to cuda:{}", count.saturating_sub(1)),
    }
}

impl DeviceFailure {
    /// The meaning of an error of the driver: a `CUresult` other than `CUDA_SUCCESS`, by its number (CUDA driver API, data types).
    #[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "tested without a GPU"))]
    fn of_driver(code: u32) -> Self {
        match code {
            2 => Self::OutOfMemory,
            // Not initialised; a stub library in place of the driver's.
            3 | 34 => Self::NoDriver,
            // A call, a PTX version or a GPU that takes a newer driver.
            36 | 222 | 804 => Self::DriverTooOld,
            46 => Self::Unavailable,
            100 => Self::NoGpu,
            209 => Self::WrongGpu,
            803 => Self::DriverMismatch,
            code => Self::Driver { code },
        }
    }

    /// Refuses a number beyond that of the last GPU.
    #[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "tested without a GPU"))]
    pub(super) fn check_index(index: usize, count: usize) -> Result<(), Self> {
        match count {
            0 => Err(Self::NoGpu),
            count if index >= count => Err(Self::NoSuchGpu { count }),
            _ => Ok(()),
        }
    }

    /// Whether an error of candle's says that the GPU's memory does not suffice.
    pub(crate) fn is_out_of_memory(error: &candle_core::Error) -> bool {
        cause(error).is_some_and(|failure| failure == Self::OutOfMemory)
    }

    /// The reason of an error of candle's.
    #[cfg(feature = "cuda")]
    pub(super) fn of(error: &candle_core::Error) -> Self {
        cause(error).unwrap_or_else(|| Self::library(error))
    }

    #[cfg(feature = "cuda")]
    fn library(error: &impl std::fmt::Display) -> Self {
        Self::Library { message: error.to_string().lines().next().unwrap_or_default().to_owned() }
    }
}

/// The error of a GPU or its libraries within an error of candle's.
fn cause(error: &candle_core::Error) -> Option<DeviceFailure> {
    use candle_core::Error;
    match error {
        Error::WithBacktrace { inner, .. }
        | Error::Context { inner, .. }
        | Error::WithPath { inner, .. } => cause(inner),
        #[cfg(feature = "cuda")]
        Error::Cuda(error) => error.downcast_ref().map(of_cuda),
        _ => None,
    }
}

#[cfg(feature = "cuda")]
fn of_cuda(error: &candle_core::cuda::CudaError) -> DeviceFailure {
    use candle_core::cuda::CudaError;
    use candle_core::cuda::cudarc::{cublas, curand};
    match error {
        CudaError::Cuda(error) | CudaError::Load { cuda: error, .. } => (*error).into(),
        CudaError::Cublas(error)
            if error.0 == cublas::sys::cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED =>
        {
            DeviceFailure::OutOfMemory
        }
        CudaError::Curand(error)
            if error.0 == curand::sys::curandStatus::CURAND_STATUS_ALLOCATION_FAILED =>
        {
            DeviceFailure::OutOfMemory
        }
        other => DeviceFailure::library(other),
    }
}

#[cfg(feature = "cuda")]
impl From<candle_core::cuda::cudarc::driver::DriverError> for DeviceFailure {
    fn from(error: candle_core::cuda::cudarc::driver::DriverError) -> Self {
        Self::of_driver(error.0 as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the numbers of `CUresult` in CUDA 13.0's `cuda.h`.
    #[test]
    fn the_driver_is_understood() {
        for (code, expected) in [
            (2, DeviceFailure::OutOfMemory),
            (34, DeviceFailure::NoDriver),
            (100, DeviceFailure::NoGpu),
            (209, DeviceFailure::WrongGpu),
            (222, DeviceFailure::DriverTooOld),
            (803, DeviceFailure::DriverMismatch),
            (719, DeviceFailure::Driver { code: 719 }),
        ] {
            assert_eq!(DeviceFailure::of_driver(code), expected);
        }
    }

    #[test]
    fn numbers_beyond_the_last_gpu_are_refused() {
        let message = |index, count| {
            DeviceFailure::check_index(index, count).err().map(|failure| failure.to_string())
        };
        assert_eq!(message(1, 2), None);
        assert_eq!(message(0, 0).as_deref(), Some("the NVIDIA driver shows no GPU"));
        assert_eq!(message(1, 1).as_deref(), Some("there is one GPU, cuda:0"));
        assert_eq!(message(7, 4).as_deref(), Some("there are 4 GPUs, cuda:0 to cuda:3"));
    }

    #[test]
    fn other_errors_are_not_of_memory() {
        let error = candle_core::Error::Msg("another".to_owned()).bt();
        assert!(!DeviceFailure::is_out_of_memory(&error));
    }

    /// With what is put around them.
    #[cfg(feature = "cuda")]
    #[test]
    fn candles_errors_are_understood() {
        use candle_core::cuda::{CudaError, cudarc::driver};
        let error = |code| CudaError::Cuda(driver::DriverError(code));
        let memory =
            candle_core::Error::from(error(driver::sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY));
        assert!(DeviceFailure::is_out_of_memory(&memory.context("a batch")));
        let other = candle_core::Error::from(error(driver::sys::CUresult::CUDA_ERROR_NO_DEVICE));
        assert!(!DeviceFailure::is_out_of_memory(&other));
        assert_eq!(DeviceFailure::of(&other), DeviceFailure::NoGpu);
    }
}
