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
//! Convolutions with kernels of 3×3 and 5×5, and of 4×4 at a stride of 2, have Winograd's minimal algorithms on the CPU if they have
//! enough channels; all others are plain sums. The work is split over threads by maps, tiles or weights, never within a sum: results
//! are the same for any number of threads.
//!
//! # Features
//!
//! - `cuda`: NVIDIA's GPUs, Ampere or newer. Building takes the CUDA toolkit.
//! - `cudnn`: `cuda`, and convolutions by cuDNN in place of this crate's.
//! - `serde`: [`Precision`] in configurations.

mod buffer;
mod chain;
mod composed;
mod direct;
#[cfg(test)]
mod emulation;
mod frozen;
mod gather;
#[cfg(any(test, feature = "cuda"))]
mod gpu;
#[cfg(feature = "cuda")]
mod launch;
mod layer;
mod op;
mod pack;
mod precision;
mod profile;
mod simd;
mod slot;
#[cfg(test)]
mod tests;
mod winograd;

pub use buffer::{Buffer, Buffers};
pub use chain::{Chain, InputGradient, Mode, contiguous, with_values};
pub use frozen::Frozen;
pub use layer::{Direction, Layer};
pub use precision::{Precision, PrecisionError};
pub use profile::{LayerTimes, product_rate};
pub use slot::Slot;

/// The geometry of a convolution with a square kernel and equal stride and zero padding in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Channels of the convolved map.
    pub in_channels: usize,
    /// Channels of the result.
    pub out_channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Distance of neighbouring outputs, in pixels of the input; from 1 to `kernel`.
    pub stride: usize,
    /// Rows and columns of zeros put around the input on each side.
    pub padding: usize,
}

/// The size of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Size {
    fn pixels(&self) -> usize {
        self.height * self.width
    }
}

impl Conv2d {
    /// The size of the result, `None` if the kernel is larger than the padded input.
    pub fn output(&self, input: Size) -> Option<Size> {
        let side = |size: usize| {
            Some((size + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1)
        };
        Some(Size { height: side(input.height)?, width: side(input.width)? })
    }

    /// The size of the result of the transposed convolution, `None` if the padding leaves nothing.
    pub fn transposed_output(&self, input: Size) -> Option<Size> {
        let side = |size: usize| {
            let full = size.checked_sub(1)? * self.stride + self.kernel;
            full.checked_sub(2 * self.padding).filter(|&side| side > 0)
        };
        Some(Size { height: side(input.height)?, width: side(input.width)? })
    }

    /// The shape of the weights, `(kernel, kernel, C_in, C_out)`.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.kernel, self.kernel, self.in_channels, self.out_channels]
    }

    /// The number of weights, without biases.
    pub fn weight_count(&self) -> usize {
        self.weight_shape().iter().product()
    }

    /// Whether the convolution is a matrix product of the maps as they lie: of one row a map, or of one a pixel.
    fn is_product(&self, input: Size) -> bool {
        self.is_dense(input) || (self.kernel, self.stride, self.padding) == (1, 1, 0)
    }

    /// Whether the kernel covers an unpadded input exactly once, so that the convolution is a matrix product.
    fn is_dense(&self, input: Size) -> bool {
        self.padding == 0 && input.height == self.kernel && input.width == self.kernel
    }
}

/// What is done with a sum before it is stored: add the bias of its channel, then apply a rectifier.
#[derive(Clone, Copy, Default)]
pub(crate) struct Epilogue<'a> {
    /// One value per output channel.
    pub bias: Option<&'a [f32]>,
    /// Slope below zero, in [0, 1); linear if there is none.
    pub slope: Option<f32>,
}

/// A convolution in either direction for maps of one size, its weights in the order in which they are read.
enum Kernel {
    Direct(direct::Kernel),
    Winograd(winograd::Kernel),
}

impl Kernel {
    /// The convolution with weights `(kernel, kernel, C_in, C_out)`, for the sizes of its input and its result.
    fn convolution(conv: &Conv2d, weights: &[f32], sizes: (Size, Size), buffers: &Buffers) -> Self {
        match winograd::supports(conv) {
            true => Self::Winograd(winograd::convolution(conv, weights, sizes, buffers)),
            false => Self::Direct(direct::convolution(conv, weights, sizes, buffers)),
        }
    }

    /// The convolution's gradient with respect to its input, which is the transposed convolution; for the sizes of the
    /// gradient and of the input, which that of the gradient does not tell where a stride leaves a remainder.
    fn input_gradient(
        conv: &Conv2d,
        weights: &[f32],
        sizes: (Size, Size),
        buffers: &Buffers,
    ) -> Self {
        match winograd::supports(conv) {
            true => Self::Winograd(winograd::input_gradient(conv, weights, sizes, buffers)),
            false => Self::Direct(direct::input_gradient(conv, weights, sizes, buffers)),
        }
    }

    /// Writes the results for a batch of maps, `(N, H, W, C)` each.
    fn run(&self, input: &[f32], epilogue: Epilogue<'_>, buffers: &Buffers, result: &mut [f32]) {
        match self {
            Self::Direct(kernel) => kernel.run(input, epilogue, buffers, result),
            Self::Winograd(kernel) => kernel.run(input, epilogue, buffers, result),
        }
    }
}

/// Writes the gradient with respect to the weights, `(kernel, kernel, C_in, C_out)`, for an input `(N, H, W, C_in)` and a
/// gradient of the result `(N, H', W', C_out)`.
fn weight_gradient(
    conv: &Conv2d,
    input: (&[f32], Size),
    gradient: (&[f32], Size),
    buffers: &Buffers,
    result: &mut [f32],
) {
    match winograd::supports_weight_gradient(conv) {
        true => winograd::weight_gradient(conv, input, gradient, buffers, result),
        false => direct::weight_gradient(conv, input, gradient, buffers, result),
    }
}

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
