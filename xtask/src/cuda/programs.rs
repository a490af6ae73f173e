use super::toolkit::Toolkit;
use crate::command::{output, output_of, repository, strings};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program with feature `cuda`.
pub struct Program {
    /// What it is called in the package: `test-…`, `bench-…` or `bench-cli`.
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

/// Builds tests and benchmarks of all libraries that have the feature, and `bench-cli` if it has.
///
/// # Errors
/// If one does not build.
pub fn build(toolkit: &Toolkit, target: &Path) -> Result<Vec<Program>> {
    let args = ["metadata", "--locked", "--no-deps", "--format-version", "1"];
    let metadata: Value = serde_json::from_str(&output("cargo", &strings(args))?)?;
    let packages = metadata["packages"].as_array().context("cargo names no packages")?;
    let mut programs = Vec::new();
    for package in packages.iter().filter(|package| !package["features"]["cuda"].is_null()) {
        let name = package["name"].as_str().context("a package has a name")?;
        let kinds: &[&[&str]] = match name {
            "bench-cli" => &[&["build", "--bins"]],
            _ => &[&["test", "--no-run", "--lib", "--tests"], &["bench", "--no-run", "--benches"]],
        };
        for arguments in kinds {
            programs.extend(built(toolkit, target, name, arguments)?);
        }
    }
    ensure!(!programs.is_empty(), "no crate has a feature `cuda`");
    Ok(programs)
}

/// Runs cargo and reads which programs it built.
fn built(toolkit: &Toolkit, target: &Path, package: &str, args: &[&str]) -> Result<Vec<Program>> {
    let mut cargo = toolkit.environment(Command::new("cargo"));
    let (command, rest) = args.split_first().context("cargo takes a command")?;
    cargo.arg(command).args(["--locked", "--features", "cuda", "--package", package]).args(rest);
    if *command != "bench" {
        cargo.arg("--release");
    }
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.current_dir(repository()).env("CARGO_TARGET_DIR", target);
    let messages = output_of(&mut cargo)?;
    Ok(messages.lines().filter_map(|line| program(package, command, line)).collect())
}

/// The program that a message of cargo's is about, if it is about one.
fn program(package: &str, command: &str, message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    let target = message["target"]["name"].as_str()?;
    let name = match command {
        "build" => target.to_owned(),
        // The library's own tests have its name.
        _ if target == package => format!("{command}-{package}"),
        _ => format!("{command}-{package}-{target}"),
    };
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
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
        } else if program.name == "bench-cli" {
            command.arg("--version");
        } else {
            // Before a benchmark looks for a device.
            command.arg("--help");
        }
        output_of(&mut command)?;
    }
    Ok(())
}
