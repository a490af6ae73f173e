//! Pages that need no other file, no network and no server: of an evaluation, of a training, of a tuning, of a batch and of a watch.
//!
//! [`document`] is the frame of each of them. An [`exhibits::Exhibit`] is an image with its reconstruction, its anomaly map and its mask, a
//! [`workplace`] several of them with sliders. All is readable without scripts; `maps.js`, `page.js` and `viewer.js`
//! move what can be moved.

mod batch;
mod charts;
mod document;
mod evaluation;
mod exhibits;
mod levels;
mod live;
mod picture;
mod provenance;
mod tables;
mod training;
mod tuning;
mod workplace;

pub use batch::{BatchPage, Kind};
pub use charts::RESIDUAL_COLOUR;
pub use document::write_document;
pub use evaluation::{Page, write_page};
pub use exhibits::{Exhibit, Pictures, Planes};
pub use levels::Levels;
pub use live::Live;
pub use provenance::{Circumstances, now};
pub use training::{Losses, Reconstructions, TrainingPage};
pub use tuning::{TuningPage, write_tuning_page};
pub use workplace::{RECALIBRATED, Recalibration};
