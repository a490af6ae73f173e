//! Which settings suit a texture, from good images alone: defects are drawn into good images, and settings are measured by those that
//! they find at a rate of false alarms.
//!
//! A model is trained for each [`Candidate`]; what is compared without training, a [`ResidualChoice`], is tried on every model, many of
//! them at once: of each residual map under each Gaussian, little more than the largest scores of tiles and of defects is kept, and a
//! choice of several maps is the largest of these.

mod agreement;
mod candidate;
mod channels;
mod choice;
mod figures;
mod images;
mod schedule;
mod shown;

pub use agreement::rank_correlation;
pub use candidate::{Axes, Candidate, candidates};
pub use channels::{measure_choices, measuring_steps};
pub use choice::{Effort, ResidualChoice, choices};
pub use images::{DrawnImage, LabelledImage, TuningImage, TuningImages};
pub use schedule::schedule;
pub use shown::{Shown, show_drawn};
