use super::toolkit::Toolkit;
use crate::command::{output, output_of, repository, strings};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program with feature `cuda`.
pub struct Program {
    /// Its name in the package: `test-…`, `bench-…`, `bench-cli` or `bench-cli-cuda`.
    pub name: String,
    pub path: PathBuf,
    /// The folder of its crate, where tests expect to run.
    folder: PathBuf,
}

impl Program {
    fn is_test(&self) -> bool {
        self.name.starts_with("test-")
    }
}

/// Builds tests and benchmarks of all libraries that have the feature, and `bench-cli` if it has; and the tests of devices once more
/// with cuDNN, which a machine need not have.
///
/// # Errors
/// If one does not build.
pub fn build(toolkit: &Toolkit, target: &Path) -> Result<Vec<Program>> {
    let args = ["metadata", "--locked", "--no-deps", "--format-version", "1"];
    let metadata: Value = serde_json::from_str(&output("cargo", &strings(args))?)?;
    let packages = metadata["packages"].as_array().context("cargo names no packages")?;
    let with_feature = packages.iter().filter(|package| !package["features"]["cuda"].is_null());
    let names: Vec<&str> = with_feature.filter_map(|package| package["name"].as_str()).collect();
    let (programs, libraries): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|&name| name == "bench-cli");
    // All libraries at once: one by one, each would build candle with features of its own.
    let mut built = Vec::new();
    for (packages, feature, arguments) in [
        (&libraries, "cuda", &["test", "--no-run", "--lib", "--tests"][..]),
        (&libraries, "cuda", &["bench", "--no-run", "--benches"]),
        (&programs, "cuda", &["build", "--bins"]),
        (&vec!["models"], "cudnn", &["test", "--no-run", "--test", "it"]),
    ] {
        if !packages.is_empty() {
            built.extend(build_some(toolkit, target, packages, feature, arguments)?);
        }
    }
    ensure!(!built.is_empty(), "no crate has a feature `cuda`");
    Ok(built)
}

/// Runs cargo and reads which programs it built.
fn build_some(
    toolkit: &Toolkit,
    target: &Path,
    packages: &[&str],
    feature: &str,
    args: &[&str],
) -> Result<Vec<Program>> {
    let mut cargo = toolkit.environment(Command::new("cargo"));
    let (command, rest) = args.split_first().context("cargo takes a command")?;
    cargo.arg(command).arg("--locked").args(rest);
    for package in packages {
        cargo.args(["--package", package, "--features", &format!("{package}/{feature}")]);
    }
    if *command != "bench" {
        cargo.arg("--release");
    }
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.current_dir(repository()).env("CARGO_TARGET_DIR", target);
    let messages = output_of(&mut cargo)?;
    let mut programs: Vec<_> = messages.lines().filter_map(|line| program(command, line)).collect();
    if feature != "cuda" {
        for program in &mut programs {
            program.name = format!("{}-{feature}", program.name);
        }
    }
    Ok(programs)
}

/// The program that a message of cargo reports, if any.
fn program(command: &str, message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    let target = message["target"]["name"].as_str()?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    // Crates lie in folders of their names.
    let package = folder.file_name()?.to_str()?;
    let name = match command {
        "build" => target.to_owned(),
        // The library's own tests have its name.
        _ if target == package => format!("{command}-{package}"),
        _ => format!("{command}-{package}-{target}"),
    };
    Some(Program { name, path, folder })
}

/// Runs what needs no GPU of the tests, and starts `bench-cli`, with stubs in place of the driver.
///
/// # Errors
/// If one fails.
pub fn start(toolkit: &Toolkit, programs: &[Program]) -> Result<()> {
    for program in programs {
        let mut command = toolkit.environment(Command::new(&program.path));
        command.current_dir(&program.folder);
        if program.is_test() {
            command.arg("--quiet");
        } else if program.name.starts_with("bench-cli") {
            command.arg("--version");
        } else {
            // Before a benchmark looks for a device.
            command.arg("--help");
        }
        output_of(&mut command)?;
        if program.name == "bench-cli" {
            start_without_driver(program)?;
        }
    }
    Ok(())
}

/// Checks the message of `bench-cli` without a driver, unless this machine has one.
fn start_without_driver(program: &Program) -> Result<()> {
    let mut command = Command::new(&program.path);
    let output = command.arg("--version").env_remove("LD_LIBRARY_PATH").output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let is_refused = output.status.code() == Some(2) && said.contains("libcuda.so.1");
    ensure!(output.status.success() || is_refused, "without a driver, bench-cli says: {said}");
    Ok(())
}
