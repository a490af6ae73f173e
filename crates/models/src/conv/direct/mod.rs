//! Convolutions as they are defined: a tile of output pixels is the product of the inputs below it with the weights.

mod convolution;
mod fold;
mod passes;
mod transposed;
mod weight_gradient;

pub use convolution::convolve;
pub use passes::multiply_rows;
pub use transposed::input_gradient;
pub use weight_gradient::weight_gradient;
