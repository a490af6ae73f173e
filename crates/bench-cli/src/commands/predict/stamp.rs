//! Whether a file is still the same.

use anyhow::{Context, Result};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Size and last change of a file: as long as they stay, so does its content, one assumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    /// Absent where the file system does not know.
    pub modified: Option<SystemTime>,
}

impl Stamp {
    /// # Errors
    /// If the file is not there.
    pub fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path)
            .with_context(|| format!("cannot read image {}", path.display()))?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    /// When the file was last changed, in seconds since 1970.
    pub fn modified(self) -> Option<f64> {
        let since = self.modified?.duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs_f64())
    }
}
