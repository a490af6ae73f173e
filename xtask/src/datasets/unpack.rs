//! Unpacking archives that may be hostile.

use crate::progress;
use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use lzma_rust2::XzReader;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tar::{EntryType, PaxExtensions};
use zip::ZipArchive;

/// Largest number of files and folders of an archive.
const MOST_ENTRIES: usize = 100_000;

/// Largest depth of the folders of a name.
const MOST_FOLDERS: usize = 32;

/// Largest length of a name in bytes.
const MOST_NAME: usize = 1024;

/// Largest length of the attributes of a file in a tar archive, the name among them, in bytes.
const MOST_ATTRIBUTES: u64 = 16 << 10;

/// Largest memory of the decoder of xz in KiB: eight times the need of its highest preset.
const XZ_MEMORY_KIB: u32 = 512 << 10;

/// Unpacks a zip, tar.gz or tar.xz archive, told by its first bytes, into `folder`, which exists and is empty.
///
/// # Errors
/// If the archive is damaged or something else, holds anything but files and folders, a name that leads out of the folder or
/// comes twice or is longer than anybody needs, more entries than anybody needs, or more than `most_bytes` bytes. What was unpacked
/// until then stays.
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
        let archive = ZipArchive::new(file)?;
        let (len, directory) = (archive.len(), archive.central_directory_start());
        expect_few(len)?;
        let mut file = archive.into_inner();
        // Of entries with one name, only the last is in the archive's index.
        let is_whole = zip_entries(&mut file, directory)? == len;
        ensure!(is_whole, "expected names that differ, got some that come twice");
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
        let mut long_name = None;
        // Raw, since the library takes memory for names of any length.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            match kind {
                EntryType::GNULongName => long_name = Some(gnu_name(&mut entry)?),
                EntryType::XHeader => long_name = pax_name(&mut entry)?.or(long_name),
                EntryType::XGlobalHeader => {}
                kind => {
                    let bytes = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                    let name = String::from_utf8(bytes).context("expected names in UTF-8")?;
                    let is_usual = matches!(
                        kind,
                        EntryType::Regular | EntryType::Continuous | EntryType::Directory
                    );
                    self.entry(&name, is_usual, kind == EntryType::Directory, &mut entry)?;
                    continue;
                }
            }
            self.count()?;
        }
        // The checksums come after the last entry.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        self.entries += 1;
        expect_few(self.entries)
    }

    /// Writes a file, or makes a folder.
    fn entry(
        &mut self,
        name: &str,
        is_usual: bool,
        is_dir: bool,
        content: &mut dyn Read,
    ) -> Result<()> {
        self.count()?;
        ensure!(is_usual, "expected files and folders only, got {name:?}, a link or a device");
        let path = inside(name)?;
        // What macOS adds to archives, beside the images' names.
        if path.starts_with("__MACOSX") || path.ends_with(".DS_Store") {
            return Ok(());
        }
        let path = self.folder.join(path);
        if is_dir {
            return self.make_folder(&path).with_context(|| format!("{name:?}"));
        }
        self.file(&path, content).with_context(|| format!("{name:?}"))
    }

    /// Makes a folder and those above it. Each counts as an entry, since it takes as long.
    fn make_folder(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        self.count()?;
        path.parent().map_or(Ok(()), |parent| self.make_folder(parent))?;
        Ok(fs::create_dir(path)?)
    }

    fn file(&mut self, path: &Path, content: &mut dyn Read) -> Result<()> {
        path.parent().map_or(Ok(()), |parent| self.make_folder(parent))?;
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

fn expect_few(entries: usize) -> Result<()> {
    ensure!(entries <= MOST_ENTRIES, "expected at most {MOST_ENTRIES} entries, got more");
    Ok(())
}

/// The number of entries of the central directory of a zip archive, which begins at `start`.
fn zip_entries(file: &mut (impl Read + Seek), start: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(start))?;
    let mut count = 0;
    loop {
        let mut header = Vec::new();
        Read::by_ref(file).take(46).read_to_end(&mut header)?;
        if header.len() < 46 || !header.starts_with(b"PK\x01\x02") {
            return Ok(count);
        }
        count += 1;
        // Name, extra fields and comment follow.
        let length = |at: usize| i64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        file.seek_relative(length(28) + length(30) + length(32))?;
    }
}

/// The content of an entry of a tar archive that says something about the next one.
fn attributes(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(MOST_ATTRIBUTES + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= MOST_ATTRIBUTES,
        "expected at most {MOST_ATTRIBUTES} bytes of attributes of a file, got more"
    );
    Ok(bytes)
}

/// The name of the next entry, as GNU's tar has it if it is long.
fn gnu_name(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>> {
    let mut name = attributes(entry)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

/// The name of the next entry, as POSIX has it, if it is among its attributes.
fn pax_name(entry: &mut tar::Entry<'_, impl Read>) -> Result<Option<Vec<u8>>> {
    let attributes = attributes(entry)?;
    let mut name = None;
    for attribute in PaxExtensions::new(&attributes) {
        let attribute = attribute?;
        match attribute.key()? {
            "path" => name = Some(attribute.value_bytes().to_owned()),
            key => ensure!(
                key != "size" && !key.starts_with("GNU.sparse."),
                "expected whole files of less than 8 GiB, got one with the attribute {key:?}"
            ),
        }
    }
    Ok(name)
}

/// The path of an entry below the target folder.
fn inside(name: &str) -> Result<PathBuf> {
    ensure!(
        name.len() <= MOST_NAME,
        "expected a name of at most {MOST_NAME} bytes, got {}",
        name.len()
    );
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
