//! Progress of work over images.

use crate::{Error, Result};
use std::ops::ControlFlow;

/// A caller's function that is told the number of images that are done, before each image and after the last.
///
/// [`ControlFlow::Break`] cancels the work with [`Error::Cancelled`]. A caller who wants neither passes
/// `&mut |_| ControlFlow::Continue(())`.
pub type Progress<'a> = dyn FnMut(usize) -> ControlFlow<()> + 'a;

/// Tells the number of images that are done.
///
/// # Errors
/// [`Error::Cancelled`] if the caller cancels the work.
pub(crate) fn tell(progress: &mut Progress<'_>, done: usize) -> Result<()> {
    match progress(done) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}
