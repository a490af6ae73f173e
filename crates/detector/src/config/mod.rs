//! The configuration of a model: everything that decides how it is trained and how it inspects.

mod bounds;
mod check;
mod data_table;
mod file;
mod method_tables;
mod preset;
mod settings;
mod ssim_map;
mod tables;

pub use data_table::DataConfig;
pub use file::Config;
pub use method_tables::{FeaturesConfig, SsimConfig, VaeConfig, VaeScore};
pub use preset::Preset;
pub use ssim_map::SsimMap;
pub use tables::{
    BeyondBorder, CalibrationConfig, InspectionConfig, Measure, ModelConfig, ResidualConfig, Scores,
};

#[cfg(test)]
mod tests;
