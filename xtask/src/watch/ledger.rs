//! Which images were there, and which have a record.

use anyhow::{Context, Result};
use detector::records::PredictionRecord;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// SHA-256 of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content(pub String);

/// The images that were there, each content once, and their records.
pub struct Ledger {
    records: PathBuf,
    /// Bytes of whole lines that were read.
    read: u64,
    /// The records of each content of each name.
    counts: HashMap<(String, Content), u64>,
    /// The present content of each name.
    present: HashMap<String, Content>,
    /// Records of contents that were never there.
    strangers: u64,
}

/// The findings at the end.
#[derive(Clone, Copy, serde::Serialize)]
pub struct Findings {
    /// Different contents.
    pub images: u64,
    pub records: u64,
    /// Contents without a record.
    pub lost: u64,
    /// Records of a content after its first.
    pub repeated: u64,
    /// Records of contents that were never there, as of half a file.
    pub strangers: u64,
}

impl Ledger {
    /// For a table of records that may not be there yet.
    pub fn new(records: PathBuf) -> Self {
        let (counts, present) = (HashMap::new(), HashMap::new());
        Self { records, read: 0, counts, present, strangers: 0 }
    }

    /// An image is or will be there, for which there is to be a record.
    pub fn expect(&mut self, name: &str, content: Content) {
        self.counts.insert((name.to_owned(), content.clone()), 0);
        self.present.insert(name.to_owned(), content);
    }

    /// Whether there is a record of the present content of an image.
    pub fn is_inspected(&self, name: &str) -> bool {
        let content = self.present.get(name).cloned();
        let count = content.and_then(|content| self.counts.get(&(name.to_owned(), content)));
        count.is_some_and(|&count| count > 0)
    }

    /// Images without a record.
    pub fn open(&self) -> u64 {
        self.counts.values().filter(|&&count| count == 0).count() as u64
    }

    /// Reads the lines that were appended.
    ///
    /// # Errors
    /// If a line is no record.
    pub fn read(&mut self) -> Result<()> {
        let Ok(mut file) = File::open(&self.records) else { return Ok(()) };
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A watch is appending.
        let end = text.rfind('\n').map_or(0, |last| last + 1);
        self.read += end as u64;
        for line in text[..end].lines() {
            let record: PredictionRecord =
                serde_json::from_str(line).with_context(|| format!("no record: {line}"))?;
            let name = Path::new(&record.image).file_name().unwrap_or_default();
            let key =
                (name.to_string_lossy().into_owned(), Content(record.sha256.unwrap_or_default()));
            match self.counts.get_mut(&key) {
                Some(count) => *count += 1,
                None => self.strangers += 1,
            }
        }
        Ok(())
    }

    pub fn findings(&self) -> Findings {
        let counts = || self.counts.values();
        Findings {
            images: self.counts.len() as u64,
            records: counts().sum::<u64>() + self.strangers,
            lost: self.open(),
            repeated: counts().map(|count| count.saturating_sub(1)).sum(),
            strangers: self.strangers,
        }
    }
}
