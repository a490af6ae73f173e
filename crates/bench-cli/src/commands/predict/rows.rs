//! The rows of the tables for spreadsheets.

use anyhow::Result;
use detector::files::cell;
use detector::records::PredictionRecord;
use inspect::Region;
use serde::Serialize;
use std::borrow::Cow;

pub const IMAGE_COLUMNS: &str = "image,id,score,threshold,defective,regions,seconds\n";

pub const REGION_COLUMNS: &str =
    "image,label,area,x0,y0,x1,y1,centroid_x,centroid_y,mean_score,max_score\n";

/// A line of `predictions.csv`.
#[derive(Serialize)]
struct ImageRow<'a> {
    image: Cow<'a, str>,
    id: Cow<'a, str>,
    score: f32,
    threshold: f32,
    defective: bool,
    regions: usize,
    seconds: f64,
}

/// A line of `regions.csv`. Pixel boxes are half-open.
#[derive(Serialize)]
struct RegionRow<'a> {
    image: Cow<'a, str>,
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

/// The line of an image.
pub fn image_row(found: &PredictionRecord) -> Result<Vec<u8>> {
    let PredictionRecord { image, id, score, threshold, defective, seconds, regions, .. } = found;
    let (&score, &threshold, &defective, &seconds) = (score, threshold, defective, seconds);
    let (image, id, regions) = (cell(image), cell(id), regions.len());
    lines([ImageRow { image, id, score, threshold, defective, regions, seconds }])
}

/// The lines of the regions of an image.
pub fn region_rows(found: &PredictionRecord) -> Result<Vec<u8>> {
    let row = |region: &Region| {
        let &Region { label, area, x0, y0, x1, y1, centroid_x, centroid_y, mean_score, max_score } =
            region;
        let image = cell(&found.id);
        RegionRow {
            image,
            label,
            area,
            x0,
            y0,
            x1,
            y1,
            centroid_x,
            centroid_y,
            mean_score,
            max_score,
        }
    };
    lines(found.regions.iter().map(row))
}

/// As CSV without header.
fn lines(rows: impl IntoIterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner()?)
}
