//! The records of a run, which grow with each image.
//!
//! Files of this program appear whole or not at all, but these would then appear after hours, and a killed run would leave none.
//! They grow by whole lines instead. The lines of an image follow its other results, and its record comes last: an image has been
//! inspected if it has a record, and what a crash leaves without one is removed when the run is resumed.

use super::rows::{IMAGE_COLUMNS, REGION_COLUMNS, image_row, region_rows};
use super::table::{Table, end_of_lines};
use anyhow::{Context, Result};
use detector::files::{remove_if_present, shown, write_atomic};
use detector::records::PredictionRecord;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

const RECORDS: &str = "predictions.jsonl";
const IMAGES: &str = "predictions.csv";
const REGIONS: &str = "regions.csv";

/// The files that records go to.
pub struct Tables {
    /// In the order in which they are written: `regions.csv`, if there is one, and `predictions.csv`.
    rows: Vec<(Table, Rows)>,
    records: Table,
}

/// The lines of a table that an image has.
type Rows = fn(&PredictionRecord) -> Result<Vec<u8>>;

/// The tables for spreadsheets: name, header, and lines.
fn kinds(with_regions: bool) -> Vec<(&'static str, &'static str, Rows)> {
    let regions = with_regions.then_some((REGIONS, REGION_COLUMNS, region_rows as Rows));
    regions.into_iter().chain([(IMAGES, IMAGE_COLUMNS, image_row as Rows)]).collect()
}

impl Tables {
    /// Begins new tables in a folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn begin(folder: &Path, with_regions: bool) -> Result<Self> {
        // What an earlier run left would pass for regions of this one's images.
        remove_if_present(&folder.join(REGIONS))?;
        let records = Table::create(folder.join(RECORDS), "")?;
        let rows = kinds(with_regions)
            .into_iter()
            .map(|(name, header, rows)| Ok((Table::create(folder.join(name), header)?, rows)));
        Ok(Self { rows: rows.collect::<Result<_>>()?, records })
    }

    /// Goes on with the tables of a folder, or begins them. Tables that do not have the lines of all records, and no others, are
    /// written anew.
    ///
    /// # Errors
    /// If a file cannot be read, understood or written.
    pub fn resume(folder: &Path, with_regions: bool) -> Result<Self> {
        let records = Table::open(folder.join(RECORDS), "")?;
        let mut tables = Vec::new();
        for (name, header, rows) in kinds(with_regions) {
            let mut table = Table::open(folder.join(name), header)?;
            if !is_of(table.path(), header, rows, records.path())? {
                write_whole(table.path(), header, rows, self::records(records.path())?)?;
                table = Table::open(folder.join(name), header)?;
            }
            tables.push((table, rows));
        }
        Ok(Self { rows: tables, records })
    }

    /// The records so far, one after the other.
    ///
    /// # Errors
    /// If the file cannot be read; each record, if it cannot be understood.
    pub fn records(&self) -> Result<impl Iterator<Item = Result<PredictionRecord>> + use<>> {
        records(self.records.path())
    }

    /// Appends what was found in an image: all of it, or nothing.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn append(&mut self, found: &PredictionRecord) -> Result<()> {
        let appended = self.try_append(found);
        for table in self.all() {
            match &appended {
                Ok(()) => table.keep()?,
                // If it fails, too, the next line removes the rest, or the next run.
                Err(_) => drop(table.drop_rest()),
            }
        }
        appended
    }

    fn try_append(&mut self, found: &PredictionRecord) -> Result<()> {
        for (table, rows) in &mut self.rows {
            table.append(&rows(found)?)?;
        }
        self.records.append(&record_line(found)?)
    }

    /// # Errors
    /// If a file was removed or replaced.
    pub fn expect_in_place(&mut self) -> Result<()> {
        self.all().try_for_each(|table| table.expect_in_place())
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Table> {
        self.rows.iter_mut().map(|(table, _)| table).chain([&mut self.records])
    }
}

/// The records of a file that somebody may be writing to: without a part of a line at the end.
fn records(path: &Path) -> Result<impl Iterator<Item = Result<PredictionRecord>> + use<>> {
    let name = shown(path);
    let open = || {
        let mut file = File::open(path)?;
        let end = end_of_lines(&mut file)?;
        file.rewind()?;
        Ok::<_, std::io::Error>(file.take(end))
    };
    let file = open().with_context(|| format!("cannot read {name}"))?;
    let lines = BufReader::new(file).lines().enumerate();
    Ok(lines.map(move |(number, line)| {
        let record =
            line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str(&line)?));
        record.with_context(|| format!("{name}, line {}", number + 1))
    }))
}

/// The records in a folder.
///
/// # Errors
/// If the file cannot be read; each record, if it cannot be understood.
pub fn records_in(folder: &Path) -> Result<impl Iterator<Item = Result<PredictionRecord>> + use<>> {
    records(&folder.join(RECORDS))
}

/// Whether a folder has a row for each region.
pub fn has_regions(folder: &Path) -> bool {
    folder.join(REGIONS).is_file()
}

/// Replaces the tables of a folder by those of a run that has these records.
///
/// # Errors
/// If a table cannot be written.
pub fn write_tables(folder: &Path, with_regions: bool, records: &[PredictionRecord]) -> Result<()> {
    if !with_regions {
        remove_if_present(&folder.join(REGIONS))?;
    }
    let records = || records.iter().map(Ok);
    for (name, header, rows) in kinds(with_regions) {
        write_whole(&folder.join(name), header, rows, records())?;
    }
    write_whole(&folder.join(RECORDS), "", record_line, records())
}

/// Leaves only the last record of each image, in the place of the first.
///
/// # Errors
/// If a table cannot be read or written.
pub fn leave_last_records(folder: &Path, with_regions: bool) -> Result<()> {
    let (mut last, mut places) = (Vec::new(), HashMap::new());
    for record in records_in(folder)? {
        let record = record?;
        match places.get(&record.image) {
            Some(&place) => last[place] = record,
            None => {
                places.insert(record.image.clone(), last.len());
                last.push(record);
            }
        }
    }
    write_tables(folder, with_regions, &last)
}

/// Whether a table has the lines of these records, and no others.
fn is_of(table: &Path, header: &str, rows: Rows, of: &Path) -> Result<bool> {
    let cannot_read = || format!("cannot read {}", shown(table));
    let mut found = BufReader::new(File::open(table).with_context(cannot_read)?);
    let mut piece = Vec::new();
    let mut is_next = |expected: &[u8]| -> Result<bool> {
        piece.clear();
        Read::by_ref(&mut found)
            .take(expected.len() as u64)
            .read_to_end(&mut piece)
            .with_context(cannot_read)?;
        Ok(piece == expected)
    };
    if !is_next(header.as_bytes())? {
        return Ok(false);
    }
    for record in records(of)? {
        if !is_next(&rows(&record?)?)? {
            return Ok(false);
        }
    }
    Ok(found.fill_buf().with_context(cannot_read)?.is_empty())
}

fn record_line(found: &PredictionRecord) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(found)?;
    line.push(b'\n');
    Ok(line)
}

fn write_whole<R: Borrow<PredictionRecord>>(
    table: &Path,
    header: &str,
    rows: Rows,
    records: impl Iterator<Item = Result<R>>,
) -> Result<()> {
    Ok(write_atomic(table, |file| {
        file.write_all(header.as_bytes())?;
        for record in records {
            file.write_all(&rows(record?.borrow())?)?;
        }
        Ok(())
    })?)
}
