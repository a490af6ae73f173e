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

use models::TrainingImage;

/// Oblique stripes, eight pixels wide.
fn stripes(width: usize, height: usize) -> Vec<TrainingImage> {
    let grey = |i: usize| 0.5 + 0.4 * ((i % width + i / width) as f32 * 0.785).sin();
    let pixels = (0..width * height).map(grey).collect();
    vec![TrainingImage { width, height, pixels, places: None }]
}
