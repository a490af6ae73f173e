//! Folders that one process at a time writes to.

use super::atomic::remove_parts;
use super::identity::is_at;
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Held by whoever writes to the folder. It is empty, and stays.
const LOCK: &str = ".lock";

/// Where the system's error "no locks available" has no kind of its own, its number: network file systems say so if they have no locks.
const NO_LOCKS: Option<i32> = match () {
    () if cfg!(any(target_os = "linux", target_os = "android")) => Some(37),
    () if cfg!(unix) => Some(77),
    () => None,
};

/// Keeps other processes from writing to a folder while it lives. The system takes it from a process that ends, however it
/// ends. Where the file system has no locks, nobody is kept away, and nothing of others is removed.
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
        Self::take_by(folder, File::try_lock)
    }

    fn take_by(
        folder: &Path,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self> {
        let cannot_lock = || Error::io("lock folder", folder);
        fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
        let path = folder.join(LOCK);
        refuse_link(&path)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(cannot_lock())?;
        match try_lock(&file) {
            Ok(()) => remove_parts(folder)?,
            // Parts may be those of a process that writes at this moment.
            Err(TryLockError::Error(error)) if is_unsupported(&error) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::file(folder, "another process writes to this folder"));
            }
            Err(TryLockError::Error(error)) => return Err(cannot_lock()(error)),
        }
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

fn is_unsupported(error: &std::io::Error) -> bool {
    let is_without_locks = error.raw_os_error().is_some_and(|number| NO_LOCKS == Some(number));
    error.kind() == ErrorKind::Unsupported || is_without_locks
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

    /// Without locks, parts may be those of another process; 37 is ENOLCK of Linux.
    #[test]
    fn without_locks_nothing_of_others_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join(".aB3dE6.part");
        fs::write(&part, "").unwrap();
        let by = |error: &dyn Fn() -> std::io::Error| {
            FolderLock::take_by(folder.path(), |_| Err(TryLockError::Error(error())))
        };
        by(&|| ErrorKind::Unsupported.into()).unwrap();
        if cfg!(target_os = "linux") {
            by(&|| std::io::Error::from_raw_os_error(37)).unwrap();
        }
        assert!(part.exists());
        let message = by(&|| std::io::Error::from_raw_os_error(5)).unwrap_err().to_string();
        assert!(message.starts_with("cannot lock folder "), "{message}");
        FolderLock::take(folder.path()).unwrap();
        assert!(!part.exists());
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
