//! Records of speed.

use crate::Method;
use serde::{Deserialize, Serialize};

/// A case of `bench`, with the size of its work as `W`: [`TrainingWork`] for `train-step`, [`ForwardWork`] for `forward`,
/// [`InspectionWork`] for `inspect`, [`SsimWork`] for `ssim` and `ssim-loss`, [`CurveWork`] for `roc` and `au-pro`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchRecord<W> {
    /// The name of the case.
    pub case: String,
    /// The measured times.
    #[serde(flatten)]
    pub timing: Timing,
    /// Threads that computed.
    pub threads: usize,
    /// `cpu`, or the name of a GPU.
    pub device: String,
    /// The most memory that the process has ever held, in 10⁶ bytes; absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_mb: Option<f64>,
    /// The size of the work.
    #[serde(flatten)]
    pub work: W,
}

/// Wall-clock times of equal runs, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The median.
    pub median_ms: f64,
    /// The shortest.
    pub min_ms: f64,
    /// Number of runs.
    pub runs: usize,
}

/// Multiply-adds of the plain algorithm in a run, each product of a weight and a value counted once, and the rate at which they
/// were done. A multiply-add is two floating-point operations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arithmetic {
    /// Multiply-adds.
    pub multiply_adds: u64,
    /// 10⁹ floating-point operations per second, at the median time.
    pub gflop_per_s: f64,
}

/// The size of a training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingWork {
    /// The loss.
    pub method: Method,
    /// `alexnet` or `squeezenet`, if features are matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extractor: Option<String>,
    /// The window of the structural similarity.
    pub window: String,
    /// Patches at once.
    pub batch: usize,
    /// Side length of the patches in pixels.
    pub patch_size: usize,
    /// Dimension of the latent space.
    pub latent_dim: usize,
    /// `f32`, `tf32` or `bf16`.
    pub precision: String,
    /// The convolutions.
    #[serde(flatten)]
    pub arithmetic: Arithmetic,
}

/// The size of a forward pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForwardWork {
    /// Patches at once.
    pub batch: usize,
    /// Side length of the patches in pixels.
    pub patch_size: usize,
    /// Dimension of the latent space.
    pub latent_dim: usize,
    /// The convolutions.
    #[serde(flatten)]
    pub arithmetic: Arithmetic,
}

/// The size of an inspection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InspectionWork {
    /// The residual.
    pub method: Method,
    /// The window of the structural similarity.
    pub window: String,
    /// Width of the image in pixels.
    pub width: usize,
    /// Height of the image in pixels.
    pub height: usize,
    /// Number of patches.
    pub patches: usize,
    /// Side length of the patches in pixels.
    pub patch_size: usize,
    /// Distance between neighbouring patches in pixels.
    pub stride: usize,
    /// Patches at once.
    pub batch: usize,
    /// Dimension of the latent space.
    pub latent_dim: usize,
    /// Diameter of the disk of the opening in pixels.
    pub opening_diameter: usize,
    /// The convolutions.
    #[serde(flatten)]
    pub arithmetic: Arithmetic,
}

/// The size of an SSIM map, or of a batch of the SSIM loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsimWork {
    /// The window.
    pub window: String,
    /// Pairs of images.
    pub batch: usize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pixels of the batch.
    pub pixels: usize,
}

/// The size of a test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveWork {
    /// Number of images.
    pub images: usize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pixels of all images.
    pub pixels: usize,
    /// Defective pixels.
    pub defective_pixels: usize,
    /// Scores (4 bytes a pixel) and labels (1 byte), in 10⁶ bytes.
    pub input_mb: f64,
}

/// The case `layers` of `bench`: the convolutions of each layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayersRecord {
    /// `layers`.
    pub case: String,
    /// Threads that computed.
    pub threads: usize,
    /// Patches at once.
    pub batch: usize,
    /// Side length of the patches in pixels.
    pub patch_size: usize,
    /// Dimension of the latent space.
    pub latent_dim: usize,
    /// Multiply-adds per second of a matrix product that fits into the caches.
    pub product_rate: f64,
    /// From the patch to its reconstruction.
    pub layers: Vec<LayerTimes>,
}

/// Times of a layer's convolutions, each the shortest of several runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerTimes {
    /// The name of its weights, such as `encoder.2`.
    pub layer: String,
    /// Multiply-adds of each of the three passes, by the plain algorithm.
    pub multiply_adds: u64,
    /// Milliseconds of the forward pass.
    pub forward_ms: f64,
    /// Milliseconds of the gradient with respect to the input.
    pub input_gradient_ms: f64,
    /// Milliseconds of the gradient with respect to the weights.
    pub weight_gradient_ms: f64,
}
