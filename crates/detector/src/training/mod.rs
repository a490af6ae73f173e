//! Training of a model in its folder.

mod glimpse;
mod images;
mod outcome;
mod plan;
mod resume;
mod run;

pub use glimpse::{Glimpse, Sight};
pub use plan::{Start, TrainingPlan};
pub use run::{Training, TrainingStep};
