//! Running other programs.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The top folder of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `program` prints on standard output; its standard error goes to the terminal.
///
/// # Errors
/// If it cannot be run or fails.
pub fn output(program: &str, args: &[String]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(repository())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("`{program} {}` failed: {}", args.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Builds `bench-cli` and runs it; the last line of its JSON.
///
/// # Errors
/// If it fails, or prints no JSON.
pub fn bench_cli(args: &[String]) -> Result<serde_json::Value> {
    let cargo = ["run", "--release", "--quiet", "--package", "bench-cli", "--"];
    let args: Vec<String> = cargo.iter().map(ToString::to_string).chain(args.to_vec()).collect();
    let printed = output("cargo", &args)?;
    let last = printed.lines().last().context("bench-cli printed nothing")?;
    serde_json::from_str(last).context("the last line of bench-cli is not JSON")
}
