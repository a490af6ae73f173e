//! Output of a run: results on standard output, everything else on standard error.

use anyhow::{Error, Result};
use detector::files::shown_lines;
use serde::Serialize;
use std::io::{ErrorKind, Write};

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

    /// A note on the progress of the run.
    pub fn note(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// A warning, which is printed with `--quiet`, too.
    pub fn warn(self, text: &str) {
        say(&format!("warning: {text}"));
    }
}

/// Writes a line to standard output. A reader that has seen enough, such as `head`, keeps no run from finishing its work.
fn print(line: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes to standard error. Nobody may be there to read it, as when a terminal was closed: that keeps no run from finishing its work.
pub fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{}", shown_lines(text)));
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
