//! Synthetic images of fabric and fibres, good and defective, with exact masks; and defects that are
//! drawn into other images.
//!
//! They stand in for the data sets of the paper where those are not at hand, in the same sizes and
//! counts. The same seed gives the same pixels on every machine and with any number of threads:
//! randomness comes from ChaCha8, seeded anew for each image, and pixels are computed by IEEE 754
//! additions, multiplications, divisions and square roots only.

mod camera;
mod defects;
mod dice;
mod drawn;
mod fibres;
mod noise;
mod render;
mod scene;
mod set;
mod shape;
mod source;
mod vocabulary;
mod weave;

pub use defects::{Defective, Drawing, DrawnDefect, DrawnKind, draw_kinds};
pub use drawn::draw_defects;
pub use render::{render_defective, render_good};
pub use set::{Spec, generate, is_synthetic};
pub use vocabulary::{GENERATOR_VERSION, Rendering, Size, SyntheticKind};

#[cfg(test)]
mod tests;
