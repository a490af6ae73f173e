//! Convolutions with fewer multiplications.
//!
//! Maps are cut into overlapping tiles of t×t; a tile's pixels are transformed, multiplied with equally transformed
//! weights, summed over channels, and transformed back to m×m results. For all tiles together, that is t² matrix products
//! `(tiles, inputs)·(inputs, outputs)`.
//!
//! A convolution of stride s is one of stride 1 over blocks of s×s pixels, whose pixels count as channels, with kernels s
//! times smaller; a transposed convolution is a convolution of stride 1 whose results are such blocks. So 3×3 kernels take
//! F(4, 3), 5×5 kernels F(2, 5), and 4×4 kernels of stride 2 take F(4, 2) or, transposed, F(3, 2), which fits grids of one
//! block more than a power of two. They have 4, 2.8, 2.6 and 2.25 times fewer multiplications than the sums have.

mod algorithm;
mod blocks;
mod convolution;
mod correlation;
mod sandwich;
mod tap_gradient;
mod taps;
#[cfg(test)]
mod tests;
mod tiles;

pub use convolution::{
    WinogradConv, forward, input_gradient, supports, supports_weight_gradient, weight_gradient,
};
