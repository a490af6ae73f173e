//! The opponents' Python.

use super::cases::Opponent;
use super::result::Measurement;
use crate::command::{last_json_line, repository};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has the opponents' packages.
pub struct Python {
    executable: PathBuf,
}

impl Python {
    /// The Python of an existing virtual environment.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(venv: &Path) -> Result<Self> {
        let executable = std::path::absolute(executable_of(venv))?;
        ensure!(
            executable.exists(),
            "{}: expected a virtual environment with {}",
            venv.display(),
            executable.display()
        );
        Ok(Self { executable })
    }

    /// The Python of the virtual environment in `folder`, which is made by `creator` and filled with the pinned packages
    /// unless it is there already. A package that cannot be installed is left out; the opponents that need it will say so.
    ///
    /// # Errors
    /// If `creator` is no Python that can make a virtual environment.
    pub fn made_in(folder: &Path, creator: &str) -> Result<Self> {
        let requirements = fs::read_to_string(scripts().join("requirements.txt"))?;
        // Written at the very end: an interrupted installation is taken up again.
        let stamp = folder.join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
            return Self::of(folder);
        }
        eprintln!("making {} and installing the opponents into it", folder.display());
        let made = Command::new(creator).args(["-m", "venv"]).arg(folder).status();
        let expected = "expected Python 3.11 or newer with its module venv; --python names another one, --venv a virtual \
                        environment that has the packages of xtask/opponents/requirements.txt";
        match made {
            Ok(status) if status.success() => {}
            Ok(_) => bail!("`{creator} -m venv` failed: {expected}"),
            Err(error) => bail!("cannot run `{creator}` ({error}): {expected}"),
        }
        let python = Self::of(folder)?;
        if python.install(&requirements)? {
            fs::write(stamp, requirements)?;
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
                eprintln!("warning: cannot install {package}");
            }
        }
        Ok(false)
    }

    /// Lets an opponent compute with the numbers in `exchange`.
    ///
    /// # Errors
    /// If it fails, or its results are not ours; the error is the last line that it says.
    pub fn run(
        &self,
        opponent: &Opponent,
        exchange: &Path,
        threads: usize,
        seconds: f64,
    ) -> Result<Measurement> {
        let threads = threads.to_string();
        let mut command = Command::new(&self.executable);
        command.arg(scripts().join(opponent.script)).args(opponent.args);
        command.args(["--seconds", &seconds.to_string(), "--threads", &threads]);
        command.arg("--exchange").arg(exchange).env("PYTHONDONTWRITEBYTECODE", "1");
        // Read when NumPy and PyTorch are loaded.
        for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(variable, &threads);
        }
        let output = command.output().context("cannot run Python")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty());
            bail!("{}", last.unwrap_or("the script failed without a word"));
        }
        let report = last_json_line(&String::from_utf8(output.stdout)?)?;
        serde_json::from_value(report).context("unexpected report")
    }
}

fn executable_of(venv: &Path) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin/python") }
}

fn scripts() -> PathBuf {
    repository().join("xtask").join("opponents")
}
