//! Folders that one process at a time writes to.

use super::atomic::remove_parts;
use super::identity::is_at;
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Held by whoever writes to the folder. It is empty, and stays.
const LOCK: &str = ".lock";

/// Keeps other processes from writing to a folder while it lives. The system takes it from a process that ends, however it
/// ends. Where the file system has no locks, nobody is kept away.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    file: File,
}

impl FolderLock {
    /// Makes the folder, if it is missing, and keeps others from writing to it. What a killed process has left of its
    /// temporary files is removed.
    ///
    /// # Errors
    /// If another process writes to it, or it cannot be written to; the error names it.
    pub fn take(folder: &Path) -> Result<Self> {
        let cannot_lock = || Error::io("lock folder", folder);
        fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
        let path = folder.join(LOCK);
        refuse_link(&path)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(cannot_lock())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::file(folder, "another process writes to this folder"));
            }
            Err(TryLockError::Error(error)) => return Err(cannot_lock()(error)),
        }
        remove_parts(folder)?;
        Ok(Self { folder: folder.to_owned(), file })
    }

    /// Makes sure that the folder is the one that was locked: files that are open in it would otherwise grow where nobody finds
    /// them.
    ///
    /// # Errors
    /// If it was removed, replaced or renamed; the error names it.
    pub fn expect_in_place(&self) -> Result<()> {
        match is_at(&self.file, &self.folder.join(LOCK)) {
            true => Ok(()),
            false => Err(Error::file(
                &self.folder,
                "the folder was removed or replaced while results were written to it",
            )),
        }
    }
}

/// Refuses a symbolic link where a file of this program lies or will lie: what it leads to is somebody else's.
///
/// # Errors
/// If there is one; the error names it.
pub fn refuse_link(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            Err(Error::file(path, "expected a file of this program or none, got a symbolic link"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_folder_is_locked_once_and_swept() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        for name in [".aB3dE6.part", ".rsync-12.part", "a.part"] {
            fs::write(out.join(name), "").unwrap();
        }
        fs::create_dir(out.join(".folder.part")).unwrap();
        let lock = FolderLock::take(&out).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", ".rsync-12.part", "a.part"], "of others nothing is removed");
        assert!(FolderLock::take(&out).unwrap_err().to_string().contains("another process"));
        lock.expect_in_place().unwrap();
        fs::rename(&out, folder.path().join("moved")).unwrap();
        assert!(lock.expect_in_place().unwrap_err().to_string().contains("removed or replaced"));
        drop(lock);
        FolderLock::take(&folder.path().join("moved")).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.path().join(LOCK)).unwrap();
        let message = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert!(message.contains(".lock") && message.contains("symbolic link"), "{message}");
        assert!(!folder.path().join("elsewhere").exists());
    }
}
