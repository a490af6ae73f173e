//! Records of a model.

use super::{Calibration, TrainingRecord};
use serde::{Deserialize, Serialize};

/// The content of a model's folder, with its configuration as `C`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo<C = serde_json::Value> {
    /// Number of the network's parameters.
    pub parameters: usize,
    /// The whole configuration.
    pub config: C,
    /// How it was trained.
    pub training: TrainingRecord,
    /// Absent if the model is not calibrated.
    pub calibration: Option<Calibration>,
}

/// A network that was written as ONNX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRecord {
    /// The file.
    pub onnx: String,
    /// The names of the network's inputs.
    pub inputs: Vec<String>,
    /// Side length of the patches in pixels.
    pub patch_size: usize,
    /// Dimension of the latent space.
    pub latent_dim: usize,
}
