//! Windowed luminance, contrast, structure and SSIM maps, and the SSIM loss with its analytic gradient.

mod border;
mod components;
mod constants;
mod error;
mod formula;
mod gradient;
mod input;
mod loss;
mod maps;
mod moments;
mod padding;
mod pair;
mod params;
mod plan;
mod sample;
#[cfg(feature = "candle")]
pub mod tensor;
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
