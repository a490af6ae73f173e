//! Writing a file completely or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tempfile::{Builder, NamedTempFile, TempDir};

use super::identity::folder_of;
use crate::error::AnyError;
use crate::{Error, Result};

/// The end of the names of temporary files; they begin with a dot.
const PART: &str = ".part";

/// Windows' numbers of the errors that a file is in use by another program: access denied, sharing violation.
const IN_USE: [i32; 2] = [5, 32];
/// The random letters and digits between dot and end.
const RANDOM: usize = 6;

/// Writes `path` by `write`, through a temporary file in the same folder that is renamed at the
/// end.
///
/// Missing parent folders are created. A reader sees the old file or the new one, never a part of
/// it. Nothing is forced to the disk: a power failure may still lose the file.
///
/// # Errors
/// If a folder or file cannot be written, or `write` fails; the error names `path`.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<(), AnyError>,
) -> Result<()> {
    try_write(path, write, |_| Ok(())).map_err(cannot_write(path))
}

/// As [`write_atomic`], of bytes that must survive a power failure: they are on the disk before they replace the old file, and so
/// is the new name before this returns.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_durable(path: &Path, bytes: &[u8]) -> Result<()> {
    try_write(path, |file| Ok(file.write_all(bytes)?), File::sync_all)
        .and_then(|()| Ok(sync_folder(folder_of(path))?))
        .map_err(cannot_write(path))
}

/// Writes a value as indented JSON, as [`write_durable`] does.
///
/// # Errors
/// As [`write_durable`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_durable(path, (serde_json::to_string_pretty(value)? + "\n").as_bytes())
}

pub(super) fn cannot_write(path: &Path) -> impl FnOnce(AnyError) -> Error {
    move |source| Error::Write { path: path.to_owned(), source }
}

/// Puts the names in a folder on the disk. Elsewhere than on Unix, folders cannot be opened for that.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn try_write(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<(), AnyError>,
    finish: impl FnOnce(&File) -> std::io::Result<()>,
) -> Result<(), AnyError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(Error::io("create folder", folder))?;
    let temporary = temporary_in(folder)?;
    let mut buffered = BufWriter::new(temporary.as_file());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    finish(temporary.as_file())?;
    Ok(name(temporary, path)?)
}

/// Gives a temporary file its name.
///
/// On Windows, neither file can be renamed while another program has it open, as virus scanners and indexers do for moments: it is
/// tried for a second.
fn name(temporary: NamedTempFile, path: &Path) -> std::io::Result<()> {
    while_in_use(temporary, |temporary| {
        let named = temporary.persist(path);
        named.map(drop).map_err(|failed| (failed.file, failed.error))
    })
}

/// Gives a file or a folder another name, as [`name`] does.
pub(super) fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    while_in_use((), |()| fs::rename(from, to).map_err(|error| ((), error)))
}

/// Tries again what fails since a file is in use, with what the attempt gives back.
fn while_in_use<T>(
    mut with: T,
    attempt: impl Fn(T) -> Result<(), (T, std::io::Error)>,
) -> std::io::Result<()> {
    let mut pauses = (0..10).map(|doubled| Duration::from_millis(1 << doubled));
    loop {
        let (back, error) = match attempt(with) {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        let is_in_use = cfg!(windows) && IN_USE.map(Some).contains(&error.raw_os_error());
        match pauses.next().filter(|_| is_in_use) {
            Some(pause) => std::thread::sleep(pause),
            None => return Err(error),
        }
        with = back;
    }
}

/// Creates a folder for results, if it is missing, and makes sure that files can be written there: to be told so after the
/// work is too late.
///
/// # Errors
/// If it cannot be created or written to; the error names `folder`.
pub fn prepare_folder(folder: &Path) -> Result<()> {
    let prepare = || {
        fs::create_dir_all(folder)?;
        temporary_in(folder).map(drop)
    };
    prepare().map_err(Error::io("write to folder", folder))
}

/// Removes what killed runs have left of their temporary files and folders in a folder. Hidden files of other programs stay.
///
/// # Errors
/// If the folder cannot be read, or a file cannot be removed; the error names it.
pub fn remove_parts(folder: &Path) -> Result<()> {
    let cannot_read = || Error::io("read folder", folder);
    for entry in fs::read_dir(folder).map_err(cannot_read())? {
        let entry = entry.map_err(cannot_read())?;
        if is_part(entry.file_name().as_encoded_bytes()) {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed =
                if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

fn is_part(name: &[u8]) -> bool {
    let random = name.strip_prefix(b".").and_then(|name| name.strip_suffix(PART.as_bytes()));
    random.is_some_and(|random| {
        random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// Removes a file, if it is there.
///
/// # Errors
/// If it cannot be removed.
pub fn remove_if_present(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// A new temporary folder in a folder.
pub(super) fn part_in(folder: &Path) -> std::io::Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix(".").rand_bytes(RANDOM).suffix(PART);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(folder)
}

fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".").rand_bytes(RANDOM).suffix(PART);
    // Temporary files are private by default; results are made to be shared, as the umask permits.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::error::message;

    #[test]
    fn parents_are_created_and_content_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.txt");
        for text in ["first", "second"] {
            write_atomic(&path, |file| Ok(file.write_all(text.as_bytes())?)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        fs::write(&path, "old").unwrap();
        let error = write_atomic(&path, |file| {
            file.write_all(b"half")?;
            Err("interrupted".into())
        })
        .unwrap_err();
        assert_eq!(message(&error), format!("cannot write {}: interrupted", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_unwritable_folder_is_named() {
        // A file where a folder is needed cannot be written into, whatever the user's rights.
        let folder = tempfile::tempdir().unwrap();
        let occupied = folder.path().join("out");
        fs::write(&occupied, "").unwrap();
        let path = occupied.join("map.tiff");
        let message = message(&write_atomic(&path, |_| Ok(())).unwrap_err());
        assert!(message.starts_with(&format!("cannot write {}", path.display())), "{message}");
        assert!(
            message.contains(&format!("cannot create folder {}", occupied.display())),
            "{message}"
        );
        assert!(!message.contains('\n'));
    }

    #[test]
    fn a_prepared_folder_can_be_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        prepare_folder(&new).unwrap();
        assert_eq!(fs::read_dir(&new).unwrap().count(), 0);
        let occupied = folder.path().join("out");
        fs::write(&occupied, "").unwrap();
        let message = message(&prepare_folder(&occupied).unwrap_err());
        let expected = format!("cannot write to folder {}", occupied.display());
        assert!(message.starts_with(&expected) && !message.contains('\n'), "{message}");
    }

    /// As by a virus scanner, which does not share a file with those who would delete it.
    #[cfg(windows)]
    #[test]
    fn a_file_is_replaced_when_others_have_closed_it() {
        use std::os::windows::fs::OpenOptionsExt;
        const SHARED_READ: u32 = 1;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        fs::write(&path, "old").unwrap();
        let open = File::options().read(true).share_mode(SHARED_READ).open(&path).unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(open);
        });
        write_atomic(&path, |file| Ok(file.write_all(b"new")?)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn files_are_as_readable_as_the_umask_permits() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [ours, plain] = ["ours", "plain"].map(|name| folder.path().join(name));
        write_atomic(&ours, |_| Ok(())).unwrap();
        fs::write(&plain, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
