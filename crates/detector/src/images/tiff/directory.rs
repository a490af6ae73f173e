//! The directories of a TIFF or BigTIFF file, and the tags in them (TIFF 6.0, section 2).

use super::tag;
use crate::Result;
use crate::error::{Context, bail, ensure};
use std::collections::{BTreeMap, HashSet};

/// The most directories that are looked at.
const MOST_DIRECTORIES: usize = 1 << 12;

const TOO_MANY: &str = "the file has too many directories";

/// The most tags that are looked at, of all directories together: they may share their bytes.
const MOST_TAGS: u64 = 1 << 18;

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// A number of up to eight bytes.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let append = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, append),
            Self::Big => bytes.iter().fold(0, append),
        }
    }
}

/// A directory, which describes a picture.
pub struct Directory<'a> {
    pub order: ByteOrder,
    entries: BTreeMap<u16, Entry<'a>>,
}

struct Entry<'a> {
    kind: u16,
    /// As the file has them; none if they lie outside of it.
    bytes: Option<&'a [u8]>,
}

/// The unsigned integers of a tag, which stay in the file.
#[derive(Clone, Copy)]
pub struct Numbers<'a> {
    order: ByteOrder,
    bytes: &'a [u8],
    /// The bytes of each.
    width: usize,
}

impl Numbers<'_> {
    pub fn len(&self) -> usize {
        self.bytes.len() / self.width
    }

    pub fn get(&self, index: usize) -> Option<u64> {
        let value = self.bytes.chunks_exact(self.width).nth(index)?;
        Some(self.order.number(value))
    }

    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.bytes.chunks_exact(self.width).map(|value| self.order.number(value))
    }
}

/// A file and the widths of what it is made of.
struct File<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
    is_big: bool,
}

/// All directories of a file in their order, without those below others.
///
/// # Errors
/// If the file ends within a directory, or they form a circle.
pub fn directories(bytes: &[u8]) -> Result<Vec<Directory<'_>>> {
    let file = File::of(bytes);
    let first = if file.is_big { file.number(8, 8)? } else { file.number(4, 4)? };
    let found = file.directories([first])?;
    ensure!(!found.is_empty(), "the file has no directory");
    Ok(found)
}

/// The directories below others (SubIFDs).
///
/// # Errors
/// As [`directories`].
pub fn sub_directories<'a>(bytes: &'a [u8], above: &[Directory<'_>]) -> Result<Vec<Directory<'a>>> {
    let mut starts = Vec::new();
    for directory in above {
        if let Some(numbers) = directory.numbers(tag::SUB_DIRECTORIES)? {
            ensure!(starts.len() + numbers.len() <= MOST_DIRECTORIES, "{TOO_MANY}");
            starts.extend(numbers.iter());
        }
    }
    File::of(bytes).directories(starts)
}

impl<'a> File<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let order = match bytes {
            [b'I', b'I', ..] => ByteOrder::Little,
            _ => ByteOrder::Big,
        };
        let is_big = bytes.get(2..4).is_some_and(|version| order.number(version) == 43);
        Self { bytes, order, is_big }
    }

    /// The directories at some places, and those that follow each.
    fn directories(&self, starts: impl IntoIterator<Item = u64>) -> Result<Vec<Directory<'a>>> {
        let (mut seen, mut found, mut tags) = (HashSet::new(), Vec::new(), 0);
        for mut next in starts {
            while next != 0 {
                ensure!(seen.insert(next), "the directories form a circle");
                ensure!(found.len() < MOST_DIRECTORIES, "{TOO_MANY}");
                let (table, following) = self.table(next)?;
                tags += table.len() as u64 / self.widths().1;
                ensure!(tags <= MOST_TAGS, "the directories have too many tags");
                found.push(Directory { order: self.order, entries: self.entries(table) });
                next = following;
            }
        }
        Ok(found)
    }

    fn slice(&self, start: u64, length: u64) -> Option<&'a [u8]> {
        let end = start.checked_add(length)?;
        self.bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    fn number(&self, start: u64, length: u64) -> Result<u64> {
        let bytes = self.slice(start, length).context("the file is cut off within a directory")?;
        Ok(self.order.number(bytes))
    }

    /// The bytes of the number of tags, of a tag, and of its value.
    fn widths(&self) -> (u64, u64, u64) {
        if self.is_big { (8, 20, 8) } else { (2, 12, 4) }
    }

    /// The tags of the directory at a place, and the place of the next one.
    fn table(&self, start: u64) -> Result<(&'a [u8], u64)> {
        let (count_width, entry_width, value_width) = self.widths();
        let count = self.number(start, count_width)?;
        let first = start.saturating_add(count_width);
        let table = count.checked_mul(entry_width).and_then(|length| self.slice(first, length));
        let table = table.context("the file is cut off within a directory")?;
        Ok((table, self.number(first + table.len() as u64, value_width)?))
    }

    fn entries(&self, table: &'a [u8]) -> BTreeMap<u16, Entry<'a>> {
        let (_, entry_width, value_width) = self.widths();
        let mut entries = BTreeMap::new();
        for entry in table.chunks_exact(entry_width as usize) {
            let (tag, kind) = (self.order.number(&entry[..2]), self.order.number(&entry[2..4]));
            let (count, value) = entry[4..].split_at(value_width as usize);
            let length = self.order.number(count).checked_mul(width(kind as u16));
            let bytes = length.and_then(|length| match length <= value_width {
                true => value.get(..length as usize),
                false => self.slice(self.order.number(value), length),
            });
            entries.entry(tag as u16).or_insert(Entry { kind: kind as u16, bytes });
        }
        entries
    }
}

/// The bytes of a value of a type, 0 for an unknown type.
fn width(kind: u16) -> u64 {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 0,
    }
}

impl Directory<'_> {
    pub fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }

    /// The bytes of a value, if the directory has it.
    ///
    /// # Errors
    /// If they lie outside of the file.
    pub fn bytes(&self, tag: u16) -> Result<Option<&[u8]>> {
        let Some(entry) = self.entries.get(&tag) else { return Ok(None) };
        let bytes = entry
            .bytes
            .with_context(|| format!("the value of tag {tag} lies outside of the file"))?;
        Ok(Some(bytes))
    }

    /// Unsigned integers, if the directory has the tag.
    ///
    /// # Errors
    /// If they lie outside of the file or are of another type.
    pub fn numbers(&self, tag: u16) -> Result<Option<Numbers<'_>>> {
        let Some(entry) = self.entries.get(&tag) else { return Ok(None) };
        ensure!(
            matches!(entry.kind, 1 | 3 | 4 | 13 | 16 | 18),
            "expected integers in tag {tag}, got type {}",
            entry.kind
        );
        let bytes = self.bytes(tag)?.unwrap_or_default();
        Ok(Some(Numbers { order: self.order, bytes, width: width(entry.kind) as usize }))
    }

    /// The first of some integers.
    ///
    /// # Errors
    /// As [`Directory::numbers`], and if it is larger than 32 bits.
    pub fn number(&self, tag: u16) -> Result<Option<u32>> {
        let first = self.numbers(tag)?.and_then(|numbers| numbers.get(0));
        match first.map(u32::try_from) {
            Some(Err(_)) => bail!("the value of tag {tag} is too large"),
            Some(Ok(number)) => Ok(Some(number)),
            None => Ok(None),
        }
    }

    /// Unsigned fractions, if the directory has the tag and the type is theirs.
    ///
    /// # Errors
    /// If they lie outside of the file.
    pub fn fractions(&self, tag: u16) -> Result<Option<Vec<f64>>> {
        let Some(bytes) = self.bytes(tag)? else { return Ok(None) };
        let half = |bytes: &[u8]| self.order.number(bytes) as f64;
        let values = bytes.chunks_exact(8).map(|value| half(&value[..4]) / half(&value[4..]));
        Ok(Some(values.collect()))
    }
}
