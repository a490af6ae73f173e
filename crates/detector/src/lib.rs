#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "network")]
mod calibration;
#[cfg(feature = "network")]
mod config;
#[cfg(feature = "network")]
mod copies;
mod data;
#[cfg(feature = "network")]
mod detector;
mod drift;
mod error;
#[cfg(feature = "network")]
mod evaluation;
#[cfg(feature = "network")]
mod extractor_weights;
pub mod files;
#[cfg(feature = "network")]
mod halving;
mod images;
#[cfg(feature = "network")]
mod inspector;
mod method;
#[cfg(feature = "network")]
mod model_folder;
#[cfg(feature = "network")]
mod network;
#[doc(hidden)]
pub mod pickle;
#[cfg(feature = "network")]
mod pixel_area;
mod progress;
pub mod records;
#[cfg(feature = "network")]
mod region_search;
mod rule_name;
mod shard;
#[cfg(feature = "network")]
mod spread;
pub mod synthetic;
#[cfg(feature = "network")]
mod training;
#[cfg(feature = "network")]
mod tuning;
#[cfg(feature = "network")]
mod view;

#[cfg(feature = "network")]
pub use calibration::{CalibrationImages, calibrate};
#[cfg(feature = "network")]
pub use candle_core::Device;
#[cfg(feature = "network")]
pub use config::{
    BeyondBorder, CalibrationConfig, Config, DataConfig, FeaturesConfig, InspectionConfig, Measure,
    ModelConfig, Preset, ResidualConfig, Scores, SsimConfig, SsimMap, VaeConfig, VaeScore,
};
pub use data::{
    Arrangement, Auto, Background, Dataset, Layout, LeftOut, Margins, MaskNames, Polygons,
    RegionConfig, RegionMask, RegionMasks, Side, Smallest, Split, Survey, TestSample, crop,
    fingerprint, has_image_name, images_in, list_images, uncrop,
};
#[cfg(feature = "network")]
pub use detector::{Detector, Found, Verdict};
pub use drift::Drift;
pub use error::{AnyError, Error, Result};
#[cfg(feature = "network")]
pub use evaluation::{
    Curves, Evaluation, InspectedSample, InspectedSet, Origin, evaluate, held_out_for,
    shown_samples,
};
#[cfg(feature = "network")]
pub use extractor_weights::{ExtractorWeights, read_extractor_weights};
pub use files::FolderLock;
pub use images::{
    Channel, Conversion, Levels, decode_image, image_size, read_image, read_image_with, read_mask,
    resize, to_byte, to_grey8, write_float_tiff, write_grey_png, write_grey_tiff, write_half_tiff,
    write_mask_png, write_rgb_png,
};
pub use inspect::{Decision, Image, Inspected, Mask, Plane, Region, ThresholdRule};
#[cfg(feature = "network")]
pub use inspector::Inspector;
pub use method::Method;
#[cfg(feature = "network")]
pub use model_folder::ModelFolder;
#[cfg(feature = "network")]
pub use models::DeviceChoice;
pub use progress::Progress;
#[cfg(feature = "network")]
pub use region_search::find_region;
pub use rule_name::RuleName;
pub use shard::Shard;
#[cfg(feature = "network")]
pub use training::{Glimpse, Sight, Start, Training, TrainingPlan, TrainingStep};
#[cfg(feature = "network")]
pub use tuning::{
    Axes, Candidate, DrawnImage, Effort, LabelledImage, ResidualChoice, Shown, TuningImage,
    TuningImages, candidates, choices, measure_choices, measuring_steps, rank_correlation,
    schedule, show_drawn,
};
#[cfg(feature = "network")]
pub use view::{View, Views};
