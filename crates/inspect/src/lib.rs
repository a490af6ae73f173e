#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "cuda"), forbid(unsafe_code))]
#![cfg_attr(feature = "cuda", deny(unsafe_code))]

mod averaging;
mod blend;
mod decision;
mod disk;
mod error;
mod false_alarms;
mod finite;
mod gaussian;
mod inspect;
mod inspection;
mod label;
mod largest_region;
mod mirror;
mod opening;
mod padding;
mod plane;
mod reconstruct;
mod reference;
mod region;
mod region_of_interest;
mod residual;
mod run_lengths;
mod sampled;
mod samples;
mod smooth;
mod smoothing;
mod stitch;
mod tail;
#[cfg(feature = "candle")]
pub mod tensor;
mod threshold;
mod tiling;
mod union_find;

pub use averaging::Averaging;
pub use blend::Blend;
pub use decision::Decision;
pub use disk::Disk;
pub use error::Error;
pub use false_alarms::{
    FalseAlarmThreshold, false_alarm_threshold, false_alarm_threshold_of_maxima,
};
pub use inspect::{Inspected, inspect};
pub use inspection::Inspection;
pub use label::{Connectivity, label};
pub use opening::open;
pub use padding::{Padding, mirror_to};
pub use plane::{Image, Mask, Plane};
pub use reconstruct::{Reconstructor, reconstruct};
pub use reference::Reference;
pub use region::{Region, Regions, regions};
pub use region_of_interest::{NOT_SCORED, RegionOfInterest};
pub use residual::{Residual, residual_map};
pub use sampled::{SampleScore, Sampled};
pub use smooth::smooth;
pub use smoothing::{Smoothing, anomaly_map};
pub use tail::tile_maxima;
pub use threshold::{ThresholdRule, threshold, threshold_mask};
pub use tiling::{Tiling, tile_positions};
