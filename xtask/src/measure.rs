//! `cargo xtask measure`: trains and evaluates methods on a data set, and writes the table to `results/`.

use crate::command::{bench_cli, repository, strings, text};
use crate::machine::{commit, processor};
use crate::{datasets, files};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;

/// Train and evaluate methods on a data set, and write a table with its provenance to `results/NAME.md`.
///
/// A finished training in the work folder is taken over, an interrupted one is resumed.
#[derive(clap::Args)]
pub struct Args {
    /// Name of the table, for example `nanotwice`.
    name: String,
    /// Folder of the data set.
    #[arg(long)]
    data: PathBuf,
    /// What the data is, if it is only a part of a set.
    #[arg(long, default_value = "")]
    remark: String,
    /// Configuration file; by default that of `datasets/NAME.toml`.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Runs, as `method` or `method:key=value`, for example `ssim:ssim.constants=paper`.
    #[arg(long = "run", default_values_t = ["ssim".to_owned(), "l2".to_owned()])]
    runs: Vec<String>,
    /// Patches that each model is trained on; by default the configuration's, and those of a training taken over.
    #[arg(long)]
    patches: Option<u64>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder for models and evaluations.
    #[arg(long, default_value = "target/measure")]
    work: PathBuf,
}

/// One row of the table.
struct Row {
    name: String,
    training: Value,
    evaluation: Value,
}

/// # Errors
/// If a run fails or the table cannot be written.
pub fn measure(args: &Args) -> Result<()> {
    let rows = args.runs.iter().map(|run| measure_run(args, run)).collect::<Result<Vec<_>>>()?;
    let path = repository().join("results").join(format!("{}.md", args.name));
    files::replace(&path, &page(args, &rows)?)?;
    println!("{}", path.display());
    Ok(())
}

fn measure_run(args: &Args, run: &str) -> Result<Row> {
    let folder = args.work.join(&args.name).join(run.replace([':', '=', '/'], "-"));
    let model = folder.join("model");
    let mut train = strings(["train", "--json", "--out"]);
    train.push(text(&model)?);
    if model.join("config.toml").exists() {
        train.push("--resume".into());
    } else {
        let (method, setting) = run.split_once(':').unwrap_or((run, ""));
        let config = match &args.config {
            Some(config) => config.clone(),
            None => own_config(args)?,
        };
        train.extend(["--config".into(), text(&config)?, "--data".into(), text(&args.data)?]);
        train.extend(strings(["--method", method]));
        train.extend(["--seed".into(), args.seed.to_string()]);
        if !setting.is_empty() {
            train.extend(strings(["--set", setting]));
        }
    }
    train.extend(args.patches.iter().flat_map(|n| ["--patches".into(), n.to_string()]));
    let training = bench_cli(&train)?;
    let mut evaluate = strings(["evaluate", "--json"]);
    evaluate.extend([text(&model)?, "--out".into(), text(&folder.join("evaluation"))?]);
    let evaluation = bench_cli(&evaluate)?;
    ensure!(evaluation["pixel_au_roc"].is_number(), "bench-cli evaluate gave no `pixel_au_roc`");
    Ok(Row { name: run.to_owned(), training, evaluation })
}

/// The configuration of the data set that the table is named after, written to the work folder.
fn own_config(args: &Args) -> Result<PathBuf> {
    let path = args.work.join(&args.name).join("config.toml");
    datasets::write_config(&args.name, &path)?;
    Ok(path)
}

fn page(args: &Args, rows: &[Row]) -> Result<String> {
    let mut page = String::new();
    writeln!(page, "# {}\n", args.name)?;
    let remark = if args.remark.is_empty() { "" } else { ", " };
    let synthetic = rows.iter().any(|row| row.evaluation["synthetic"] == true);
    let synthetic = if synthetic { " **The images are synthetic.**" } else { "" };
    writeln!(
        page,
        "Data: {} test images{remark}{}, all pixels pooled.{synthetic} All figures are ours, none is the paper's.\n",
        rows[0].evaluation["images"], args.remark
    )?;
    writeln!(
        page,
        "| run | patches | ROC-AUC | before opening | AP | F1 max | AU-PRO | defects found | loss | training s |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    )?;
    for Row { name, training, evaluation } in rows {
        let number = |key: &str| format!("{:.3}", evaluation[key].as_f64().unwrap_or(f64::NAN));
        let at = &evaluation["at_threshold"];
        writeln!(
            page,
            "| `{name}` | {} | {} | {} | {} | {} | {} | {}/{} | {:.4} | {:.0} |",
            training["patches"],
            number("pixel_au_roc"),
            number("pixel_au_roc_raw"),
            number("pixel_average_precision"),
            number("pixel_f1_max"),
            number("au_pro"),
            at["regions_found"],
            at["regions"],
            training["loss"].as_f64().unwrap_or(f64::NAN),
            training["seconds"].as_f64().unwrap_or(f64::NAN),
        )?;
    }
    writeln!(page, "\n{}", provenance(args)?)?;
    Ok(page)
}

fn provenance(args: &Args) -> Result<String> {
    let commit = commit()?;
    let runs: String = args.runs.iter().map(|run| format!(" --run {run}")).collect();
    let patches = args.patches.map_or_else(String::new, |n| format!(" --patches {n}"));
    let threads = std::thread::available_parallelism()?;
    Ok(format!(
        "- command: `cargo xtask measure {} --data DIR{patches} --seed {}{runs}`\n\
         - commit {commit}; {threads} threads, {}\n\
         - defects found: regions of the ground truth with a pixel above the threshold calibrated on good images",
        args.name,
        args.seed,
        processor()
    ))
}
