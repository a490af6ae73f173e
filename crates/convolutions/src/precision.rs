//! The precision of products.

use candle_core::Device;
use std::fmt;
use std::str::FromStr;

/// The precision in which the products of a layer are computed. Weights, activations, gradients and sums are `f32` in any case.
///
/// The tensor cores of NVIDIA's GPUs multiply shorter numbers, much faster: factors are rounded on their way into a product.
///
/// ```
/// use candle_core::Device;
/// use convolutions::Precision;
///
/// Precision::F32.check(&Device::Cpu)?;
/// let precision: Precision = "tf32".parse()?;
/// let error = precision.check(&Device::Cpu).unwrap_err();
/// assert_eq!(error.to_string(), "precision must be f32 on cpu, got tf32");
/// # Ok::<(), convolutions::PrecisionError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Precision {
    /// Single precision, 24 bits. On CUDA devices, convolutions multiply factors of 22 bits, each the sum of two that tensor cores
    /// take, and leave out the product of the smaller parts: 2⁻²² of the product at most.
    #[default]
    F32,
    /// Factors of 11 bits and the range of `f32`, on CUDA devices.
    Tf32,
    /// Factors of 8 bits and the range of `f32`, on CUDA devices.
    Bf16,
}

impl Precision {
    /// Checks whether a device has this precision.
    ///
    /// # Errors
    /// [`PrecisionError`] for another than [`Precision::F32`] where CUDA does not compute.
    pub fn check(self, device: &Device) -> Result<(), PrecisionError> {
        let expected = match device {
            _ if self == Self::F32 => return Ok(()),
            Device::Cuda(_) => return Ok(()),
            Device::Cpu => "f32 on cpu",
            Device::Metal(_) => "f32 on metal",
        };
        Err(PrecisionError { expected, got: self.to_string() })
    }
}

/// There is no precision of this name, or a device does not have it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("precision must be {expected}, got {got}")]
#[non_exhaustive]
pub struct PrecisionError {
    /// The precisions that there are.
    pub expected: &'static str,
    /// The precision that was asked for.
    pub got: String,
}

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(name: &str) -> Result<Self, PrecisionError> {
        let all = [Self::F32, Self::Tf32, Self::Bf16];
        let named = all.into_iter().find(|precision| precision.to_string() == name);
        let error = || PrecisionError { expected: "f32, tf32 or bf16", got: name.to_owned() };
        named.ok_or_else(error)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn names_read_back() {
        for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        let message = "f64".parse::<Precision>().unwrap_err().to_string();
        assert_eq!(message, "precision must be f32, tf32 or bf16, got f64");
    }
}
