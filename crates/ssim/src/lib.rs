//! Windowed luminance, contrast, structure and SSIM maps, and the SSIM loss with its analytic gradient.
//!
//! Two row-major images of the same size go in as slices; maps, means, losses and gradients come out.
//! [`Params`] say in full what is computed: a [`Window`] over which local means, variances and the
//! covariance are taken, a [`Border`] rule, the stabilising [`Constants`], and the [`Exponents`]. For
//! every window
//!
//! * luminance l = (2μxμy + c1) / (μx² + μy² + c1),
//! * contrast c = (2σxσy + c2) / (σx² + σy² + c2),
//! * structure s = (σxy + c3) / (σxσy + c3),
//! * SSIM = l^α · c^β · s^γ
//!
//! (Wang, Bovik, Sheikh and Simoncelli 2004; as the loss of an autoencoder, Bergmann et al. 2018).
//!
//! ```
//! use ssim::{Border, Components, Constants, Params, Window};
//!
//! // A dot and its negative: as much contrast, but opposite structure.
//! let x = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0_f32];
//! let y = x.map(|x| 1.0 - x);
//!
//! // The constants belong to pixels in [0, 1]; nothing guesses a range.
//! let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
//! let maps = ssim::maps(&x, &y, 3, 3, &params, Components::CONTRAST | Components::STRUCTURE)?;
//! assert_eq!(maps.contrast, Some(vec![1.0]));
//! assert!(maps.structure.is_some_and(|map| map[0] < -0.99));
//! # Ok::<(), ssim::Error>(())
//! ```
//!
//! # Conventions
//!
//! * Variances and covariance are those of the population (divided by the number of pixels).
//! * Pixels are `f32` or `f64`, finite and within the range of `f32`; anything else is an [`Error`]. Then
//!   every result is finite, for constant, zero and huge images too, and equal images score 1 exactly.
//! * Moments are summed in `f64`. Maps agree with scikit-image to the rounding of the result. Sums under uniform windows
//!   run along (add what enters, subtract what leaves) where that moves no value by more than an eighth of an ulp;
//!   where pixels are large beside the constants nothing is subtracted, so that outliers leave no errors behind.
//! * The time per pixel does not depend on the size of a uniform window, and is proportional to the size of a
//!   Gaussian one.
//! * Work is spread over rayon's threads; results do not depend on their number, to the last bit.
//!
//! # Features
//!
//! * `candle` (off by default): the module `tensor`, differentiable SSIM on candle tensors.
//! * `serde` (off by default): [`Params`] and its parts in configuration files, as the text that each is read from and
//!   printed as; [`Exponents`] as three numbers.
//! * `image`, `ndarray` (off by default): the modules `picture` and `array`, the same on the types of these crates.
//! * `cuda` (off by default): the same on CUDA devices, in single precision; building takes the CUDA toolkit.

#[cfg(feature = "ndarray")]
pub mod array;
mod border;
mod components;
mod constants;
#[cfg(any(feature = "cuda", test))]
mod device;
mod error;
mod formula;
mod gradient;
mod input;
mod lanes;
mod loss;
mod maps;
mod moments;
mod padding;
mod pair;
mod params;
mod passes;
#[cfg(feature = "image")]
pub mod picture;
mod plan;
mod render;
mod sample;
mod sliding;
#[cfg(feature = "candle")]
pub mod tensor;
#[cfg(feature = "serde")]
mod text;
mod tile;
mod vectors;
mod window;
mod windowing;

pub use border::Border;
pub use components::Components;
pub use constants::Constants;
pub use error::Error;
pub use gradient::{loss_and_gradient, ssim_map_gradient};
pub use input::Input;
pub use loss::{loss, mean_ssim};
pub use maps::{Map, Maps, maps, ssim_map};
pub use params::{Exponents, Params};
pub use sample::Sample;
pub use window::Window;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
