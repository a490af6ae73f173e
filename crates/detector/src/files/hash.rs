//! Hashes as text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The SHA-256 of bytes, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of a file, in lower-case hexadecimal. The file is read in pieces and may be larger than the memory.
///
/// # Errors
/// If it cannot be read; the error names it.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    let cannot_read = || Error::io("read", path);
    let mut file = File::open(path).map_err(cannot_read())?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(cannot_read())? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// 200,000 bytes are several pieces. The hash of `abc` is that of FIPS 180-4's example.
    #[test]
    fn files_have_the_hash_of_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for bytes in [b"abc".to_vec(), vec![7; 200_000]] {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(sha256_of_file(&path).unwrap(), sha256(&bytes));
        }
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), expected);
        let error = sha256_of_file(&folder.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("none"));
    }
}
