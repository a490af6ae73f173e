//! Naming the data that a result comes from.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::files::hex;
use crate::{Error, Result};

/// The SHA-256 over names, lengths and contents of `files`, in lower-case hexadecimal.
///
/// Names are without folders, so that a copy of a data set has the same fingerprint wherever it
/// lies. The order counts.
///
/// # Errors
/// If a file cannot be read.
pub fn fingerprint(files: &[PathBuf]) -> Result<String> {
    let mut hasher = Sha256::new();
    for path in files {
        let content = fs::read(path).map_err(Error::io("read", path))?;
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        // The lengths keep apart what would otherwise run together.
        for part in [name, &content] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hex(&hasher.finalize()))
}
