//! Virtual environments of Python.

use crate::command::last_json_line;
use crate::terminal::note;
use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which Python a task runs scripts with.
#[derive(clap::Args)]
pub struct PythonArgs {
    /// Virtual environment that has the packages; by default one is made below `target`.
    #[arg(long, value_name = "DIR")]
    venv: Option<PathBuf>,
    /// Python that makes the virtual environment.
    #[arg(long, value_name = "EXE", default_value = "python3")]
    python: String,
}

/// A Python that has the packages of a task.
pub struct Python {
    executable: PathBuf,
}

impl Python {
    /// The Python of the virtual environment that the arguments name, or else of the one in `folder`, which is made and filled with
    /// the packages of the file `requirements` unless it is there already. A package that cannot be installed is left out; the
    /// scripts that need it will say so.
    ///
    /// # Errors
    /// If there is none, or it cannot be made.
    pub fn of(args: &PythonArgs, folder: &Path, requirements: &Path) -> Result<Self> {
        match &args.venv {
            Some(venv) => Self::existing(venv),
            None => Self::made_in(folder, &args.python, requirements),
        }
    }

    fn existing(venv: &Path) -> Result<Self> {
        let executable = std::path::absolute(executable_of(venv))?;
        ensure!(
            executable.exists(),
            "{}: expected a virtual environment with {}",
            venv.display(),
            executable.display()
        );
        Ok(Self { executable })
    }

    fn made_in(folder: &Path, creator: &str, requirements: &Path) -> Result<Self> {
        let wanted = fs::read_to_string(requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        // Written at the very end: an interrupted installation is taken up again.
        let stamp = folder.join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Self::existing(folder);
        }
        note!("making {} and installing {}", folder.display(), requirements.display());
        let made = Command::new(creator).args(["-m", "venv"]).arg(folder).status();
        let expected = format!(
            "expected Python 3.11 or newer with its module venv; --python names another one, --venv a virtual environment that \
             has the packages of {}",
            requirements.display()
        );
        match made {
            Ok(status) if status.success() => {}
            Ok(_) => bail!("`{creator} -m venv` failed: {expected}"),
            Err(error) => bail!("cannot run `{creator}` ({error}): {expected}"),
        }
        let python = Self::existing(folder)?;
        if python.install(&wanted)? {
            fs::write(stamp, wanted)?;
        }
        Ok(python)
    }

    /// Whether all packages could be installed.
    fn install(&self, requirements: &str) -> Result<bool> {
        let pip = |packages: &[&str]| -> Result<bool> {
            let mut command = Command::new(&self.executable);
            command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            Ok(command.args(packages).status()?.success())
        };
        let packages: Vec<&str> = requirements
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        if pip(&packages)? {
            return Ok(true);
        }
        for package in packages {
            if !pip(&[package])? {
                note!("warning: cannot install {package}");
            }
        }
        Ok(false)
    }

    /// A command that runs a script.
    pub fn script(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg(script).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// Runs a script and returns the last line of its output as JSON.
///
/// # Errors
/// If it fails; the error is the last line of its standard error.
pub fn report<T: DeserializeOwned>(script: &mut Command) -> Result<T> {
    let output = script.output().context("cannot run Python")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        bail!("{}", last.unwrap_or("the script failed without a word"));
    }
    last_json_line(&String::from_utf8(output.stdout)?)
}

fn executable_of(venv: &Path) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin/python") }
}
