//! Output of a run: results on standard output, everything else on standard error.

use anyhow::{Context, Error, Result, ensure};
use detector::files::{shown, shown_lines};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use time::OffsetDateTime;

/// The file that is written to as standard error is.
static LOG: OnceLock<PathBuf> = OnceLock::new();

/// Writes what is said to a file, too.
///
/// # Errors
/// If the file cannot be written to.
pub fn log_to(file: &Path) -> Result<()> {
    let named = || format!("cannot write the log {}", shown(file));
    let is_regular = fs::metadata(file).map_or(true, |metadata| metadata.is_file());
    ensure!(is_regular, "{}: expected a file, got a folder, a device or a pipe", named());
    open(file).with_context(named)?;
    // A program has one command line.
    drop(LOG.set(file.to_owned()));
    Ok(())
}

/// Opens a log for what comes behind what it has.
fn open(file: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(file)
}

/// Writes lines to the log, if there is one. It is opened each time, as it may have been moved away, and a log that cannot be written
/// keeps no run from finishing its work.
fn log(text: &str) {
    let Some(file) = LOG.get() else { return };
    let now = OffsetDateTime::now_utc();
    let (hour, minute, second) = now.to_hms();
    let time = format!("{}T{hour:02}:{minute:02}:{second:02}Z", now.date());
    let lines: String = shown_lines(text).lines().map(|line| format!("{time} {line}\n")).collect();
    drop(open(file).and_then(|mut file| file.write_all(lines.as_bytes())));
}

/// The kind and the amount of output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    pub json: bool,
    pub quiet: bool,
}

impl Terminal {
    /// One JSON object on a line of its own, if JSON is wanted.
    ///
    /// # Errors
    /// If standard output cannot be written to.
    pub fn record(self, value: &impl Serialize) -> Result<()> {
        if self.json {
            print(&serde_json::to_string(value)?)?;
        }
        Ok(())
    }

    /// A result for a person, unless JSON is wanted.
    ///
    /// # Errors
    /// If standard output cannot be written to.
    pub fn text(self, text: &str) -> Result<()> {
        if !self.json {
            print(&shown_lines(text))?;
        }
        Ok(())
    }

    /// A note on the progress of the run. The log has it with `--quiet`, too.
    pub fn note(self, text: &str) {
        match self.quiet {
            true => log(text),
            false => say(text),
        }
    }

    /// A warning, which is printed with `--quiet`, too.
    pub fn warn(self, text: &str) {
        say(&format!("warning: {text}"));
    }
}

/// Writes a line to standard output. A reader that has seen enough, such as `head`, keeps no run from finishing its work.
fn print(line: &str) -> Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes to standard error, and to the log. Nobody may be there to read it, as when a terminal was closed: that keeps no run from
/// finishing its work.
pub fn say(text: &str) {
    log(text);
    drop(writeln!(io::stderr().lock(), "{}", shown_lines(text)));
}

/// A ratio in three decimals, and a dash for one of nothing to nothing.
pub fn decimals(ratio: Option<f64>) -> String {
    ratio.map_or("–".into(), |ratio| format!("{ratio:.3}"))
}

/// Prints an error on one line: candle puts a backtrace behind its messages if `RUST_BACKTRACE` is set.
pub fn error(error: &Error) {
    let message = format!("{error:#}");
    say(&format!("error: {}", message.lines().next().unwrap_or_default()));
}
