//! `cargo xtask interop`: a model's files in other programs.

use crate::command::{built_bench_cli, output_of, repository, text};
use crate::difference::written;
use crate::python::{Python, PythonArgs, report};
use crate::terminal::{note, tell};
use crate::{files, machine};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Compare ONNX Runtime and PyTorch with bench-cli on the same models.
///
/// Trains a small model by each method on synthetic images, exports it, and computes reconstructions and maps with other programs.
/// Writes the largest differences to `results/interop/README.md`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    python: PythonArgs,
}

/// The methods whose networks or maps differ.
const METHODS: [&str; 3] = ["ssim", "l2", "vae"];

/// Patches of a training: enough for the network to begin to learn.
const PATCHES: &str = "800";

/// A score that pixels of every map reach.
const THRESHOLD: &str = "0.02";

/// The report of a script of `xtask/interop`.
#[derive(serde::Deserialize)]
struct Findings {
    /// The largest difference for each kind of result.
    differences: BTreeMap<String, f64>,
    versions: BTreeMap<String, String>,
}

/// # Errors
/// If a program is missing or fails, or results differ.
pub fn interop(args: &Args) -> Result<()> {
    let work = repository().join("target").join("interop");
    let scripts = repository().join("xtask").join("interop");
    let python = Python::of(&args.python, &work.join("venv"), &scripts.join("requirements.txt"))?;
    let program = built_bench_cli(&[])?;
    let check = Check { program, python, script: scripts.join("check.py"), work: work.join("run") };
    files::remove(&check.work)?;
    fs::create_dir_all(&check.work)?;
    check.bench_cli(&[
        "synthesize",
        "plain",
        "--good",
        "4",
        "--defective",
        "1",
        "--out",
        "data",
    ])?;
    let mut found = Vec::new();
    for method in METHODS {
        note!("{method}");
        found.push((method, check.method(method).with_context(|| method)?));
    }
    let path = repository().join("results").join("interop").join("README.md");
    files::replace(&path, &page(&found)?)?;
    tell!("{}", path.display());
    Ok(())
}

/// Program, Python, script and folder of the check.
struct Check {
    program: PathBuf,
    python: Python,
    script: PathBuf,
    /// The folder that `bench-cli` runs in.
    work: PathBuf,
}

impl Check {
    fn method(&self, method: &str) -> Result<Findings> {
        // The script inspects as the paper does.
        let train = [
            "train",
            "--data",
            "data",
            "--method",
            method,
            "--patches",
            PATCHES,
            "--set",
            "preset=paper",
        ];
        self.bench_cli(&[&train[..], &["--out", method]].concat())?;
        self.bench_cli(&["export", method])?;
        let model = self.work.join(method);
        let mut script = self.python.script(&self.script);
        script.arg(&model).arg(repository().join("crates").join("bench-cli").join("README.md"));
        // The maps of a variational autoencoder depend on samples of its own.
        if method != "vae" {
            let image = self.defective_image()?;
            let results = format!("{method}-results");
            // Low enough for regions, whatever the model has learnt.
            let options = ["--write", "map,mask,coco", "--threshold", THRESHOLD];
            let predict = ["predict", method, &text(&image)?, "--out", &results];
            self.bench_cli(&[&predict[..], &options].concat())?;
            script.arg(&image).arg(self.work.join(results));
        }
        report(&mut script)
    }

    /// The one with a defect.
    fn defective_image(&self) -> Result<PathBuf> {
        let found = fs::read_dir(self.work.join("data").join("test").join("defective"))?;
        let mut paths = found.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        paths.into_iter().next().context("no image was made")
    }

    fn bench_cli(&self, args: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        output_of(command.args(args).arg("--quiet").current_dir(&self.work)).map(drop)
    }
}

fn page(found: &[(&str, Findings)]) -> Result<String> {
    let mut page = format!(
        "# Models in other programs\n\n\
         Written by `cargo xtask interop` on {}, of {}, on {}.\n\n\
         Models of {PATCHES} patches of synthetic images, exported by `bench-cli export`, or their weights loaded by the example in \
         the [README of bench-cli](../../crates/bench-cli/README.md#other-programs). Maps are those of one synthetic image.\n\n\
         | method | what is compared | largest difference |\n|---|---|---|\n",
        machine::date(),
        machine::commit()?,
        machine::processor(),
    );
    for (method, findings) in found {
        for (what, difference) in &findings.differences {
            writeln!(page, "| `{method}` | {what} | {} |", written(*difference))?;
        }
    }
    let versions = found.first().map(|(_, findings)| &findings.versions);
    let versions = versions.into_iter().flatten();
    let versions: Vec<String> =
        versions.map(|(name, version)| format!("{name} {version}")).collect();
    writeln!(page, "\nWith {}.", versions.join(", "))?;
    Ok(page)
}
