use crate::{Error, Result, device_name};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the products of a layer are computed in. Weights, activations, gradients and sums are `f32` in any case.
///
/// The tensor cores of NVIDIA's GPUs multiply shorter numbers, much faster: factors are rounded on their way into a product.
///
/// ```
/// use candle_core::Device;
/// use models::Precision;
///
/// let precision: Precision = "tf32".parse()?;
/// let error = precision.check(&Device::Cpu).unwrap_err();
/// assert_eq!(error.to_string(), "precision must be f32 on cpu, got tf32");
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Checks whether a device can do it.
    ///
    /// # Errors
    /// [`Error::Setting`] for another than [`Precision::F32`] where CUDA does not compute.
    pub fn check(self, device: &Device) -> Result<()> {
        match self == Self::F32 || device.is_cuda() {
            true => Ok(()),
            false => {
                let expected = format!("f32 on {}", device_name(device));
                Err(Error::setting("precision", expected, self))
            }
        }
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let all = [Self::F32, Self::Tf32, Self::Bf16];
        let named = all.into_iter().find(|precision| precision.to_string() == name);
        named.ok_or_else(|| Error::setting("precision", "f32, tf32 or bf16", name))
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
    fn the_cpu_computes_in_single_precision() {
        Precision::F32.check(&Device::Cpu).unwrap();
        let message = Precision::Tf32.check(&Device::Cpu).unwrap_err().to_string();
        assert_eq!(message, "precision must be f32 on cpu, got tf32");
    }

    #[test]
    fn names_are_those_of_files() {
        for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
            let name = serde_json::to_string(&precision).unwrap();
            assert_eq!(name, format!("\"{precision}\""));
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        let message = "f64".parse::<Precision>().unwrap_err().to_string();
        assert_eq!(message, "precision must be f32, tf32 or bf16, got f64");
    }
}
