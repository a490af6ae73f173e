//! The version of the file that an unfinished download belongs to.

use crate::files::{self, with_ending};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A file beside the unfinished download.
#[derive(Serialize, Deserialize)]
pub struct Note {
    pub url: String,
    /// The server's name for this version of the file, or its date.
    pub validator: Option<String>,
    /// The length of the whole file.
    pub total: Option<u64>,
}

impl Note {
    /// The path of the note about `file`.
    pub fn path(file: &Path) -> PathBuf {
        with_ending(file, ".toml")
    }

    /// The note about `file`, if there is one that can be read.
    pub fn read(file: &Path) -> Option<Self> {
        toml::from_str(&fs::read_to_string(Self::path(file)).ok()?).ok()
    }

    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = toml::to_string(self).context("the note about a download")?;
        files::replace(&Self::path(file), &text)
    }
}
