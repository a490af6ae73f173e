//! Panics of decoders as errors.

use crate::Result;
use crate::error::bail;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is told by an error.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, and makes an error of its panic, of which nothing is printed.
///
/// # Errors
/// Those of `work`, or its panic.
pub fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                before(panic);
            }
        }));
    });
    IS_CAUGHT.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(false);
    match result {
        Ok(result) => result,
        Err(_) => bail!("the decoder failed on the file; convert it, for example to PNG"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let error = caught::<()>(|| panic!("out of range")).unwrap_err();
        assert!(error.to_string().starts_with("the decoder failed"));
        assert_eq!(caught(|| Ok(7)).unwrap(), 7);
    }
}
