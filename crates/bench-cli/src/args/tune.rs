//! The command line of `bench-cli tune`.

use super::{ConfigArgs, names};
use clap::Args;
use detector::Method;
use std::path::PathBuf;

/// Find the method, the scale and the residual that suit a texture, from good images alone.
///
/// Models are trained briefly, the better ones longer (successive halving). Defects of several kinds are drawn into good images; what is
/// chosen finds the most of them at one false alarm in N good images, N being that of `calibration.threshold`. `tuned.toml` is a
/// configuration for `train`, `tune.html` shows what was found. A run that was interrupted goes on when it is started again.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bench-cli tune --data carpet --budget 30 --out tuned\n  bench-cli train --config tuned/tuned.toml --out model\n  \
    bench-cli tune --data carpet --budget 60 --out tuned --methods ssim,l2,vae --scales 1,0.5,0.25\n  \
    bench-cli tune --model model --out tuned"
)]
pub struct TuneArgs {
    /// Folder of the data set, or good images as for `train`; test images are not looked at, unless `--labels` is given.
    #[arg(long, value_name = "DIR|IMAGES", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Folder for results and models.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Minutes for training and comparing, such as 30 or 0.5. What is trained is compared in any case.
    #[arg(long, value_name = "MINUTES", default_value_t = 30.0)]
    pub budget: f64,
    /// Methods to try; the configured one, `ssim` and `l2` by default.
    #[arg(long, value_parser = names::method(), value_name = "METHODS", value_delimiter = ',')]
    pub methods: Vec<Method>,
    /// Factors to scale images by, if all have nearly the same size.
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', default_values_t = [1.0, 0.5])]
    pub scales: Vec<f64>,
    /// Dimensions of the latent space to try; the configured one, 100 and 500 by default.
    #[arg(long, value_name = "DIMENSIONS", value_delimiter = ',')]
    pub latent_dims: Vec<usize>,
    /// Patch sizes to try; the configured one, 128 and 64 by default.
    #[arg(long, value_name = "SIDES", value_delimiter = ',')]
    pub patch_sizes: Vec<usize>,
    /// Train nothing: compare residuals on the model of this folder; may be given several times.
    #[arg(
        long = "model",
        value_name = "MODEL",
        conflicts_with_all = ["budget", "methods", "scales", "latent_dims", "patch_sizes", "config", "settings"]
    )]
    pub models: Vec<PathBuf>,
    /// Also say how well drawn defects rank settings, by the test images and their ground truth, after everything is chosen without them.
    #[arg(long)]
    pub labels: bool,
    /// Seed of the drawn defects, and of the trainings.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Begin anew in a folder that holds another tuning.
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
}
