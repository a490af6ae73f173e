//! The arithmetic of networks, and the times of their layers: for the benchmarks of this project, which measure against them. This module
//! is no part of the crate's interface, and may change in any version.

mod arithmetic;
mod profile;

pub use arithmetic::{
    decoder_multiply_adds, encoder_multiply_adds, features_multiply_adds, forward_multiply_adds,
    training_multiply_adds,
};
pub use profile::{LayerProfile, Profile, profile};
