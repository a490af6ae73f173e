//! Files that appear whole or not at all, and TOML.

use anyhow::{Context, Result, anyhow};
use detector::files::{write_atomic, write_durable};
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Writes a text to a temporary file in the same folder, which is made if it is missing, and renames it.
///
/// # Errors
/// If that is not possible; the error names `path`.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    Ok(write_durable(path, text.as_bytes())?)
}

/// Copies a file, likewise.
///
/// # Errors
/// If that is not possible; the error names `to`.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    Ok(write_atomic(to, |file| {
        io::copy(&mut File::open(from)?, file)?;
        Ok(())
    })?)
}

/// The path with `ending` after its name.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes a file or a folder with all that is in it, if there is one.
///
/// # Errors
/// If there is one and it cannot be removed; the error names it.
pub fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    removed.with_context(|| format!("cannot remove {}", path.display()))
}

/// Reads a TOML file.
///
/// # Errors
/// If it cannot be read or is no such value; the error names it.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    from_toml(&text).with_context(|| name.to_string())
}

/// Parses TOML.
///
/// # Errors
/// If it is no such value; the message is on one line, unlike the parser's own.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        anyhow!("line {line}: {}", error.message().replace('\n', " "))
    })
}
