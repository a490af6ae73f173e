//! Inspection of an image file, and the files that are kept of it.

use super::stamp::Stamp;
use crate::args::Output;
use crate::drawing::{Cell, Overlay, ScoreRange, write_figure, write_overlay_png};
use anyhow::{Context as _, Result, ensure};
use detector::records::PredictionRecord;
use detector::{Detector, Found, Verdict, read_image, write_float_tiff, write_mask_png};
use inspect::{Image, Mask};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The work on every image.
pub struct Job {
    pub detector: Detector,
    pub outputs: Vec<Output>,
    /// The folder of the results.
    pub out: PathBuf,
}

/// An inspected image.
pub struct Prediction {
    pub record: PredictionRecord,
    /// Width and height of the image.
    pub size: (usize, usize),
    /// The run lengths of each region, if [`Output::Coco`] is kept.
    pub run_lengths: Vec<Vec<usize>>,
    /// The file that was read.
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
        let found = self
            .detector
            .inspect(&image)
            .with_context(|| format!("cannot inspect {}", path.display()))?;
        let (size, run_lengths) = (found.mask.size(), self.run_lengths(&found));
        let mut record = PredictionRecord {
            image: path.display().to_string(),
            id: id.to_owned(),
            score: found.score,
            threshold: self.detector.decision().threshold,
            defective: found.verdict == Verdict::Defective,
            seconds: 0.0,
            modified: stamp.modified(),
            regions: found.regions,
        };
        self.write(&record, &image, &found.map, &found.mask)?;
        record.seconds = start.elapsed().as_secs_f64();
        Ok(Prediction { record, size, run_lengths, stamp })
    }

    fn run_lengths(&self, found: &Found) -> Vec<Vec<usize>> {
        if !self.keeps(Output::Coco) {
            return Vec::new();
        }
        found.regions.iter().map(|region| region.run_lengths(&found.labels)).collect()
    }

    fn write(
        &self,
        found: &PredictionRecord,
        image: &Image,
        map: &Image,
        mask: &Mask,
    ) -> Result<()> {
        let file = |end: &str| self.out.join(format!("{}{end}", found.id));
        let range = ScoreRange::around(found.threshold);
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
