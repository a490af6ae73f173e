//! The plain sums of products, for all kernels.

mod convolution;
mod fold;
mod forward;
mod passes;
mod transposed;
mod weight_gradient;

pub use convolution::DirectConv;
pub use forward::forward;
pub use passes::multiply_rows;
pub use transposed::input_gradient;
pub use weight_gradient::weight_gradient;
