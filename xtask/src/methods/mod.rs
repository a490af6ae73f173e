//! `cargo xtask methods`: compares the paper's methods on a data set over several seeds.

mod page;
mod runs;

use crate::command::{bench_cli, repository, strings, text};
use crate::machine::{commit, date, processor};
use crate::{datasets, files};
use anyhow::{Context, Result, ensure};
use runs::Run;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Train and evaluate methods with several seeds on a data set, and write table, numbers and a figure to `results/methods/`.
///
/// The figure of a real set shows images that are not ours to pass on, and goes to the work folder.
///
/// What is finished in the work folder is not done again, an interrupted training is resumed: the command can be interrupted
/// and repeated. With another version of the program, name another work folder.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the table. `plain`, `twill` and `fibres` are made by `bench-cli synthesize` unless --data is given.
    name: String,
    /// Folder of the data set.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What the data is, if it is only a part of a set.
    #[arg(long, default_value = "")]
    remark: String,
    /// Configuration file; by default that of `datasets/NAME.toml`, or of `datasets/synthetic-NAME.toml`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set a key of the configuration, for all methods.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[arg(long, value_delimiter = ',', default_values = ["l2", "ssim", "vae", "feature-matching"])]
    methods: Vec<String>,
    #[arg(long, value_delimiter = ',', default_values = ["0", "1", "2"])]
    seeds: Vec<u64>,
    /// Patches that each model is trained on.
    #[arg(long, value_name = "N")]
    patches: u64,
    /// Weights for the method `feature-matching`.
    #[arg(long, value_name = "FILE")]
    features_weights: Option<PathBuf>,
    /// Network that these are of: `alexnet` or `squeezenet`.
    #[arg(long, value_name = "NETWORK", default_value = "alexnet")]
    extractor: String,
    /// Side of the cut-outs that the figure shows, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 256)]
    crop: usize,
    /// Folder for images, models and evaluations.
    #[arg(long, value_name = "DIR", default_value = "target/methods")]
    work: PathBuf,
    /// Folder for the results; by default the repository's `results/methods`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Sets that `bench-cli synthesize` makes.
const SYNTHETIC: [&str; 3] = ["plain", "twill", "fibres"];

/// What is written as JSON.
#[derive(Serialize)]
struct Results<'a> {
    name: &'a str,
    remark: &'a str,
    command: String,
    commit: String,
    date: String,
    processor: String,
    threads: usize,
    runs: Vec<Run>,
}

/// # Errors
/// If a run fails or the results cannot be written.
pub fn methods(args: &Args) -> Result<()> {
    ensure!(!args.methods.is_empty() && !args.seeds.is_empty(), "no method or no seed is given");
    let needs_weights = args.methods.iter().any(|method| method == "feature-matching");
    ensure!(
        !needs_weights || args.features_weights.is_some(),
        "the method feature-matching needs --features-weights FILE; --methods l2,ssim,vae does without"
    );
    let out = args.out.clone().unwrap_or_else(|| repository().join("results").join("methods"));
    if args.config.is_none() {
        datasets::write_config(&key(args), &config(args))?;
    }
    let data = data(args)?;
    let mut runs = Vec::new();
    for &seed in &args.seeds {
        for method in &args.methods {
            eprintln!("{}: {method}, seed {seed}", args.name);
            runs.push(runs::run(args, &data, method, seed)?);
        }
    }
    let results = Results {
        name: &args.name,
        remark: &args.remark,
        command: command(args),
        commit: commit()?,
        date: date(),
        processor: processor(),
        threads: std::thread::available_parallelism()?.get(),
        runs,
    };
    let figures = if results.is_synthetic() { &out } else { &args.work };
    draw(args, &data, &figures.join(format!("{}.png", args.name)))?;
    let json = serde_json::to_string_pretty(&results)?;
    files::replace(&out.join(format!("{}.json", args.name)), &format!("{json}\n"))?;
    let page_path = out.join(format!("{}.md", args.name));
    files::replace(&page_path, &page::page(&results, &args.methods))?;
    println!("{}", page_path.display());
    Ok(())
}

/// The folder of the data set, which is made if it is synthetic and not there.
fn data(args: &Args) -> Result<PathBuf> {
    match &args.data {
        Some(data) => Ok(data.clone()),
        None => Ok(datasets::open(&key(args), None)?.root),
    }
}

/// The key of the data set that the table is named after.
fn key(args: &Args) -> String {
    let name = &args.name;
    let is_synthetic = SYNTHETIC.contains(&name.as_str());
    if is_synthetic { format!("synthetic-{name}") } else { name.clone() }
}

/// The configuration file, which is written to the work folder unless one is given.
fn config(args: &Args) -> PathBuf {
    let own = || args.work.join(&args.name).join("config.toml");
    args.config.clone().unwrap_or_else(own)
}

impl Results<'_> {
    fn is_synthetic(&self) -> bool {
        self.runs.iter().any(|run| run.synthetic)
    }
}

/// The figure of the first seed's models.
fn draw(args: &Args, data: &Path, path: &Path) -> Result<()> {
    let mut figure = strings(["figure", "--json", "--data"]);
    figure.push(text(data)?);
    figure.extend(strings(["--crop", &args.crop.to_string(), "--out"]));
    figure.push(text(path)?);
    for method in &args.methods {
        figure.push(text(&runs::folder(args, method, args.seeds[0]).join("model"))?);
    }
    bench_cli(&figure).map(drop).context("the figure")
}

/// How to do it again, without the machine's paths.
fn command(args: &Args) -> String {
    let Args { name, methods, seeds, patches, extractor, .. } = args;
    let data = if args.data.is_some() { " --data DIR" } else { "" };
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let settings: String =
        args.settings.iter().map(|setting| format!(" --set {setting}")).collect();
    let weights = if args.features_weights.is_some() {
        format!(" --features-weights FILE --extractor {extractor}")
    } else {
        String::new()
    };
    format!(
        "cargo xtask methods {name}{data} --patches {patches} --methods {} --seeds {}{weights}{settings}",
        methods.join(","),
        seeds.join(",")
    )
}
