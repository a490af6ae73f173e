//! Defaults by name.

use super::tables::{CalibrationConfig, InspectionConfig, ResidualConfig};
use crate::Method;
use models::Corruption;
use serde::{Deserialize, Serialize};

/// The defaults of the tables `residual`, `inspection` and `calibration`, and of `training.corruption`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Those that decide best on the development sets.
    #[default]
    Recommended,
    /// Those of the paper (section 4.2), with a threshold that no pixel of the good images reaches.
    Paper,
}

impl Preset {
    /// Other methods than SSIM gain little or nothing by blocks, and learn more slowly.
    pub(super) fn corruption(self, method: Method) -> Corruption {
        match (self, method) {
            (Self::Recommended, Method::Ssim) => Corruption::Blocks,
            _ => Corruption::None,
        }
    }

    pub(super) fn tables(self) -> (ResidualConfig, InspectionConfig, CalibrationConfig) {
        match self {
            Self::Recommended => Default::default(),
            Self::Paper => {
                (ResidualConfig::paper(), InspectionConfig::paper(), CalibrationConfig::paper())
            }
        }
    }
}
