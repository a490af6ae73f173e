//! Pictures for people: heat maps, overlays, figures.

mod caption;
mod colour;
mod cutout;
mod figure;
mod letters;
mod overlay;

pub use colour::{ScoreRange, inferno, short};
pub use cutout::around_largest_defect;
pub use figure::{Cell, Figure, OUTSIDE, write_figure};
pub use overlay::{Overlay, write_overlay_png, write_regions_png};

#[cfg(test)]
mod tests;
