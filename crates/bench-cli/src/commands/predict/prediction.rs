//! Inspection of an image file, and the files that are kept of it.

use super::stamp::Stamp;
use crate::args::Output;
use crate::drawing::{Cell, OUTSIDE, Overlay, ScoreRange, write_overlay_png};
use anyhow::{Context as _, Result, ensure};
use detector::files::{sha256_of_file, shown};
use detector::records::PredictionRecord;
use detector::{
    Detector, Found, Image, Mask, Plane, Verdict, write_float_tiff, write_grey_png, write_mask_png,
    write_rgb_png,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The work on every image.
pub struct Job {
    pub detector: Detector,
    pub outputs: Vec<Output>,
    /// The folder of the results.
    pub out: PathBuf,
    /// The scores that colours stand for.
    pub range: ScoreRange,
}

/// The planes of an inspected image, all of its size.
pub struct Looks {
    pub image: Image,
    pub reconstruction: Image,
    pub map: Image,
    /// The region of interest, if it is not the whole image.
    pub inside: Option<Mask>,
    pub mask: Mask,
}

/// An inspected image.
pub struct Prediction {
    pub record: PredictionRecord,
    /// The run lengths of each region, if [`Output::Coco`] is kept.
    pub run_lengths: Vec<Vec<usize>>,
    /// The file that was read.
    pub stamp: Stamp,
    pub looks: Looks,
    /// Time to read and inspect.
    inspecting: Duration,
}

impl Prediction {
    /// Width and height of the image.
    pub fn size(&self) -> (usize, usize) {
        self.looks.image.size()
    }
}

impl Job {
    pub fn keeps(&self, output: Output) -> bool {
        self.outputs.contains(&output)
    }

    /// Inspects an image. What is kept of it will lie in files that begin with `id`.
    ///
    /// # Errors
    /// If the image cannot be read or inspected, or changes meanwhile.
    pub fn inspect(&self, path: &Path, id: &str) -> Result<Prediction> {
        let start = Instant::now();
        let stamp = Stamp::of(path)?;
        let image = self.detector.read(path)?;
        let sha256 = sha256_of_file(path)?;
        ensure!(stamp == Stamp::of(path)?, "{}: changed while it was read", shown(path));
        let found = self
            .detector
            .inspect_named(&image, Some(path))
            .with_context(|| format!("cannot inspect {}", shown(path)))?;
        let run_lengths = self.run_lengths(&found);
        let Found { map, inside, mask, score, verdict, regions, reconstruction, .. } = found;
        let record = PredictionRecord {
            image: path.to_string_lossy().into_owned(),
            id: id.to_owned(),
            score,
            threshold: self.detector.decision().threshold,
            defective: verdict == Verdict::Defective,
            seconds: 0.0,
            bytes: Some(stamp.bytes),
            modified: stamp.modified(),
            changed: stamp.changed(),
            sha256: Some(sha256),
            regions,
        };
        let looks = Looks { image, reconstruction, map, inside, mask };
        Ok(Prediction { record, run_lengths, stamp, looks, inspecting: start.elapsed() })
    }

    fn run_lengths(&self, found: &Found) -> Vec<Vec<usize>> {
        if !self.keeps(Output::Coco) {
            return Vec::new();
        }
        found.regions.iter().map(|region| region.run_lengths(&found.labels)).collect()
    }

    /// Writes what is to be kept of an image beside its record, and puts the time that it took into the record.
    ///
    /// # Errors
    /// If a result cannot be written.
    pub fn write(&self, found: &mut Prediction) -> Result<()> {
        let start = Instant::now();
        let Prediction { record, looks, .. } = &*found;
        let Looks { image, reconstruction, map, inside, mask } = looks;
        let file = |end: &str| self.out.join(format!("{}{end}", record.id));
        let range = self.range;
        if self.keeps(Output::Map) {
            write_float_tiff(&file(".tiff"), map)?;
        }
        if self.keeps(Output::Mask) {
            write_mask_png(&file("_mask.png"), mask)?;
        }
        if self.keeps(Output::Heatmap) {
            let (heat, (width, height)) = (Cell::Heat(map, range), map.size());
            let is_outside = |x, y| inside.as_ref().is_some_and(|inside| !inside.get(x, y));
            let colour = |x, y| if is_outside(x, y) { OUTSIDE } else { heat.colour(x, y) };
            write_rgb_png(&file("_heatmap.png"), &Plane::from_fn(width, height, colour))?;
        }
        if self.keeps(Output::Reconstruction) {
            write_grey_png(&file("_reconstruction.png"), reconstruction)?;
        }
        if self.keeps(Output::Overlay) {
            let score = format!("score {:.4}", record.score);
            let threshold = format!("threshold {:.4}", record.threshold);
            let colours = format!("colours {range}");
            let caption = [&*record.verdict(), &score, &threshold, &colours];
            let inside = inside.as_ref();
            let overlay = Overlay { image, map, range, inside, regions: mask, caption: &caption };
            write_overlay_png(&file("_overlay.png"), &overlay)?;
        }
        found.record.seconds = (found.inspecting + start.elapsed()).as_secs_f64();
        Ok(())
    }
}
