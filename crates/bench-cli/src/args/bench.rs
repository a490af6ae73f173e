//! The command line of `bench-cli bench`.

use super::names;
use clap::{Args, Subcommand};
use detector::Method;
use models::{Extractor, Precision};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Measure how fast this machine computes.
///
/// The same seed gives the same inputs on every run. Warm-up runs are not counted.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  bench-cli bench train-step --latent-dim 500 --threads 1\n  \
    bench-cli bench roc --runs 3 --json")]
pub struct BenchArgs {
    #[command(subcommand)]
    pub case: Case,
}

/// The cases.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// A training step: forward and backward pass, loss, Adam.
    #[command(after_help = "Example:\n  bench-cli bench train-step --latent-dim 500 --threads 1")]
    TrainStep {
        #[command(flatten)]
        network: NetworkArgs,
        #[command(flatten)]
        loss: LossArgs,
        /// Precision of products on a GPU: f32, tf32 or bf16.
        #[arg(long, value_name = "NAME", default_value_t)]
        precision: Precision,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Reconstructions of a batch of patches.
    #[command(after_help = "Example:\n  bench-cli bench forward --batch 96 --runs 20")]
    Forward {
        #[command(flatten)]
        network: NetworkArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// The convolutions of each layer, forwards and backwards, beside a matrix product of as many multiplications.
    #[command(after_help = "Example:\n  bench-cli bench layers --size 64 --json")]
    Layers {
        #[command(flatten)]
        network: NetworkArgs,
        /// Runs of each, of which the shortest counts.
        #[arg(long, value_name = "N", default_value = "20", value_parser = positive)]
        runs: usize,
    },
    /// A whole image, from its pixels to its anomaly map.
    #[command(after_help = "Example:\n  bench-cli bench inspect --size 2048x2048 --stride 60")]
    Inspect(InspectArgs),
    /// The SSIM map of two images.
    #[command(after_help = "Example:\n  bench-cli bench ssim --window gaussian:11:1.5")]
    Ssim {
        /// Width and height of the images.
        #[arg(long, value_name = "WxH", default_value = "1024x1024")]
        size: Size,
        #[command(flatten)]
        window: WindowArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// The SSIM loss of a batch with its gradient.
    #[command(after_help = "Example:\n  bench-cli bench ssim-loss --batch 128 --seconds 10")]
    SsimLoss {
        /// Width and height of the patches.
        #[arg(long, value_name = "WxH", default_value = "128x128")]
        size: Size,
        /// Patches at once.
        #[arg(long, value_name = "N", default_value = "16", value_parser = positive)]
        batch: usize,
        #[command(flatten)]
        window: WindowArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// The ROC curve of all pixels and the area under it.
    #[command(after_help = "Example:\n  bench-cli bench roc --images 10 --runs 3 --json")]
    Roc(CurveArgs),
    /// The per-region-overlap curve of all pixels and the area under it.
    #[command(after_help = "Example:\n  bench-cli bench au-pro --images 10 --exchange numbers")]
    AuPro(CurveArgs),
}

/// The network and its batch.
#[derive(Args, Clone, Debug)]
pub struct NetworkArgs {
    /// Side length of the patches: 32, 64 or 128.
    #[arg(long, value_name = "PIXELS", default_value_t = 128)]
    pub size: usize,
    /// Patches at once.
    #[arg(long, value_name = "N", default_value = "16", value_parser = positive)]
    pub batch: usize,
    /// Dimension of the latent space.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub latent_dim: usize,
}

/// An inspection.
#[derive(Args, Clone, Debug)]
pub struct InspectArgs {
    /// Width and height of the image.
    #[arg(long, value_name = "WxH", default_value = "1024x696")]
    pub size: Size,
    /// Side length of the patches: 32, 64 or 128.
    #[arg(long, value_name = "PIXELS", default_value_t = 128)]
    pub patch_size: usize,
    /// Distance between neighbouring patches.
    #[arg(long, value_name = "PIXELS", default_value_t = 30)]
    pub stride: usize,
    /// Patches reconstructed at once.
    #[arg(long, value_name = "N", default_value = "96", value_parser = positive)]
    pub batch: usize,
    /// Dimension of the latent space.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub latent_dim: usize,
    #[command(flatten)]
    pub loss: LossArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Anomaly maps with ground truth.
#[derive(Args, Clone, Debug)]
pub struct CurveArgs {
    /// Width and height of the images.
    #[arg(long, value_name = "WxH", default_value = "1024x696")]
    pub size: Size,
    /// Number of images.
    #[arg(long, value_name = "N", default_value = "40", value_parser = positive)]
    pub images: usize,
    #[command(flatten)]
    pub run: RunArgs,
}

/// The loss, and the residual map.
#[derive(Args, Clone, Debug)]
pub struct LossArgs {
    /// Loss of the training and residual of the map.
    #[arg(long, value_parser = names::method(), default_value = "ssim")]
    pub method: Method,
    #[command(flatten)]
    pub window: WindowArgs,
    #[command(flatten)]
    pub features: FeatureArgs,
}

/// The features of the method `feature-matching`.
#[derive(Args, Clone, Debug)]
pub struct FeatureArgs {
    /// Network whose features are matched: `alexnet` or `squeezenet`.
    #[arg(long, value_name = "NETWORK", default_value_t)]
    pub extractor: Extractor,
    /// Its weights; random ones by default, with which the work is the same.
    #[arg(long, value_name = "FILE")]
    pub features_weights: Option<PathBuf>,
}

/// The window of the structural similarity.
#[derive(Args, Clone, Debug)]
pub struct WindowArgs {
    /// Window of the structural similarity, `uniform:SIZE` or `gaussian:SIZE:SIGMA`.
    #[arg(long, value_name = "WINDOW", default_value = "uniform:11")]
    pub window: ssim::Window,
}

/// How often, and on which numbers.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Runs to time.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = positive)]
    pub runs: Option<usize>,
    /// Time runs for this long, and three at least.
    #[arg(long, value_name = "S", default_value_t = 3.0)]
    pub seconds: f64,
    /// Seed of the inputs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Folder for the inputs and the results as `inputs.safetensors` and `outputs.safetensors`, so that another program can
    /// compute with the same numbers and compare.
    #[arg(long, value_name = "DIR")]
    pub exchange: Option<PathBuf>,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |digits: &str| positive(digits).ok();
        let size = match text.split_once('x') {
            Some((width, height)) => side(width).zip(side(height)),
            None => side(text).map(|side| (side, side)),
        };
        let (width, height) = size.ok_or("expected WIDTHxHEIGHT, or one number for a square")?;
        Ok(Self { width, height })
    }
}

/// The largest number of things; a wrong one must not exhaust the memory.
const MOST: usize = 1 << 15;

/// A number of things, of which there must be one.
fn positive(digits: &str) -> Result<usize, String> {
    match digits.parse() {
        Ok(count @ 1..=MOST) => Ok(count),
        _ => Err(format!("expected a whole number from 1 to {MOST}")),
    }
}
