//! Files that appear whole or not at all.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Writes `text` to a temporary name in the same folder, which is made if it is missing, and renames it.
///
/// # Errors
/// If that is not possible; the error names `path`.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&part, text)?;
        fs::rename(&part, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
