//! Refusals of files that are whole, but of a kind that is not read.

use crate::error::Context;
use crate::{Error, Result};

/// The advice of a refusal.
pub const CONVERT: &str = "convert it, for example to PNG";

/// The fault of a file that was cut.
pub const EARLY: &str = "the data end before the picture does";

/// Says where something went wrong, but of a refusal, whose sentence says it all.
pub fn within<T>(result: Result<T>, task: impl FnOnce() -> String) -> Result<T> {
    match result {
        Err(Error::Unsupported(reason)) => Err(Error::Unsupported(reason)),
        result => result.with_context(task),
    }
}

/// Returns [`Error::Unsupported`](crate::Error::Unsupported) with a message.
macro_rules! refuse {
    ($($message:tt)*) => {
        return Err($crate::Error::Unsupported(format!($($message)*)))
    };
}

/// Returns [`Error::Unsupported`](crate::Error::Unsupported) with a message unless a condition holds.
macro_rules! demand {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            $crate::images::refusal::refuse!($($message)*);
        }
    };
}

pub(super) use {demand, refuse};
