//! Networks, losses and trainings, against PyTorch's and against themselves.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

mod devices;
mod extractors;
mod features;
mod objective;
mod pth;
mod pytorch;
mod training;
mod vae;
mod weights;
