//! The records of a run, which grow with each image.
//!
//! Files of this program appear whole or not at all, but these would then appear after hours, and a killed run would leave none.
//! They grow by whole lines instead, and those of an image follow its other results.

use anyhow::{Context, Result};
use detector::files::remove_if_present;
use detector::records::PredictionRecord;
use inspect::Region;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const RECORDS: &str = "predictions.jsonl";
const IMAGES: &str = "predictions.csv";
const REGIONS: &str = "regions.csv";

const IMAGE_COLUMNS: [&str; 7] =
    ["image", "id", "score", "threshold", "defective", "regions", "seconds"];

const REGION_COLUMNS: [&str; 11] = [
    "image",
    "label",
    "area",
    "x0",
    "y0",
    "x1",
    "y1",
    "centroid_x",
    "centroid_y",
    "mean_score",
    "max_score",
];

/// The files that records go to.
pub struct Tables {
    records: Table,
    images: Table,
    regions: Option<Table>,
}

/// A file that lines are appended to.
struct Table {
    path: PathBuf,
    file: File,
}

/// Whether the lines of an earlier run are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Earlier {
    Forgotten,
    Kept,
}

impl Tables {
    /// Begins new tables in a folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn begin(folder: &Path, with_regions: bool) -> Result<Self> {
        // What an earlier run left would pass for regions of this one's images.
        if !with_regions {
            remove_if_present(&folder.join(REGIONS))?;
        }
        Self::open(folder, with_regions, Earlier::Forgotten)
    }

    /// Goes on with the tables of a folder, or begins them. Also gives what they hold.
    ///
    /// # Errors
    /// If a file cannot be read, understood or written.
    pub fn resume(folder: &Path, with_regions: bool) -> Result<(Self, Vec<PredictionRecord>)> {
        let tables = Self::open(folder, with_regions, Earlier::Kept)?;
        let path = &tables.records.path;
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let recorded = text.lines().enumerate().map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}, line {}", path.display(), number + 1))
        });
        let recorded = recorded.collect::<Result<Vec<PredictionRecord>>>()?;
        Ok((tables, recorded))
    }

    fn open(folder: &Path, with_regions: bool, earlier: Earlier) -> Result<Self> {
        let open = |name: &str, columns: &[&str]| Table::open(folder.join(name), columns, earlier);
        Ok(Self {
            records: open(RECORDS, &[])?,
            images: open(IMAGES, &IMAGE_COLUMNS)?,
            regions: with_regions.then(|| open(REGIONS, &REGION_COLUMNS)).transpose()?,
        })
    }

    /// Appends what was found in an image.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn append(&mut self, found: &PredictionRecord) -> Result<()> {
        let mut record = serde_json::to_vec(found)?;
        record.push(b'\n');
        self.records.append(&record)?;
        self.images.append(&lines([ImageRow::of(found)])?)?;
        match &mut self.regions {
            Some(table) => {
                table.append(&lines(found.regions.iter().map(|r| RegionRow::of(&found.id, r)))?)
            }
            None => Ok(()),
        }
    }
}

impl Table {
    fn open(path: PathBuf, columns: &[&str], earlier: Earlier) -> Result<Self> {
        let open = || {
            if earlier == Earlier::Kept {
                remove_partial_line(&path)?;
            }
            let mut options = OpenOptions::new();
            options.create(true);
            match earlier {
                Earlier::Forgotten => options.write(true).truncate(true),
                Earlier::Kept => options.append(true),
            };
            let mut file = options.open(&path)?;
            if file.metadata()?.len() == 0 && !columns.is_empty() {
                file.write_all((columns.join(",") + "\n").as_bytes())?;
            }
            Ok(file)
        };
        let file: Result<File> = open();
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// In one piece, so that a run that is killed leaves whole lines.
    fn append(&mut self, lines: &[u8]) -> Result<()> {
        let written = self.file.write_all(lines);
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// A power failure or a full disk may have left a part of a line.
fn remove_partial_line(path: &Path) -> Result<()> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    if end < bytes.len() {
        OpenOptions::new().write(true).open(path)?.set_len(end as u64)?;
    }
    Ok(())
}

/// As CSV without header.
fn lines(rows: impl IntoIterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner()?)
}

/// A line of `predictions.csv`.
#[derive(Serialize)]
struct ImageRow<'a> {
    image: &'a str,
    id: &'a str,
    score: f32,
    threshold: f32,
    defective: bool,
    regions: usize,
    seconds: f64,
}

impl<'a> ImageRow<'a> {
    fn of(found: &'a PredictionRecord) -> Self {
        let PredictionRecord { image, id, score, threshold, defective, seconds, regions, .. } =
            found;
        let (&score, &threshold, &defective, &seconds) = (score, threshold, defective, seconds);
        Self { image, id, score, threshold, defective, regions: regions.len(), seconds }
    }
}

/// A line of `regions.csv`. Pixel boxes are half-open.
#[derive(Serialize)]
struct RegionRow<'a> {
    image: &'a str,
    label: u32,
    area: usize,
    x0: usize,
    y0: usize,
    x1: usize,
    y1: usize,
    centroid_x: f64,
    centroid_y: f64,
    mean_score: f64,
    max_score: f32,
}

impl<'a> RegionRow<'a> {
    fn of(image: &'a str, region: &Region) -> Self {
        let &Region { label, area, x0, y0, x1, y1, centroid_x, centroid_y, mean_score, max_score } =
            region;
        Self { image, label, area, x0, y0, x1, y1, centroid_x, centroid_y, mean_score, max_score }
    }
}
