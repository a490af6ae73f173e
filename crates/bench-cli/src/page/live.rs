//! Pages that are replaced while a run goes on.

use super::document::write_document;
use anyhow::Result;
use maud::Markup;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a page is replaced, at most, and after how long a browser loads it again.
pub const EVERY: Duration = Duration::from_secs(5);

/// The time of a run divided by that of its pages, at least.
const SHARE: u32 = 50;

/// A page that is replaced as a whole every few seconds.
pub struct Live {
    path: PathBuf,
    next: Instant,
    /// Whether the last page could not be written, which is told once.
    has_failed: bool,
}

impl Live {
    /// A page that is due at once.
    pub fn new(path: PathBuf) -> Self {
        Self { path, next: Instant::now(), has_failed: false }
    }

    /// Whether it is time for another one.
    pub fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// Writes a page that has been in the making since `start`. What cannot be written now may be the next time: the run goes on, and
    /// the error is given once, until a page is written again.
    pub fn write(&mut self, start: Instant, page: Result<Markup>) -> Option<anyhow::Error> {
        let failed = page.and_then(|page| write_document(&self.path, page)).err();
        self.next = Instant::now() + EVERY.max(start.elapsed() * SHARE);
        let had_failed = std::mem::replace(&mut self.has_failed, failed.is_some());
        failed.filter(|_| !had_failed)
    }

    /// The file.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;
    use maud::html;

    #[test]
    fn a_page_that_cannot_be_written_is_told_of_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        std::fs::create_dir(&path).unwrap();
        let mut live = Live::new(path.clone());
        assert!(live.is_due());
        let mut write = || live.write(Instant::now(), Ok(html! { p { "page" } })).is_some();
        assert_eq!([write(), write()], [true, false]);
        std::fs::remove_dir(&path).unwrap();
        assert!(!write());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "<p>page</p>");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!([write(), write()], [true, false], "of the next failure, too");
        assert!(!live.is_due(), "only after some seconds");
    }
}
