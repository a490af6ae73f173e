//! Ctrl-C and the termination signal.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The exit code after a signal: 128 + SIGINT.
pub const EXIT_CODE: u8 = 130;

/// The run was interrupted, and said so in its last words.
#[derive(Debug)]
pub struct Interrupted(pub String);

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Interrupted {}

/// From now on the first signal lets the run finish its step; the second one ends it at once.
///
/// # Errors
/// If the handler cannot be installed.
pub fn listen() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_CODE.into());
        }
    })
}

/// Whether a signal came.
pub fn came() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Ends a run that was interrupted, with its last words.
///
/// # Errors
/// If a signal came.
pub fn check(last_words: impl FnOnce() -> String) -> Result<(), Interrupted> {
    if came() { Err(Interrupted(last_words())) } else { Ok(()) }
}
