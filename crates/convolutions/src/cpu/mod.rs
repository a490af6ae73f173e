//! The algorithms on the CPU.
//!
//! Both lay out the weights first, for maps of one size, and then run over maps: in training over the whole batch, in inference over a
//! few maps that go through all layers together, so that what lies between layers stays in the cache. Large arrays that are needed for a
//! while are taken from [`Buffers`] and put back.

mod buffer;
mod chain;
mod convolution;
mod direct;
mod gather;
mod layer;
mod pack;
mod rectifier;
mod simd;
mod strip;
#[cfg(test)]
mod tests;
mod winograd;

pub use buffer::{Buffer, Buffers};
pub(crate) use chain::{CpuChain, PreparedLayer};
pub(crate) use convolution::PreparedConv;
pub(crate) use direct::multiply_rows;
pub(crate) use layer::{prepare_forward, prepare_input_gradient, write_weight_gradient};
pub(crate) use pack::Packed;
#[cfg(test)]
pub(crate) use winograd::supports as has_minimal_algorithm;
