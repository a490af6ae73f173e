//! The configuration of a model: everything that decides how it is trained and how it inspects.

mod check;
mod file;
mod method_tables;
mod settings;
mod tables;

pub use file::Config;
pub use method_tables::{FeaturesConfig, SsimConfig, VaeConfig, VaeScore};
pub use tables::{CalibrationConfig, DataConfig, InspectionConfig, ModelConfig};

#[cfg(test)]
mod tests;
