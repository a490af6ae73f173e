//! The rows of the tables for spreadsheets.

use anyhow::Result;
use detector::files::cell;
use detector::records::PredictionRecord;
use serde::Serialize;

pub const IMAGE_COLUMNS: &str = "image,id,score,threshold,defective,regions,seconds\n";

pub const REGION_COLUMNS: &str =
    "id,label,area,x0,y0,x1,y1,centroid_x,centroid_y,mean_score,max_score\n";

/// The line of an image in `predictions.csv`.
pub fn image_row(found: &PredictionRecord) -> Result<Vec<u8>> {
    let PredictionRecord { image, id, score, threshold, defective, seconds, regions, .. } = found;
    lines([(cell(image), cell(id), score, threshold, defective, regions.len(), seconds)])
}

/// The lines of the regions of an image in `regions.csv`.
pub fn region_rows(found: &PredictionRecord) -> Result<Vec<u8>> {
    lines(found.regions.iter().map(|region| (cell(&found.id), region)))
}

/// As CSV without header.
fn lines(rows: impl IntoIterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner()?)
}
