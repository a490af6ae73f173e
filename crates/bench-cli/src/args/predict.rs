//! The command line of `bench-cli predict`.

use clap::{Args, ValueEnum};
use detector::Shard;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Find defects in images.
///
/// Every image gets a record in `predictions.jsonl` and `predictions.csv` as soon as it is inspected; `--write` chooses what else
/// is kept of it.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bench-cli predict model line-3 'archive/**/*.tif' --out found --exit-code\n  \
    find line-3 -name '*.png' -print0 | bench-cli predict model - --null --out found\n  \
    bench-cli predict model line-3 --out found --write mask,heatmap\n  \
    bench-cli predict model archive --out found --resume --keep defective --subfolders hash\n  \
    bench-cli predict model archive --out found --resume --shard 2/8\n  \
    bench-cli predict model --watch line-3 --out found --json"
)]
pub struct PredictArgs {
    /// Folder of the model.
    pub model: PathBuf,
    /// Image files, folders, patterns in quotes such as 'line-3/**/*.png', or `-` for a list on standard input, a path on each
    /// line.
    #[arg(required_unless_present = "watch", conflicts_with = "watch")]
    pub inputs: Vec<PathBuf>,
    /// Folder for the results; not one that the images lie in.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Files kept of each image beside its record.
    #[arg(
        long,
        value_enum,
        value_name = "LIST",
        value_delimiter = ',',
        default_values = ["map", "mask", "overlay", "regions", "report"]
    )]
    pub write: Vec<Output>,
    /// The images that maps, masks, overlays, heatmaps and reconstructions are kept of; all have records and rows.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub keep: Keep,
    /// Subfolders of `--out` for these files.
    #[arg(long, value_enum, value_name = "KIND", default_value_t)]
    pub subfolders: Subfolders,
    /// The format of the scores of `map`.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub map_format: MapFormat,
    /// Go on with the results in `--out`: an image that has a record there, of the same content, model and options, is not inspected
    /// again.
    #[arg(long, conflicts_with = "watch")]
    pub resume: bool,
    /// Inspect part I of N of the images, and write the results to `shard-I-of-N` in `--out`; `bench-cli merge` joins their tables.
    #[arg(long, value_name = "I/N", conflicts_with = "watch")]
    pub shard: Option<Shard>,
    /// Paths on standard input end with a NUL byte instead of a line break, as `find -print0` and `git ls-files -z` have them.
    #[arg(long, short = '0', conflicts_with = "watch")]
    pub null: bool,
    /// Inspect the images of a folder, then those that arrive in it, until interrupted (Ctrl-C, SIGTERM). What `--out` has a record
    /// of is not inspected again unless it changes.
    #[arg(long, value_name = "DIR")]
    pub watch: Option<PathBuf>,
    /// How often `--watch` looks at the folder. A file must be the same in two looks before it is read.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.5",
        value_parser = seconds,
        conflicts_with = "inputs"
    )]
    pub poll: Duration,
    /// Threshold instead of the model's own: a pixel is defective if its score is at least this.
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub threshold: Option<f32>,
    /// Least area instead of the model's own: the pixels of the smallest region that counts as a defect.
    #[arg(long, value_name = "PIXELS")]
    pub min_area: Option<usize>,
    /// Exit with 1 if a defect was found.
    #[arg(long, conflicts_with = "watch")]
    pub exit_code: bool,
}

/// A file, or a part of one, that can be kept of an inspected image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
pub enum Output {
    /// `ID.tiff`: the scores, as `--map-format` has them.
    Map,
    /// `ID_mask.png`: 255 where a pixel is defective, otherwise 0.
    Mask,
    /// `ID_overlay.png`: scores in colour over the image, regions outlined, score and threshold below.
    Overlay,
    /// `ID_heatmap.png`: scores in colour.
    Heatmap,
    /// `ID_reconstruction.png`: what the network makes of the image.
    Reconstruction,
    /// `report.html`: a page with the images that score highest, written when the run ends; with `--watch` the last images, replaced
    /// every few seconds.
    Report,
    /// `regions.csv`: a row for each region of each image.
    Regions,
    /// `coco.json`: the regions of all images as COCO has objects, written when the run ends; not with `--watch`.
    Coco,
    /// Nothing but the records.
    None,
}

/// The images that files are kept of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
pub enum Keep {
    /// All images.
    #[default]
    All,
    /// Images that have a defect.
    Defective,
}

/// Subfolders for the files of images, which are a part of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
pub enum Subfolders {
    /// All files in one folder.
    #[default]
    None,
    /// 256 folders, by a hash of the image's path.
    Hash,
    /// The folders that lead to the image.
    Input,
}

/// The format of stored scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
pub enum MapFormat {
    /// 32-bit floats, not compressed.
    #[default]
    F32,
    /// 16-bit floats, within 0.05 % of the scores, compressed by Deflate.
    F16,
}

/// Join the tables of the shards of a run, and say which shards and images are missing or occur twice.
///
/// The folder gets `predictions.jsonl`, `predictions.csv` and, if all shards have them, `regions.csv` and `coco.json`, in the order of
/// a run without shards. Files of images stay where they are: ids begin with the folder of the shard.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bench-cli merge found --json")]
pub struct MergeArgs {
    /// The `--out` of the shards.
    pub folder: PathBuf,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected seconds above 0 such as 0.5, got {text}");
    let seconds: f64 = text.parse().map_err(|_| expected())?;
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration.filter(|duration| !duration.is_zero()).ok_or_else(expected)
}
