//! Two-dimensional convolutions and their gradients for candle.
//!
//! A [`Chain`] is a sequence of layers, each a convolution or a transposed convolution with a bias and a rectifier, that candle
//! differentiates as one operation. Layers have algorithms of this crate's own on the CPU and, with feature `cuda`, on NVIDIA's GPUs;
//! on other devices they are made of candle's operations.
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use convolutions::{Chain, Conv2d, Direction, InputGradient, Layer, Mode};
//!
//! // From 1 channel to 8 by a kernel of 4×4 at a stride of 2, with a leaky rectifier.
//! let conv = Conv2d { in_channels: 1, out_channels: 8, kernel: 4, stride: 2, padding: 1 };
//! let layer = Layer { conv, direction: Direction::Convolution, slope: Some(0.2) };
//! let chain = Chain::new(vec![layer], InputGradient::Skipped);
//! assert_eq!(chain.parameter_count(), 4 * 4 * 8 + 8);
//!
//! let parameters = Var::zeros(chain.parameter_count(), DType::F32, &Device::Cpu)?;
//! // Maps are channels-last, `(N, H, W, C)`.
//! let maps = Tensor::ones((2, 32, 32, 1), DType::F32, &Device::Cpu)?;
//! let output = chain.apply(&maps, &parameters, Mode::Training)?;
//! assert_eq!(output.dims(), [2, 16, 16, 8]);
//! let gradients = output.sum_all()?.backward()?;
//! assert_eq!(gradients.get(&parameters).map(|gradient| gradient.dims()), Some(parameters.dims()));
//! # Ok::<(), candle_core::Error>(())
//! ```
//!
//! # How it works
//!
//! Three primitives make up all passes: the convolution, its gradient with respect to the input (which *is* the
//! transposed convolution) and its gradient with respect to the weights. Activations are channels-last, `(N, H, W, C)`,
//! and weights `(kernel, kernel, C_in, C_out)`, because then
//!
//! - the inputs below one row of a kernel are contiguous, so that no patch matrix needs to be gathered;
//! - a vector register holds neighbouring channels, whatever the size of the map, down to 1×1.
//!
//! On the CPU, convolutions with kernels of 3×3 and 5×5, and of 4×4 at a stride of 2, have Winograd's minimal algorithms if they have
//! enough channels; all others are plain sums. The work is split over threads by maps, tiles or weights, never within a sum: results
//! are the same for any number of threads.
//!
//! # Features
//!
//! - `cuda`: NVIDIA's GPUs, Ampere or newer. Building takes the CUDA toolkit.
//! - `cudnn`: `cuda`, and convolutions by cuDNN in place of this crate's.
//! - `serde`: [`Precision`] in configurations.

mod chain;
mod composed;
mod cpu;
mod geometry;
#[cfg(any(test, feature = "cuda"))]
mod gpu;
mod layers;
mod op;
mod precision;
mod prepared;
pub mod profile;
mod storage;
#[cfg(test)]
mod tests;

pub use chain::{Activations, Chain, Gradients};
pub use cpu::{Buffer, Buffers};
pub use geometry::{Conv2d, Direction, Layer, Size};
pub use layers::{InputGradient, Mode};
pub use precision::{Precision, PrecisionError};
pub use prepared::PreparedChain;
pub use storage::{contiguous, with_values};

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
