//! Unpacking archives that may be hostile.

use crate::progress;
use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use lzma_rust2::XzReader;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use tar::EntryType;
use zip::ZipArchive;

/// Largest number of files and folders of an archive.
const MOST_ENTRIES: usize = 100_000;

/// Largest depth of the folders of a name.
const MOST_FOLDERS: usize = 32;

/// Largest memory of the decoder of xz in KiB: eight times the need of its highest preset.
const XZ_MEMORY_KIB: u32 = 512 << 10;

/// Unpacks a zip, tar.gz or tar.xz archive, told by its first bytes, into `folder`, which exists and is empty.
///
/// # Errors
/// If the archive is damaged or something else, holds anything but files and folders, a name that leads out of the folder or
/// comes twice, more entries than anybody needs, or more than `most_bytes` bytes. What was unpacked until then stays.
pub fn unpack(archive: &Path, folder: &Path, most_bytes: u64) -> Result<()> {
    let mut target = Target { folder, most_bytes, bytes: 0, entries: 0 };
    let unpacked = File::open(archive).map_err(Into::into).and_then(|file| target.take(file));
    unpacked.with_context(|| format!("cannot unpack {}", archive.display()))
}

/// The folder of the entries, and their bytes and number so far.
struct Target<'a> {
    folder: &'a Path,
    most_bytes: u64,
    bytes: u64,
    entries: usize,
}

impl Target<'_> {
    fn take(&mut self, mut file: File) -> Result<()> {
        let mut magic = Vec::new();
        Read::by_ref(&mut file).take(6).read_to_end(&mut magic)?;
        file.rewind()?;
        let bar = progress::bytes(Some(file.metadata()?.len()), "unpacking");
        match magic.as_slice() {
            [b'P', b'K', 3, 4, ..] => self.take_zip(BufReader::new(file)),
            [0x1f, 0x8b, ..] => self.take_tar(MultiGzDecoder::new(watched(file, &bar))),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => {
                self.take_tar(XzReader::new_mem_limit(watched(file, &bar), true, XZ_MEMORY_KIB))
            }
            other => bail!(
                "expected a zip, tar.gz or tar.xz archive, got a file that begins with \"{}\"",
                other.escape_ascii()
            ),
        }
    }

    fn take_zip(&mut self, file: BufReader<File>) -> Result<()> {
        let mut archive = ZipArchive::new(file)?;
        let bar = progress::files(Some(archive.len() as u64), "unpacking");
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let name = entry.name()?.into_owned();
            let kind = entry.unix_mode().map_or(0, |mode| mode & 0o170_000);
            let is_usual = matches!(kind, 0 | 0o040_000 | 0o100_000);
            let is_dir = entry.is_dir();
            self.entry(&name, is_usual, is_dir, &mut entry)?;
            bar.inc(1);
        }
        Ok(())
    }

    fn take_tar(&mut self, stream: impl Read) -> Result<()> {
        // Headers and padding come on top of the files; this only ends what would never end.
        let most_stream = self.most_bytes.saturating_add(2048 * MOST_ENTRIES as u64);
        let mut archive = tar::Archive::new(stream.take(most_stream));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            if kind == EntryType::XGlobalHeader {
                continue;
            }
            let bytes = entry.path_bytes().into_owned();
            let name = String::from_utf8(bytes).context("expected names in UTF-8")?;
            let is_usual =
                matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::Directory);
            self.entry(&name, is_usual, kind == EntryType::Directory, &mut entry)?;
        }
        // The checksums come after the last entry.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(())
    }

    /// Writes a file, or makes a folder.
    fn entry(
        &mut self,
        name: &str,
        is_usual: bool,
        is_dir: bool,
        content: &mut dyn Read,
    ) -> Result<()> {
        self.entries += 1;
        ensure!(self.entries <= MOST_ENTRIES, "expected at most {MOST_ENTRIES} entries, got more");
        ensure!(is_usual, "expected files and folders only, got {name:?}, a link or a device");
        let path = inside(name)?;
        // What macOS adds to archives, beside the images' names.
        if path.starts_with("__MACOSX") || path.ends_with(".DS_Store") {
            return Ok(());
        }
        let path = self.folder.join(path);
        if is_dir {
            return fs::create_dir_all(&path).with_context(|| format!("{name:?}"));
        }
        self.file(&path, content).with_context(|| format!("{name:?}"))
    }

    fn file(&mut self, path: &Path, content: &mut dyn Read) -> Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        // Fails if the name was there before, also where case does not count.
        let mut file = File::create_new(path)?;
        let left = self.most_bytes - self.bytes;
        let written = io::copy(&mut content.take(left.saturating_add(1)), &mut file)?;
        ensure!(written <= left, "expected at most {} bytes in all, got more", self.most_bytes);
        self.bytes += written;
        Ok(())
    }
}

fn watched(file: File, bar: &ProgressBar) -> impl Read {
    BufReader::with_capacity(1 << 16, bar.wrap_read(file))
}

/// The path of an entry below the target folder.
fn inside(name: &str) -> Result<PathBuf> {
    let is_strange = |c: char| c.is_control() || c == '\\' || c == ':';
    let leads_out = name.starts_with('/') || name.split('/').any(|part| part == "..");
    ensure!(
        !leads_out && !name.contains(is_strange),
        "expected a name below the folder, got {name:?}"
    );
    let depth = name.split('/').count();
    ensure!(depth <= MOST_FOLDERS, "expected a name of at most {MOST_FOLDERS} parts, got {depth}");
    Ok(name.split('/').filter(|part| !matches!(*part, "" | ".")).collect())
}

#[cfg(test)]
mod tests;
