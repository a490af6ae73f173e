//! Whether a file is still the same.

use anyhow::{Context, Result};
use detector::files::shown;
use std::fs::Metadata;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The state of a file. While it stays the same, the content is taken to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    /// Absent where the file system does not know.
    pub modified: Option<SystemTime>,
    pub entry: Entry,
}

/// The number of a file on its disk, and when its content, its rights or its names last changed, in seconds and nanoseconds since 1970.
/// Programs can set the time of change, but not this one. Empty where the system has no such numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub number: u64,
    pub changed: Option<(i64, i64)>,
}

impl Entry {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { number: metadata.ino(), changed: Some((metadata.ctime(), metadata.ctime_nsec())) }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self::default()
    }
}

impl Stamp {
    /// # Errors
    /// If the file is not there.
    pub fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path);
        Ok(Self::of_metadata(
            &metadata.with_context(|| format!("cannot read image {}", shown(path)))?,
        ))
    }

    pub fn of_metadata(metadata: &Metadata) -> Self {
        let (bytes, modified) = (metadata.len(), metadata.modified().ok());
        Self { bytes, modified, entry: Entry::of(metadata) }
    }

    /// Whether size and time of change are the same: then the content is, most likely, and rights or names have changed.
    pub fn looks_like(&self, other: &Self) -> bool {
        (self.bytes, self.modified) == (other.bytes, other.modified)
    }

    /// When the file was last changed, in seconds since 1970.
    pub fn modified(&self) -> Option<f64> {
        let since = self.modified?.duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs_f64())
    }

    /// When its entry was last changed, in seconds since 1970.
    pub fn changed(&self) -> Option<f64> {
        self.entry.changed.map(|(seconds, nanoseconds)| seconds as f64 + nanoseconds as f64 * 1e-9)
    }
}
