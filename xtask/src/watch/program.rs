//! The watch under test: started, killed, measured.

use crate::command::output_of;
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running watch.
pub struct Watch {
    child: Child,
}

/// Memory and processor time of a process.
#[derive(Clone, Copy)]
pub struct Usage {
    /// Resident, in 10⁶ bytes.
    pub resident_mb: f64,
    /// Of all its threads, in seconds.
    pub seconds: f64,
}

/// Where the watch runs, and how.
pub struct Place {
    pub bench_cli: PathBuf,
    /// The folder of the model, of the images (`line`) and of the results (`found`).
    pub work: PathBuf,
    pub poll: String,
}

impl Place {
    /// Runs `bench-cli` to its end.
    ///
    /// # Errors
    /// If it fails.
    pub fn run(&self, words: &[&str]) -> Result<()> {
        output_of(Command::new(&self.bench_cli).args(words).current_dir(&self.work)).map(drop)
    }

    /// Starts the watch. What it says goes to a file.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&self) -> Result<Watch> {
        let log = File::options().create(true).append(true).open(self.work.join("watch.log"))?;
        // A file that may grow no more is to be an error, and not the end of the process.
        let script = "trap '' XFSZ; exec \"$0\" predict model --watch line --out found --quiet --poll \"$1\"";
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(&self.bench_cli)
            .arg(&self.poll)
            .current_dir(&self.work)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start the watch")?;
        Ok(Watch { child })
    }

    fn found(&self, name: &str) -> PathBuf {
        self.work.join("found").join(name)
    }

    /// The table that the records are in.
    pub fn records(&self) -> PathBuf {
        self.found("predictions.jsonl")
    }

    /// Compares the tables with each other at the end.
    ///
    /// # Errors
    /// If one has other rows than the records, or parts of files are left.
    pub fn expect_whole(&self) -> Result<()> {
        let lines = |path: &Path| Ok::<_, anyhow::Error>(fs::read_to_string(path)?.lines().count());
        let (records, rows) = (lines(&self.records())?, lines(&self.found("predictions.csv"))?);
        ensure!(rows == records + 1, "predictions.csv: expected {records} rows, got {}", rows - 1);
        for entry in fs::read_dir(self.work.join("found"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            ensure!(!name.ends_with(".part"), "found: expected no part of a file, got {name}");
        }
        Ok(())
    }
}

/// A run that fails leaves no watch behind.
impl Drop for Watch {
    fn drop(&mut self) {
        // One that has ended cannot be killed again.
        drop(self.child.kill().and_then(|()| self.child.wait()));
    }
}

impl Watch {
    fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Ends it at once, whatever it does.
    ///
    /// # Errors
    /// If the system does not.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end.
    ///
    /// # Errors
    /// If it ends otherwise than by the signal.
    pub fn end(mut self) -> Result<()> {
        output_of(Command::new("kill").args(["-TERM", &self.id()]))?;
        let status = self.child.wait()?;
        ensure!(status.code() == Some(143), "expected exit code 143 of the watch, got {status}");
        Ok(())
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// If it has ended.
    pub fn expect_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("the watch has ended: {status}; watch.log says why"),
        }
    }

    /// Lets its files grow up to a length only, as a full disk does, or without bound.
    ///
    /// # Errors
    /// If `prlimit` fails.
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        let bytes = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let arguments = [format!("--pid={}", self.id()), format!("--fsize={bytes}:")];
        output_of(Command::new("prlimit").args(arguments)).map(drop)
    }

    /// # Errors
    /// If the system does not say.
    pub fn usage(&self) -> Result<Usage> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", self.id()));
        let (status, stat) = (read("status")?, read("stat")?);
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 =
            line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?.parse()?;
        // After the name, which may hold spaces: fields 14 and 15 are user and system time in hundredths of a second.
        let fields: Vec<&str> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = [11, 12].iter().filter_map(|&i| fields.get(i)?.parse::<f64>().ok()).sum();
        Ok(Usage { resident_mb: kib * 1024.0 / 1e6, seconds: ticks / 100.0 })
    }
}
