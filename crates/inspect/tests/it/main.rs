//! Tests of the public interface.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod decision;
mod fixtures;
mod inspection;
mod naive;
mod opening;
mod reconstruct;
mod reference;
mod regions;
mod sampled;
mod smoothing;
#[cfg(feature = "candle")]
mod tensor;
mod thresholds;
