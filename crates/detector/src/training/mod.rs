//! Training of a model in its folder.

mod images;
mod plan;
mod resume;
mod run;

pub use plan::{Start, TrainingPlan};
pub use run::{Training, TrainingStep};
