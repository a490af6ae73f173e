//! One image, from its file to what is kept of it.

use super::stamp::Stamp;
use crate::args::Output;
use crate::data::uncrop;
use crate::io::{
    Cell, Overlay, ScoreRange, read_image, write_figure, write_float_tiff, write_mask_png,
    write_overlay_png,
};
use crate::pipeline::Inspector;
use anyhow::{Context as _, Result, ensure};
use inspect::{Connectivity, Image, Mask, Region, Regions, regions, threshold_mask};
use metrics::image_score;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is done with every image.
pub struct Job {
    pub inspector: Inspector,
    pub threshold: f32,
    pub outputs: Vec<Output>,
    /// The folder of the results.
    pub out: PathBuf,
}

/// What was found in one image: a line of `predictions.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    pub image: String,
    /// The results' names begin with this.
    pub id: String,
    /// The largest score of the anomaly map.
    pub score: f32,
    pub threshold: f32,
    pub defective: bool,
    /// To read, inspect and write.
    pub seconds: f64,
    /// When the file was last changed, in seconds since 1970.
    pub modified: Option<f64>,
    pub regions: Vec<Region>,
    /// Width and height of the image.
    #[serde(skip)]
    pub size: (usize, usize),
    /// The pixels of each region, if [`Output::Coco`] is kept.
    #[serde(skip)]
    pub run_lengths: Vec<Vec<usize>>,
    /// The file that was read.
    #[serde(skip)]
    pub stamp: Stamp,
}

impl Job {
    pub fn keeps(&self, output: Output) -> bool {
        self.outputs.contains(&output)
    }

    /// Inspects an image and writes what is to be kept of it, in files that begin with `id`.
    ///
    /// # Errors
    /// If the image cannot be read or inspected or changes meanwhile, or a result cannot be written.
    pub fn inspect(&self, path: &Path, id: &str) -> Result<Prediction> {
        let start = Instant::now();
        let stamp = Stamp::of(path)?;
        let image = read_image(path)?;
        ensure!(stamp == Stamp::of(path)?, "{}: changed while it was read", path.display());
        let inspected = self
            .inspector
            .inspect(&image)
            .with_context(|| format!("cannot inspect {}", path.display()))?;
        let inside = threshold_mask(&inspected.anomaly_map, self.threshold);
        let mask = uncrop(&inside, self.inspector.margins(), false);
        let map = self.inspector.uncrop(&inspected.anomaly_map);
        let found = regions(&mask, &map, Connectivity::Eight)?;
        let mut prediction = Prediction {
            image: path.display().to_string(),
            id: id.to_owned(),
            score: image_score(inspected.anomaly_map.data())?,
            threshold: self.threshold,
            defective: !found.regions.is_empty(),
            seconds: 0.0,
            modified: stamp.modified(),
            size: mask.size(),
            run_lengths: self.run_lengths(&found),
            regions: found.regions,
            stamp,
        };
        self.write(&prediction, &image, &map, &mask)?;
        prediction.seconds = start.elapsed().as_secs_f64();
        Ok(prediction)
    }

    fn run_lengths(&self, found: &Regions) -> Vec<Vec<usize>> {
        if !self.keeps(Output::Coco) {
            return Vec::new();
        }
        found.regions.iter().map(|region| region.run_lengths(&found.labels)).collect()
    }

    fn write(&self, found: &Prediction, image: &Image, map: &Image, mask: &Mask) -> Result<()> {
        let file = |end: &str| self.out.join(format!("{}{end}", found.id));
        let range = ScoreRange::around(self.threshold);
        if self.keeps(Output::Map) {
            write_float_tiff(&file(".tiff"), map)?;
        }
        if self.keeps(Output::Mask) {
            write_mask_png(&file("_mask.png"), mask)?;
        }
        if self.keeps(Output::Heatmap) {
            write_figure(&file("_heatmap.png"), &[vec![Cell::Heat(map, range)]])?;
        }
        if self.keeps(Output::Overlay) {
            let score = format!("score {:.4}", found.score);
            let threshold = format!("threshold {:.4}", found.threshold);
            let caption = [&*found.verdict(), &score, &threshold];
            let overlay = Overlay { image, map, range, regions: mask, caption: &caption };
            write_overlay_png(&file("_overlay.png"), &overlay)?;
        }
        Ok(())
    }
}

impl Prediction {
    /// In words.
    pub fn verdict(&self) -> String {
        match self.regions.len() {
            0 => "good".to_owned(),
            1 => "1 defect".to_owned(),
            count => format!("{count} defects"),
        }
    }
}
