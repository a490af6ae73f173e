//! Curves and areas against scikit-learn's, their definitions and each other, and charts.
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod fixture;
#[cfg(feature = "plot")]
mod plot;
mod pro;
mod properties;
mod sklearn;
