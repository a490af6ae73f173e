//! Reading files that may be something else.

use crate::{Error, Result};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Some editors begin a text in UTF-8 with it.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of a regular file of at most `most` bytes. A pipe or a device, which may never end, is refused before it is opened.
///
/// # Errors
/// If it cannot be read, is something else or larger; the error names it.
pub fn read_file(path: &Path, most: u64) -> Result<Vec<u8>> {
    let cannot_read = || Error::io("read", path);
    let metadata = fs::metadata(path).map_err(cannot_read())?;
    if !metadata.is_file() {
        let got = if metadata.is_dir() { "a folder" } else { "a device, a pipe or a socket" };
        return Err(Error::file(path, format!("expected a file, got {got}")));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot_read())?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot_read())?;
    if bytes.len() as u64 > most {
        return Err(Error::file(path, format!("expected at most {most} bytes, got more")));
    }
    Ok(bytes)
}

/// As [`read_file`], of text in UTF-8.
///
/// # Errors
/// As [`read_file`], and if it is no such text.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let text = String::from_utf8(read_file(path, most)?);
    text.map_err(|_| Error::file(path, "expected text in UTF-8"))
}

/// A path as a list has it. `None` if it is not in UTF-8 where the system takes no other names.
pub fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    #[cfg(unix)]
    let name: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(not(unix))]
    let name = String::from_utf8(bytes).ok()?;
    Some(name.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_file_is_read_up_to_a_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_file(&path, 3).unwrap(), b"abc");
        let message = read_file(&path, 2).unwrap_err().to_string();
        assert!(message.ends_with("a: expected at most 2 bytes, got more"), "{message}");
        let message = read_file(folder.path(), 2).unwrap_err().to_string();
        assert!(message.ends_with("expected a file, got a folder"), "{message}");
        fs::write(&path, [0xff]).unwrap();
        assert!(read_text(&path, 3).unwrap_err().to_string().contains("UTF-8"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_no_file() {
        let message = read_file(Path::new("/dev/zero"), 9).unwrap_err().to_string();
        assert_eq!(message, "/dev/zero: expected a file, got a device, a pipe or a socket");
    }
}
