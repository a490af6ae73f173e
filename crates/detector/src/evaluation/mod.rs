//! Evaluation of a model against ground truth.

mod decisions;
mod inspected;
mod measure;
mod of_model;

pub use inspected::{InspectedSample, InspectedSet, held_out_for, shown_samples};
pub use measure::Curves;
pub use of_model::{Evaluation, Origin, evaluate};

#[cfg(test)]
mod tests;
