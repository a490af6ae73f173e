//! Names of devices.

use std::fmt;

/// A device as it is named on a command line: `auto`, `cpu`, `cuda` (the first GPU) or `cuda:N`.
///
/// ```
/// use models::DeviceChoice;
///
/// assert_eq!("cuda:1".parse::<DeviceChoice>()?, DeviceChoice::Cuda(1));
/// assert!(DeviceChoice::Cpu.open()?.is_cpu());
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU if it can be used, otherwise the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The GPU of this number among those that the NVIDIA driver shows (`CUDA_VISIBLE_DEVICES`), from 0 on.
    Cuda(usize),
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(index) => write!(formatter, "cuda:{index}"),
        }
    }
}
