//! The command line as it is typed.

mod bench;
mod export;
mod names;
mod predict;
mod tune;

pub use bench::{
    BenchArgs, Case, CurveArgs, FeatureArgs, InspectArgs, LossArgs, NetworkArgs, RunArgs, Size,
    WindowArgs,
};
pub use export::{CompletionsArgs, ExportArgs, ManArgs};
pub use predict::{Keep, MapFormat, MergeArgs, Output, PredictArgs, Subfolders};
pub use tune::TuneArgs;

use clap::{Args, Parser, Subcommand};
use detector::synthetic::SyntheticKind;
use detector::{Method, RuleName};
use models::{DeviceChoice, Extractor};
use std::path::PathBuf;

/// How often a training saves its state, unless it is said otherwise.
pub const CHECKPOINT_SECONDS: u64 = 60;

/// Finds defects on textured surfaces without ever having seen one.
///
/// An autoencoder learns to reconstruct defect-free patches; where it fails to reconstruct an image, there is a defect.
///
/// Exit codes: 0 done; 1 a defect was found (`predict --exit-code`); 2 an error; 129, 130, 143 and 149 interrupted.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  bench-cli demo\n  bench-cli train --data DIR --out MODEL\n  \
    bench-cli evaluate MODEL --data DIR --out RESULTS\n  bench-cli predict MODEL image.png --out RESULTS"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

/// Options of every subcommand.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every subcommand")]
pub struct Common {
    /// Write JSON Lines to standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on standard error but warnings and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Append notes, warnings and errors to a file, too, each line with its time (UTC). It may be moved away meanwhile.
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Number of threads; all processors by default. Results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Where networks compute: `cpu`, `cuda` or `cuda:N` (a GPU, in programs built with the feature `cuda`), or `auto`, the first
    /// GPU if it can be used, otherwise the processor.
    #[arg(long, global = true, value_name = "DEVICE", default_value_t)]
    pub device: DeviceChoice,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(DemoArgs),
    Train(TrainArgs),
    Tune(TuneArgs),
    Calibrate(CalibrateArgs),
    Evaluate(EvaluateArgs),
    Figure(FigureArgs),
    Predict(PredictArgs),
    Merge(MergeArgs),
    Ssim(SsimArgs),
    Synthesize(SynthesizeArgs),
    Toy(ToyArgs),
    Info(InfoArgs),
    Config(PrintConfigArgs),
    Export(ExportArgs),
    Bench(BenchArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// Whether it runs a network, for which it needs a device.
    pub fn runs_network(&self) -> bool {
        !matches!(
            self,
            Self::Completions(_)
                | Self::Config(_)
                | Self::Export(_)
                | Self::Info(_)
                | Self::Man(_)
                | Self::Merge(_)
                | Self::Ssim(_)
                | Self::Synthesize(_)
        )
    }
}

/// Where a configuration comes from.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set a key of the configuration, for example `--set training.batch_size=32`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Show what it does on synthetic fabric: make images, train, evaluate, draw.
///
/// All images are synthetic: computed, not photographed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  bench-cli demo\n  \
    bench-cli demo --methods ssim,l2,vae --patches 20000 --out comparison")]
pub struct DemoArgs {
    /// Folder for images, models, tables and figures.
    #[arg(long, value_name = "DIR", default_value = "demo-output")]
    pub out: PathBuf,
    /// Methods to compare; each takes its time.
    #[arg(
        long,
        value_parser = names::method(),
        value_name = "METHOD",
        value_delimiter = ',',
        default_values = ["ssim", "l2"]
    )]
    pub methods: Vec<Method>,
    /// Weights of the network whose features are matched, for the method `feature-matching`.
    #[arg(long, value_name = "FILE")]
    pub features_weights: Option<PathBuf>,
    /// Which network these are of: `alexnet` or `squeezenet`.
    #[arg(long, value_name = "NETWORK", default_value_t)]
    pub extractor: Extractor,
    /// Patches that each model is trained on.
    #[arg(long, value_name = "N", default_value_t = 4_800)]
    pub patches: u64,
    /// Seed of the images and of the training.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// Train a model on good images, and calibrate it.
///
/// The data set is a folder in one of the layouts of bench-cli's README, or one with nothing but good images. What is found there is
/// said before the training begins.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  bench-cli train --data carpet --method ssim --out model \
    --set data.size=[256,256]\n  bench-cli train --data monday tuesday 'archive/**/*.tif' --out model\n  \
    bench-cli train --data AITEX --set data.only=_00 --set data.region=auto --out model\n  bench-cli train --out model --resume")]
pub struct TrainArgs {
    /// Folder of the data set; or good images: several folders, image files, patterns in quotes such as `'line-3/**/*.png'`, text files
    /// (`.txt`) with a path on each line, or `-` for such a list on standard input.
    #[arg(long, value_name = "DIR|IMAGES", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Loss of the training and residual of the map; `ssim` by default.
    #[arg(long, value_parser = names::method())]
    pub method: Option<Method>,
    /// Folder of the model.
    #[arg(long, value_name = "MODEL")]
    pub out: PathBuf,
    /// Patches to train on; the configuration's by default, which are the paper's 2000000 unless it says otherwise.
    #[arg(long, value_name = "N")]
    pub patches: Option<u64>,
    /// Seed of the initial weights and of the patches.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Weights of the network whose features are matched, as PyTorch or safetensors file with torchvision's names, for example
    /// `alexnet-owt-7be5be79.pth`; for the method `feature-matching`.
    #[arg(long, value_name = "FILE")]
    pub features_weights: Option<PathBuf>,
    /// How often the state is saved, at most: what a crash costs. 0 saves it after every step.
    #[arg(long, value_name = "SECONDS", default_value_t = CHECKPOINT_SECONDS)]
    pub checkpoint_every: u64,
    /// Go on where an interrupted training stopped, with the configuration of the model's folder.
    #[arg(long, conflicts_with_all = ["method", "config", "seed", "overwrite"])]
    pub resume: bool,
    /// Replace the model that is in the folder.
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Choose the threshold of a trained model anew, from good images.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bench-cli calibrate model --rule false_alarms:100\n  bench-cli calibrate model --set preset=paper\n  \
    bench-cli calibrate model --good line-3/approved --rule largest_region:20"
)]
pub struct CalibrateArgs {
    /// Folder of the model.
    pub model: PathBuf,
    /// Good images: folders, data sets, whose good training images are used, image files, patterns, lists (`.txt`) or `-` for a list on
    /// standard input; by default those that the training held out and, if these are fewer than `calibration.min_images`, others of
    /// the training.
    #[arg(long, alias = "data", value_name = "DIR|IMAGES", num_args = 1..)]
    pub good: Vec<PathBuf>,
    /// `false_alarms:IMAGES`: one of IMAGES good images is flagged; `max`: no pixel of the good images is flagged; `quantile:Q`:
    /// at most a fraction 1 − Q of them; `mean_sigma:K`: mean plus K standard deviations; `largest_region:AREA`: no region of more than AREA pixels is flagged; `manual:THRESHOLD`. By
    /// default the model's rule.
    #[arg(long, value_name = "RULE")]
    pub rule: Option<RuleName>,
    /// Set a key of the tables `calibration`, `inspection` and `residual`, or `preset` or `data.region`, without training again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Measure a model on a data set with ground truth.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bench-cli evaluate model --data carpet --out results --json")]
pub struct EvaluateArgs {
    /// Folder of the model.
    pub model: PathBuf,
    /// Folder of the data set; by default the one trained on.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for tables, plots and figures.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Also write the anomaly maps as float TIFF, `maps/<category>/test/<defect>/<id>.tiff`, as MVTec's evaluation reads
    /// them.
    #[arg(long)]
    pub maps: bool,
    /// Set a key of the tables `data`, `residual`, `inspection` and `vae`, for example `--set inspection.stride=64`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Draw what several models make of the same defects.
///
/// Rows of image, reconstructions, anomaly maps and ground truth, cut out around the largest defect of an image. Colours are
/// relative to each model's threshold.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bench-cli figure l2 ssim vae --data carpet --out figure.png")]
pub struct FigureArgs {
    /// Folders of the models.
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    /// Folder of the data set; by default the one that the first model was trained on.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The figure (PNG).
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Defective images, evenly spaced over the test set.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub images: usize,
    /// Side of the cut-outs in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 256)]
    pub crop: usize,
}

/// Compare two images by their structural similarity.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  bench-cli ssim a.png b.png --window gaussian:11:1.5 --constants squared --json"
)]
pub struct SsimArgs {
    /// First image.
    pub a: PathBuf,
    /// Second image, of the same size.
    pub b: PathBuf,
    /// `uniform:SIZE` or `gaussian:SIZE:SIGMA`.
    #[arg(long, default_value = "uniform:11")]
    pub window: ssim::Window,
    /// `paper` (0.01, 0.03), `squared` (0.01², 0.03²) or `C1,C2`, for intensities in [0, 1].
    #[arg(long, default_value = "squared")]
    pub constants: ssim::Constants,
    /// `valid`: only windows inside the image; `reflect`: maps of the image's size, edge pixels repeated.
    #[arg(long, default_value = "valid")]
    pub border: ssim::Border,
    /// Folder for `ssim.tiff`, `luminance.tiff`, `contrast.tiff` and `structure.tiff` (32-bit float).
    #[arg(long, value_name = "DIR")]
    pub maps: Option<PathBuf>,
}

/// Make a synthetic data set with the sizes and counts of one of the paper's.
///
/// All images are synthetic: computed, not photographed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bench-cli synthesize plain --out fabric --seed 1")]
pub struct SynthesizeArgs {
    /// Subject of the images.
    #[arg(value_parser = names::synthetic_kind())]
    pub kind: SyntheticKind,
    /// Folder for the data set.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Seed of the images.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Number of good images instead of the paper's.
    #[arg(long, value_name = "N")]
    pub good: Option<usize>,
    /// Number of defective images instead of the paper's.
    #[arg(long, value_name = "N")]
    pub defective: Option<usize>,
}

/// Draw defects into a good image, and how ℓ2 and SSIM see them.
///
/// A row of image with a dark stroke and a bright blob, reconstruction, the residual maps of ℓ2, luminance, contrast, structure
/// and SSIM, and ground truth: the paper's toy example.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bench-cli toy model --out toy.png --seed 3 --json")]
pub struct ToyArgs {
    /// Folder of the model.
    pub model: PathBuf,
    /// The figure (PNG).
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// A good image; by default the first one that the training held out, or trained on if it held out none.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Seed of the defects.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// Print a whole configuration, as TOML or with `--json` as JSON.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bench-cli config --defaults\n  bench-cli config --config fabric.toml --set training.seed=1 --json"
)]
pub struct PrintConfigArgs {
    /// The values of all keys that a configuration leaves out.
    #[arg(long, conflicts_with_all = ["config", "settings"])]
    pub defaults: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Say what a model's folder holds.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bench-cli info model --json")]
pub struct InfoArgs {
    /// Folder of the model.
    pub model: PathBuf,
}

#[cfg(test)]
mod tests;
