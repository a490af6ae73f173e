//! Lists of the hashes of files, as `sha256sum` writes them.

use super::layout::entries;
use super::store::{HASHES, RECORD};
use crate::{files, progress};
use anyhow::{Context, Result, ensure};
use detector::files::sha256_of_file;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// SHA-256 by path.
pub type Hashes = BTreeMap<String, String>;

/// The hashes of all files in these folders below `root`, by their paths below it. Hidden files and the store's own do not count.
///
/// # Errors
/// If a file cannot be read, or has a name that a list cannot hold.
pub fn of(root: &Path, folders: &[&str]) -> Result<Hashes> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(root, folder, &mut paths)?;
    }
    paths.retain(|path| path != RECORD && path != HASHES);
    let bar = progress::files(Some(paths.len() as u64), "hashing");
    paths
        .into_iter()
        .map(|path| {
            bar.inc(1);
            let sha256 = sha256_of_file(&root.join(&path))?;
            Ok((path, sha256))
        })
        .collect()
}

/// The paths below `root` of the files in `folder`, with `/` on every system.
fn collect(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in entries(&root.join(folder))? {
        let name = entry.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| !name.contains(['\n', '\r']));
        let name =
            name.with_context(|| format!("{}: expected a name in Unicode", entry.display()))?;
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if entry.is_dir() {
            collect(root, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// # Errors
/// If the list cannot be written.
pub fn write(hashes: &Hashes, path: &Path) -> Result<()> {
    let mut text = String::new();
    for (file, sha256) in hashes {
        writeln!(text, "{sha256}  {file}")?;
    }
    files::replace(path, &text)
}

/// # Errors
/// If there is no list.
pub fn read(path: &Path) -> Result<Hashes> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().map(|line| {
        let (sha256, file) = line.split_once("  ").unwrap_or_default();
        ensure!(sha256.len() == 64, "{}: expected SHA-256 and path, got `{line}`", path.display());
        Ok((file.to_owned(), sha256.to_owned()))
    });
    lines.collect()
}

/// The differences between what was and what is, a line each.
pub fn differences(expected: &Hashes, got: &Hashes) -> Vec<String> {
    let was = expected.iter().filter_map(|(file, sha256)| match got.get(file) {
        None => Some(format!("{file}: expected a file, got none")),
        Some(other) if other != sha256 => {
            Some(format!("{file}: expected SHA-256 {sha256}, got {other}"))
        }
        Some(_) => None,
    });
    let is = got.keys().filter(|file| !expected.contains_key(*file));
    was.chain(is.map(|file| format!("{file}: expected no such file"))).collect()
}
