//! Defects of several kinds, drawn into good images: what a detector should find, without a single real defect at hand.

mod cell;
mod draw;
mod kind;
mod paint;

pub use draw::{Defective, Drawing, DrawnDefect, draw_kinds};
pub use kind::DrawnKind;

#[cfg(test)]
mod tests;
