//! Files that belong together.

use super::atomic::{cannot_write, part_in, remove_if_present, rename};
use super::lock::refuse_link;
use super::shown::shown;
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Files that appear together: they are written to a hidden folder beside their places, and moved when all are there. Whatever ends
/// the process in between, files of two sets never lie side by side.
///
/// ```
/// use detector::files::FileSet;
///
/// let out = tempfile::tempdir()?;
/// let set = FileSet::begin(out.path())?;
/// std::fs::write(set.path().join("curves.csv"), "")?;
/// std::fs::write(set.path().join("report.html"), "")?;
/// set.publish(&[], "report.html")?;
/// assert!(out.path().join("curves.csv").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileSet {
    folder: PathBuf,
    parts: TempDir,
}

impl FileSet {
    /// Begins a set of files for a folder, which exists.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn begin(folder: &Path) -> Result<Self> {
        let parts = part_in(folder).map_err(Error::io("write to folder", folder))?;
        Ok(Self { folder: folder.to_owned(), parts })
    }

    /// The folder to write the files to, and folders of files.
    pub fn path(&self) -> &Path {
        self.parts.path()
    }

    /// Moves the files to their places, into folders that are there already. Those of an earlier set go first: `earlier`, files or
    /// whole folders which this one may lack, and all that have the name of a new one, beginning with `last`. The file `last` comes
    /// last: where it is, the set is whole.
    ///
    /// # Errors
    /// If a symbolic link lies in the place of a folder, or a file cannot be removed or moved; the error names it. Files that could not
    /// be moved stay in the hidden folder, which the error names as well, until somebody [locks](super::FolderLock) the folder again.
    pub fn publish(self, earlier: &[PathBuf], last: &str) -> Result<()> {
        let moves = || {
            let mut moves = Vec::new();
            collect(self.path(), &self.folder, &mut moves).map(|()| moves)
        };
        // Links are refused before anything is removed.
        moves()?;
        earlier.iter().try_for_each(|name| refuse_links_above(name, &self.folder))?;
        let last = self.folder.join(last);
        let replace = || {
            remove(&last)?;
            earlier.iter().try_for_each(|name| remove(&self.folder.join(name)))?;
            let mut moves = moves()?;
            moves.sort_by_key(|(_, to)| *to == last);
            moves.iter().try_for_each(|(_, to)| remove(to))?;
            moves.iter().try_for_each(|(from, to)| {
                rename(from, to).map_err(|error| cannot_write(to)(error.into()))
            })
        };
        replace().map_err(|error| {
            let task = format!("the new results are left in {}", shown(&self.parts.keep()));
            Error::During { task, source: Box::new(error) }
        })
    }
}

/// Refuses a symbolic link in the place of a folder that leads to a file.
fn refuse_links_above(name: &Path, folder: &Path) -> Result<()> {
    let above = name.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    above.map(|above| folder.join(above)).try_for_each(|above| refuse_link(&above))
}

/// Where the entries of a folder are to be moved to: into a folder that is there, entry by entry; otherwise as they are. A symbolic
/// link in the place of a folder is refused.
fn collect(from: &Path, to: &Path, moves: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
    let cannot_read = || Error::io("read folder", from);
    for entry in fs::read_dir(from).map_err(cannot_read())? {
        let entry = entry.map_err(cannot_read())?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let is_folder = from.is_dir();
        if is_folder {
            refuse_link(&to)?;
        }
        match is_folder && to.is_dir() {
            true => collect(&from, &to, moves)?,
            false => moves.push((from, to)),
        }
    }
    Ok(())
}

/// Removes a file or a folder, if it is there. What a symbolic link leads to stays.
fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        true => fs::remove_dir_all(path).map_err(Error::io("remove", path)),
        false => remove_if_present(path),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn write(folder: &Path, names: &[&str], text: &str) {
        for name in names {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn a_set_replaces_an_earlier_one_as_a_whole() {
        let out = tempfile::tempdir().unwrap();
        let old = ["a.csv", "maps/x/old.tiff", "maps/y/other.tiff", "gone.csv", "last", "other"];
        write(out.path(), &old, "old");
        let set = FileSet::begin(out.path()).unwrap();
        write(set.path(), &["a.csv", "b.csv", "maps/x/new.tiff", "last"], "new");
        let earlier = ["gone.csv", "maps/x", "never.csv"].map(PathBuf::from);
        set.publish(&earlier, "last").unwrap();
        let read = |name: &str| fs::read_to_string(out.path().join(name)).ok();
        for name in ["a.csv", "b.csv", "maps/x/new.tiff", "last"] {
            assert_eq!(read(name).as_deref(), Some("new"), "{name}");
        }
        for name in ["other", "maps/y/other.tiff"] {
            assert_eq!(read(name).as_deref(), Some("old"), "{name} is of no set");
        }
        assert_eq!((read("gone.csv"), read("maps/x/old.tiff")), (None, None));
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 5, "no parts are left");
    }

    #[test]
    fn a_set_that_is_given_up_leaves_the_earlier_one() {
        let out = tempfile::tempdir().unwrap();
        write(out.path(), &["last"], "old");
        let set = FileSet::begin(out.path()).unwrap();
        write(set.path(), &["last"], "new");
        drop(set);
        assert_eq!(fs::read_to_string(out.path().join("last")).unwrap(), "old");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    }

    /// They lead to files of others. The earlier set stays.
    #[cfg(unix)]
    #[test]
    fn a_set_is_not_moved_through_links() {
        for (new, earlier) in [("maps/x/new.tiff", None), ("b.csv", Some("maps/x"))] {
            let [out, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
            write(out.path(), &["last"], "old");
            write(other.path(), &["x/old.tiff"], "old");
            std::os::unix::fs::symlink(other.path(), out.path().join("maps")).unwrap();
            let set = FileSet::begin(out.path()).unwrap();
            write(set.path(), &[new, "last"], "new");
            let earlier: Vec<PathBuf> = earlier.into_iter().map(PathBuf::from).collect();
            let message = set.publish(&earlier, "last").unwrap_err().to_string();
            assert!(message.contains("maps: ") && message.contains("symbolic link"), "{message}");
            assert_eq!(fs::read_to_string(out.path().join("last")).unwrap(), "old");
            assert_eq!(fs::read_dir(other.path().join("x")).unwrap().count(), 1);
        }
    }

    /// A name with a NUL byte can neither be removed nor written.
    #[test]
    fn files_that_cannot_be_moved_are_left() {
        let out = tempfile::tempdir().unwrap();
        let set = FileSet::begin(out.path()).unwrap();
        write(set.path(), &["a.csv", "last"], "new");
        let parts = set.path().to_owned();
        let error = set.publish(&[PathBuf::from("a\0b")], "last").unwrap_err();
        let message = crate::error::message(&error);
        let expected = format!("the new results are left in {}: cannot remove ", shown(&parts));
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(fs::read_dir(&parts).unwrap().count(), 2);
    }

    /// The rows of the new set and the end of the old one would belong to nothing.
    #[test]
    fn a_set_that_cannot_be_moved_is_not_taken_for_whole() {
        let out = tempfile::tempdir().unwrap();
        write(out.path(), &["a.csv", "last"], "old");
        let set = FileSet::begin(out.path()).unwrap();
        write(set.path(), &["a.csv"], "new");
        set.publish(&[], "last").unwrap();
        assert!(!out.path().join("last").exists());
    }
}
