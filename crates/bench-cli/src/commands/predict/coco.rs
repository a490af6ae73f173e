//! The regions of a run as COCO has objects.

use anyhow::Result;
use detector::files::{remove_if_present, write_atomic};
use detector::records::PredictionRecord;
use inspect::Region;
use serde::Serialize;
use std::path::Path;

const FILE: &str = "coco.json";

/// A data set in COCO's format (<https://cocodataset.org/#format-data>), with a score of each object as in COCO's results.
#[derive(Serialize)]
pub struct Coco {
    info: Info,
    /// Present and empty: other programs look at it.
    licenses: [(); 0],
    images: Vec<Picture>,
    annotations: Vec<Annotation>,
    categories: [Category; 1],
}

/// The program that found the objects.
#[derive(Serialize)]
struct Info {
    description: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Picture {
    id: usize,
    file_name: String,
    width: usize,
    height: usize,
}

#[derive(Serialize)]
struct Category {
    id: usize,
    name: &'static str,
}

/// The only category.
const DEFECT: Category = Category { id: 1, name: "defect" };

#[derive(Serialize)]
struct Annotation {
    id: usize,
    image_id: usize,
    category_id: usize,
    /// Left, top, width, height.
    bbox: [usize; 4],
    area: usize,
    segmentation: RunLengths,
    /// Whether it stands for many objects.
    iscrowd: u8,
    /// The region's largest.
    score: f32,
}

/// A mask, by columns.
#[derive(Serialize)]
struct RunLengths {
    counts: Vec<usize>,
    /// Height and width of the image.
    size: [usize; 2],
}

impl Default for Coco {
    fn default() -> Self {
        let info =
            Info { description: "defects found by bench-cli", version: env!("CARGO_PKG_VERSION") };
        Self {
            info,
            licenses: [],
            images: Vec::new(),
            annotations: Vec::new(),
            categories: [DEFECT],
        }
    }
}

impl Coco {
    /// The images of these records and their regions. Numbers count from 1.
    ///
    /// # Errors
    /// If a record cannot be read.
    pub fn of(records: impl Iterator<Item = Result<PredictionRecord>>) -> Result<Self> {
        let mut coco = Self::default();
        for record in records {
            coco.add(record?);
        }
        Ok(coco)
    }

    fn add(&mut self, found: PredictionRecord) {
        let image_id = self.images.len() + 1;
        let [width, height] = found.size;
        self.images.push(Picture { id: image_id, file_name: found.image, width, height });
        for (region, counts) in found.regions.iter().zip(found.run_lengths) {
            let &Region { x0, y0, x1, y1, area, max_score: score, .. } = region;
            self.annotations.push(Annotation {
                id: self.annotations.len() + 1,
                image_id,
                category_id: DEFECT.id,
                bbox: [x0, y0, x1 - x0, y1 - y0],
                area,
                segmentation: RunLengths { counts, size: [height, width] },
                iscrowd: 0,
                score,
            });
        }
    }

    /// Whether a folder has `coco.json`.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Removes what an earlier run left in a folder.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn forget(folder: &Path) -> Result<()> {
        Ok(remove_if_present(&folder.join(FILE))?)
    }

    /// Writes `coco.json`.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn write(&self, folder: &Path) -> Result<()> {
        Ok(write_atomic(&folder.join(FILE), |file| Ok(serde_json::to_writer(file, self)?))?)
    }
}
