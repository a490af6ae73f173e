//! Chains on a GPU.
//!
//! [`chain`] and [`columns`] say what is launched in which order, on which parts of which arrays, for any [`backend`]. So tests can run
//! all of it on the CPU, with the backend `reference`; `cuda` is the backend of NVIDIA's GPUs. Convolutions are matrix products of
//! [`columns`] unless a backend has better ones: [`tiles`] are gathered without writing columns.

mod array;
mod backend;
mod chain;
mod columns;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
#[cfg(test)]
mod emulated;
mod problem;
#[cfg(test)]
mod reference;
mod rows;
#[cfg(test)]
mod tests;
mod tiles;
