//! The configuration of a model: everything that decides how it is trained and how it inspects.

mod bounds;
mod check;
mod file;
mod method_tables;
mod preset;
mod settings;
mod tables;

pub use file::Config;
pub use method_tables::{FeaturesConfig, SsimConfig, VaeConfig, VaeScore};
pub use preset::Preset;
pub(crate) use tables::good_images;
pub use tables::{
    BeyondBorder, CalibrationConfig, DataConfig, InspectionConfig, Measure, ModelConfig,
    ResidualConfig, Scores,
};

#[cfg(test)]
mod tests;
