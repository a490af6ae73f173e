//! Ctrl-C and other signals that ask a run to end.

use crate::progress::Progress;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// The number of the last signal, or 0.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// The signal of a terminal that is closed.
#[cfg(unix)]
const CLOSED: i32 = signal_hook::consts::SIGHUP;
/// The same on Windows, where it is the signal of Ctrl-Break, of a log-off and of a shutdown, too: SIGBREAK of the C library's
/// `signal.h`. Windows ends a program some seconds after it, or as soon as its handler returns.
#[cfg(not(unix))]
const CLOSED: i32 = 21;

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, CLOSED];

/// The run was interrupted; its last words.
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
/// If a handler cannot be installed.
pub fn listen() -> std::io::Result<()> {
    let is_second = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        // In this order, so that the first signal finds the flag unset.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&is_second))?;
        flag::register(signal, Arc::clone(&is_second))?;
        flag::register_usize(signal, Arc::clone(&SIGNAL), signal.unsigned_abs() as usize)?;
    }
    Ok(())
}

/// Whether a signal came.
pub fn came() -> bool {
    SIGNAL.load(Ordering::Relaxed) != 0
}

/// The exit code of a run that was interrupted: 129 by SIGHUP, 130 by SIGINT, 143 by SIGTERM, 149 by SIGBREAK.
pub fn exit_code() -> u8 {
    (128 + SIGNAL.load(Ordering::Relaxed)) as u8
}

/// Ends a run that was interrupted, with its last words.
///
/// # Errors
/// If a signal came.
pub fn check(last_words: impl FnOnce() -> String) -> Result<(), Interrupted> {
    if came() { Err(Interrupted(last_words())) } else { Ok(()) }
}

/// A [`detector::Progress`] that tells how far the work is, and cancels the work if a signal came.
pub fn progress(shown: &Progress) -> impl FnMut(usize) -> ControlFlow<()> {
    |done| {
        shown.set_position(done as u64);
        if came() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The error of work that may have been cancelled by [`progress`]; if it was, with its last words.
pub fn explain(error: detector::Error, last_words: impl FnOnce() -> String) -> anyhow::Error {
    match error {
        detector::Error::Cancelled => Interrupted(last_words()).into(),
        error => error.into(),
    }
}
