//! Autoencoders that learn to reconstruct defect-free texture patches, and their training.
//!
//! The network is Table 1 of "Improving Unsupervised Defect Segmentation by Applying Structural Similarity to
//! Autoencoders" (Bergmann et al., 2018), on candle, with the
//! convolutions of the crate `convolutions`. Where it fails to reconstruct a patch, there is a defect; what to do with that is the business of the
//! crate `inspect`. This crate knows nothing of files: images come as slices, weights and checkpoints go as bytes.
//!
//! Everything runs on the CPU and, with the feature `cuda`, on NVIDIA's GPUs: the device of the weights computes.
//! [`DeviceChoice`] opens one by its name. Images, crops and random numbers are made on the CPU, so that the same seed has the
//! same patches and noise on every device; what devices make of them differs by rounding.
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
//! let images = vec![TrainingImage { width: 64, height: 64, pixels }];
//! let mut trainer = Trainer::new(config, images, &Device::Cpu)?;
//! while !trainer.is_done() {
//!     trainer.step()?;
//! }
//! let weights = trainer.model().to_safetensors()?;
//! # assert!(!weights.is_empty());
//! # Ok::<(), models::Error>(())
//! ```
//!
//! # Features
//! - `cuda`: NVIDIA's GPUs. Building takes the CUDA toolkit, and a program so built does not start without the driver's
//!   `libcuda.so.1`.
//! - `onnx`: `Autoencoder::to_onnx`, the network for other runtimes.
//! - `cudnn`: `cuda`, and convolutions by cuDNN in place of our own.

mod adam;
mod architecture;
mod autoencoder;
mod checkpoint;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod elbo;
#[cfg(test)]
mod emulated;
mod error;
mod features;
mod init;
mod objective;
#[cfg(feature = "onnx")]
mod onnx;
mod pass;
mod patches;
mod posterior;
mod profile;
mod record;
mod stream;
mod trainer;
mod weights;

pub use adam::AdamConfig;
pub use architecture::{Architecture, Latent};
pub use autoencoder::Autoencoder;
pub use checkpoint::checkpoint_note;
pub use convolutions::{Precision, PrecisionError};
pub use device::{DeviceChoice, DeviceFailure, device_name};
pub use elbo::Elbo;
pub use error::{Error, Result};
pub use features::{Extractor, FeatureMatching, Features};
pub use init::Initialisation;
pub use objective::Objective;
pub use patches::{Sampling, TrainingImage};
pub use posterior::Posterior;
pub use profile::{LayerProfile, Profile};
pub use trainer::{EpochReport, Schedule, StepReport, Trainer, TrainingConfig};

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
