//! Autoencoders that learn to reconstruct defect-free texture patches, and their training.
//!
//! The network is Table 1 of "Improving Unsupervised Defect Segmentation by Applying Structural Similarity to
//! Autoencoders" (Bergmann et al., 2018), on candle, with convolutions of this project's
//! own. Where it fails to reconstruct a patch, there is a defect; the crate `inspect` finds it. This crate reads and writes no file: images
//! come as slices, weights from a `VarBuilder`, checkpoints go as bytes.
//!
//! It is used as other models of candle's are: [`Autoencoder`] is a [`Module`](candle_core::Module), [`Adam`] an
//! [`Optimizer`](candle_nn::Optimizer), and losses are functions in [`loss`]. [`Autoencoder`] shows a training loop of ten lines, and how
//! weights of PyTorch's are loaded. [`Trainer`] trains as the paper does:
//!
//! ```
//! use candle_core::Device;
//! use models::{AdamConfig, Architecture, Objective, Schedule, Trainer, TrainingConfig, TrainingImage};
//!
//! let config = TrainingConfig {
//!     architecture: Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() },
//!     objective: Objective::L2,
//!     adam: AdamConfig::default(),
//!     schedule: Schedule { batch_size: 2, patches: 4, ..Schedule::default() },
//! };
//! // Stripes, 64×64 pixels.
//! let pixels = (0..64 * 64).map(|i| (i % 4) as f32 / 3.0).collect();
//! let images = vec![TrainingImage { width: 64, height: 64, pixels, places: None }];
//! let mut trainer = Trainer::new(config, images, &Device::Cpu)?;
//! while !trainer.is_done() {
//!     trainer.step()?;
//! }
//! let weights = trainer.model().to_safetensors()?;
//! # assert!(!weights.is_empty());
//! # Ok::<(), models::Error>(())
//! ```
//!
//! Everything runs on the CPU and, with the feature `cuda`, on NVIDIA's GPUs: the device of the weights computes.
//! [`DeviceChoice`] opens one by its name. A training draws crops and random numbers on the CPU, so that the same seed has the
//! same patches and noise on every device; results differ by rounding.
//!
//! # Features
//! - `cuda`: NVIDIA's GPUs. Building takes the CUDA toolkit, and a program so built does not start without the driver's
//!   `libcuda.so.1`.
//! - `onnx`: `Autoencoder::to_onnx`, the network for other runtimes.
//! - `cudnn`: `cuda`, and convolutions by cuDNN in place of our own.

mod adam;
mod architecture;
mod autoencoder;
#[doc(hidden)]
pub mod bench;
mod checkpoint;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
#[cfg(test)]
mod emulated;
mod error;
mod features;
mod init;
mod initialise;
pub mod loss;
mod loss_log;
mod objective;
#[cfg(feature = "onnx")]
mod onnx;
mod patches;
mod posterior;
mod progress;
mod step_size;
mod stream;
mod trainer;
mod weights;

pub use adam::{Adam, AdamConfig};
pub use architecture::{Architecture, Latent};
pub use autoencoder::Autoencoder;
pub use checkpoint::checkpoint_note;
pub use convolutions::{Precision, PrecisionError};
pub use device::{DeviceChoice, DeviceFailure, device_name};
pub use error::{Error, Result};
pub use features::{Extractor, Features};
pub use init::Initialisation;
pub use initialise::initialise;
pub use loss::{Elbo, FeatureMatching};
pub use objective::Objective;
pub use patches::{Corruption, CropPlaces, Sampling, TrainingImage};
pub use posterior::Posterior;
pub use trainer::{EpochReport, Schedule, StepReport, Trainer, TrainingConfig};

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
