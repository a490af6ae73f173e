//! Where a file lies, and whether two names lead to one file or folder.

use std::fs::{self, File, Metadata};
use std::path::Path;

/// Device and number of a file on its disk, which stay when it is renamed and differ from those of a file that replaces it. Absent
/// where the system has no such numbers.
type Identity = Option<(u64, u64)>;

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    None
}

/// Whether an open file still has this name: it was neither removed nor replaced, nor was a folder above it. Where the system does not
/// tell files apart, whether there is a file of this name.
pub fn is_at(file: &File, path: &Path) -> bool {
    let there = fs::symlink_metadata(path).ok().filter(Metadata::is_file);
    let open = file.metadata().ok();
    open.zip(there).is_some_and(|(open, there)| identity(&open) == identity(&there))
}

/// The folder that a path lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether two names lead to one folder, which is there.
pub fn is_same_folder(folder: &Path, other: &Path) -> bool {
    folder.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_file_that_was_removed_or_moved_is_not_at_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/table");
        fs::create_dir(folder.path().join("a")).unwrap();
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_replaced_is_not_at_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other, link] = ["table", "other", "link"].map(|name| folder.path().join(name));
        let file = File::create(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(!is_at(&file, &link), "a link is another file");
        fs::write(&other, "").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(!is_at(&file, &path));
    }
}
