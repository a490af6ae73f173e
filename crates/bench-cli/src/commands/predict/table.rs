//! A file that grows by whole lines.

use anyhow::{Context, Result, ensure};
use detector::files::{is_at, refuse_link, remove_if_present, shown};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that lines are appended to. Lines that are not kept do not stay.
pub struct Table {
    path: PathBuf,
    file: File,
    /// The length of the lines that are kept.
    kept: u64,
}

impl Table {
    /// A new file with a header. Another one of its name is removed; if it is a symbolic link, the link is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: PathBuf, header: &str) -> Result<Self> {
        remove_if_present(&path)?;
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        Self { file: file.with_context(cannot_write(&path))?, path, kept: 0 }.with_header(header)
    }

    /// The file of an earlier run, or a new one. What comes after its last line break is removed: a power failure or a full disk may
    /// have left it.
    ///
    /// # Errors
    /// If it cannot be read or written, or is a symbolic link.
    pub fn open(path: PathBuf, header: &str) -> Result<Self> {
        refuse_link(&path)?;
        let file = OpenOptions::new().append(true).read(true).create(true).open(&path);
        let mut file = file.with_context(cannot_write(&path))?;
        let kept =
            end_of_lines(&mut file).with_context(|| format!("cannot read {}", shown(&path)))?;
        let table = Self { path, file, kept };
        table.drop_rest().with_context(cannot_write(&table.path))?;
        table.with_header(header)
    }

    fn with_header(mut self, header: &str) -> Result<Self> {
        if self.kept == 0 && !header.is_empty() {
            self.append(header.as_bytes())?;
            self.keep()?;
        }
        Ok(self)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes lines behind those that are kept.
    ///
    /// # Errors
    /// If they cannot be written whole.
    pub fn append(&mut self, lines: &[u8]) -> Result<()> {
        let written = self.drop_rest().and_then(|()| self.file.write_all(lines));
        written.with_context(cannot_write(&self.path))
    }

    /// Keeps what was appended.
    ///
    /// # Errors
    /// If the system does not say how long the file is.
    pub fn keep(&mut self) -> Result<()> {
        self.kept = self.file.metadata().with_context(cannot_write(&self.path))?.len();
        Ok(())
    }

    /// Removes what was appended and not kept.
    pub fn drop_rest(&self) -> std::io::Result<()> {
        if self.file.metadata()?.len() > self.kept { self.file.set_len(self.kept) } else { Ok(()) }
    }

    /// # Errors
    /// If the file was removed or replaced, so that lines would go where nobody finds them.
    pub fn expect_in_place(&self) -> Result<()> {
        ensure!(
            is_at(&self.file, &self.path),
            "{}: the file was removed or replaced while lines were appended to it",
            shown(&self.path)
        );
        Ok(())
    }
}

fn cannot_write(path: &Path) -> impl Fn() -> String {
    move || format!("cannot write {}", shown(path))
}

/// The length of a file up to its last line break.
pub fn end_of_lines(file: &mut File) -> std::io::Result<u64> {
    const PIECE: u64 = 1 << 16;
    let mut end = file.metadata()?.len();
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        Read::by_ref(file).take(end - start).read_to_end(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::fs;

    #[test]
    fn lines_that_are_not_kept_do_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let mut table = Table::create(path.clone(), "head\n").unwrap();
        table.append(b"lost\n").unwrap();
        table.append(b"one\n").unwrap();
        table.keep().unwrap();
        table.append(b"lost").unwrap();
        drop(table);
        // A part of a line, longer than a piece that is read at once.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&[b'x'; 1 << 17]).unwrap();
        let mut table = Table::open(path.clone(), "head\n").unwrap();
        table.append(b"two\n").unwrap();
        table.keep().unwrap();
        table.append(b"lost").unwrap();
        table.drop_rest().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "head\none\ntwo\n");
        table.expect_in_place().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(table.expect_in_place().unwrap_err().to_string().contains("removed or replaced"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["image.png", "table"].map(|name| folder.path().join(name));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let message = Table::open(link.clone(), "").map(drop).unwrap_err().to_string();
        assert!(message.contains("symbolic link"), "{message}");
        let mut table = Table::create(link, "").unwrap();
        table.append(b"line\n").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }
}
