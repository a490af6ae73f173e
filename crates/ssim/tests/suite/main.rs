//! The crate from outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod degenerate;
#[cfg(feature = "candle")]
mod devices;
mod gradients;
mod properties;
mod scikit_image;
#[cfg(feature = "candle")]
mod tensor;
