//! Files that appear whole or not at all.

use anyhow::{Context, Result, anyhow};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Writes `text` to a temporary name in the same folder, which is made if it is missing, and renames it.
///
/// # Errors
/// If that is not possible; the error names `path`.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let part = with_ending(path, ".part");
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = File::create(&part)?;
        file.write_all(text.as_bytes())?;
        // On the disk before it replaces anything.
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Copies a file, likewise.
///
/// # Errors
/// If that is not possible; the error names `to`.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let part = with_ending(to, ".part");
    let copy = || {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(from, &part)?;
        fs::rename(&part, to)
    };
    copy().with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// The path with `ending` after its name.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The SHA-256 of a file, as 64 hexadecimal digits.
///
/// # Errors
/// If it cannot be read; the error names it.
pub fn sha256(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut hash = || {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                length => hasher.update(&buffer[..length]),
            }
        }
    };
    let hashed: std::io::Result<()> = hash();
    hashed.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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

/// What `text` says.
///
/// # Errors
/// If it is not that, on one line, as the parser's own message is not.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        anyhow!("line {line}: {}", error.message().replace('\n', " "))
    })
}
