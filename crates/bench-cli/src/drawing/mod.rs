//! Pictures for people: heat maps, overlays, figures.

mod caption;
mod colour;
mod figure;
mod overlay;

pub use colour::ScoreRange;
pub use figure::{Cell, write_figure};
pub use overlay::{Overlay, write_overlay_png};

#[cfg(test)]
mod tests;
