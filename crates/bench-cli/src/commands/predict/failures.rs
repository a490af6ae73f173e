//! The images of a run that could not be inspected.

use super::table::Table;
use anyhow::{Context, Error, Result};
use detector::files::{read_text, remove_if_present, shown};
use detector::records::FailureRecord;
use std::path::{Path, PathBuf};

const FILE: &str = "failures.jsonl";

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 30;

/// A file that grows by a line for each image that could not be inspected. It appears with the first of them.
pub struct Failures {
    path: PathBuf,
    table: Option<Table>,
}

impl Failures {
    /// Removes what an earlier run left in a folder, and begins anew.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn begin(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        remove_if_present(&path)?;
        Ok(Self { path, table: None })
    }

    /// # Errors
    /// If the line cannot be written.
    pub fn add(&mut self, image: Option<&Path>, error: &Error) -> Result<()> {
        let image = image.map(|image| image.to_string_lossy().into_owned());
        self.append(&FailureRecord { image, error: format!("{error:#}") })
    }

    /// # Errors
    /// If the line cannot be written.
    pub fn append(&mut self, failure: &FailureRecord) -> Result<()> {
        let table = match &mut self.table {
            Some(table) => table,
            None => self.table.insert(Table::create(self.path.clone(), "")?),
        };
        table.append(format!("{}\n", serde_json::to_string(failure)?).as_bytes())?;
        table.keep()
    }

    /// The failures in a folder.
    ///
    /// # Errors
    /// If they cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Vec<FailureRecord>> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = read_text(&path, LONGEST)?;
        let parsed = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        parsed.with_context(|| shown(&path))
    }
}
