//! Running other programs.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The top folder of the repository.
pub fn repository() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Runs `program` at the top of the repository and returns its standard output; its standard error goes to the terminal.
///
/// # Errors
/// If it cannot be run or fails.
pub fn output(program: &str, args: &[String]) -> Result<String> {
    output_of(Command::new(program).args(args).current_dir(repository()))
}

/// Runs a command and returns its standard output; its standard error goes to the terminal.
///
/// # Errors
/// If it cannot be run or fails.
pub fn output_of(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        bail!("`{program} {}` failed: {}", args.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Reads the last line of a program's output as JSON.
///
/// # Errors
/// If there is none, or it is no such record.
pub fn last_json_line<T: DeserializeOwned>(printed: &str) -> Result<T> {
    let last = printed.lines().last().context("the program printed nothing")?;
    serde_json::from_str(last).context("the last line that the program printed is not as expected")
}

/// Builds `bench-cli` in release with the given features and returns its path. With `cuda` there is a second program beside it.
///
/// # Errors
/// If the build fails.
pub fn built_bench_cli(features: &[&str]) -> Result<PathBuf> {
    let args = ["build", "--release", "--package", "bench-cli", "--message-format"];
    let mut command = Command::new("cargo");
    command.args(args).arg("json-render-diagnostics").current_dir(repository());
    command.args(features.iter().flat_map(|feature| ["--features", feature]));
    let messages = output_of(&mut command)?;
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == "bench-cli";
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    executables.next_back().context("cargo built no bench-cli")
}

/// Owned words of a command line.
pub fn strings<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(String::from).to_vec()
}

/// A path relative to the caller's folder as an absolute one, for a program that runs at the top of the repository.
///
/// # Errors
/// If it is not Unicode.
pub fn text(path: &Path) -> Result<String> {
    let path = std::path::absolute(path)?;
    let text = path.to_str().with_context(|| format!("{} is not Unicode", path.display()))?;
    Ok(text.to_owned())
}
