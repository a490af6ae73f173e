//! Inspection of an image file, and the files that are kept of it.

use super::inputs::spare;
use super::stamp::Stamp;
use crate::args::{Keep, MapFormat, Output, Subfolders};
use crate::drawing::{Cell, OUTSIDE, Overlay, ScoreRange, write_overlay_png};
use anyhow::{Context as _, Result, ensure};
use detector::files::{FolderLock, remove_if_present, shown, shown_text};
use detector::records::PredictionRecord;
use detector::{
    Detector, Found, Image, Mask, Plane, Verdict, write_float_tiff, write_grey_png,
    write_half_tiff, write_mask_png, write_rgb_png,
};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// The files of an image, and the ends of their names.
const FILES: [(Output, &str); 5] = [
    (Output::Map, ".tiff"),
    (Output::Mask, "_mask.png"),
    (Output::Overlay, "_overlay.png"),
    (Output::Heatmap, "_heatmap.png"),
    (Output::Reconstruction, "_reconstruction.png"),
];

/// The work on every image.
pub struct Job {
    pub detector: Detector,
    /// A hash of all that decides about the results of an image beside its file.
    pub settings: String,
    pub outputs: Vec<Output>,
    pub keep: Keep,
    pub map_format: MapFormat,
    pub subfolders: Subfolders,
    /// The folder of the results, which nobody else writes to.
    pub out: PathBuf,
    pub lock: FolderLock,
    /// The scores that colours stand for.
    pub range: ScoreRange,
    /// If images are scaled: the sizes of the calibration's images, and the size that all get.
    pub scaled: Option<(Vec<[usize; 2]>, [usize; 2])>,
}

/// An image file that was read.
pub struct ImageFile {
    path: PathBuf,
    image: Image,
    stamp: Stamp,
    sha256: String,
    reading: Duration,
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
    /// The file that was read.
    pub stamp: Stamp,
    pub looks: Looks,
    /// Time to read and inspect.
    inspecting: Duration,
}

impl ImageFile {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Job {
    pub fn keeps(&self, output: Output) -> bool {
        self.outputs.contains(&output)
    }

    /// Reads an image file.
    ///
    /// # Errors
    /// If it cannot be read, changes meanwhile, or lies where results are written to.
    pub fn read(&self, path: &Path) -> Result<ImageFile> {
        spare(path, &self.out, self.subfolders)?;
        let start = Instant::now();
        let stamp = Stamp::of(path)?;
        let (image, sha256) = self.detector.read_and_hash(path)?;
        ensure!(stamp == Stamp::of(path)?, "{}: changed while it was read", shown(path));
        Ok(ImageFile { path: path.to_owned(), image, stamp, sha256, reading: start.elapsed() })
    }

    /// Inspects an image. What is kept of it will lie in files that begin with `id`.
    ///
    /// # Errors
    /// If the image cannot be inspected.
    pub fn inspect(&self, file: ImageFile, id: String) -> Result<Prediction> {
        let start = Instant::now();
        let ImageFile { path, image, stamp, sha256, reading } = file;
        let found = self
            .detector
            .inspect_named(&image, Some(&path))
            .with_context(|| format!("cannot inspect {}", shown(&path)))?;
        let run_lengths = self.run_lengths(&found);
        let Found { map, inside, mask, score, verdict, regions, reconstruction, .. } = found;
        let record = PredictionRecord {
            image: path.to_string_lossy().into_owned(),
            id,
            score,
            threshold: self.detector.decision().threshold,
            defective: verdict == Verdict::Defective,
            bytes: Some(stamp.bytes),
            modified: stamp.modified(),
            changed: stamp.changed(),
            sha256: Some(sha256),
            size: image.size().into(),
            settings: Some(self.settings.clone()),
            run_lengths,
            regions,
            ..PredictionRecord::default()
        };
        let looks = Looks { image, reconstruction, map, inside, mask };
        Ok(Prediction { record, stamp, looks, inspecting: reading + start.elapsed() })
    }

    fn run_lengths(&self, found: &Found) -> Vec<Vec<usize>> {
        if !self.keeps(Output::Coco) {
            return Vec::new();
        }
        found.regions.iter().map(|region| region.run_lengths(&found.labels)).collect()
    }

    /// A warning if an image is scaled otherwise than those of the calibration were.
    pub fn other_scale(&self, record: &PredictionRecord) -> Option<String> {
        let (good, [width, height]) = self.scaled.as_ref()?;
        let usual = good.first().filter(|_| !good.contains(&record.size))?;
        let [of, by] = record.size;
        Some(format!(
            "{}: an image of {of}x{by} is scaled to {width}x{height} otherwise than the good ones of {}x{} were (data.size), and may \
             look defective; others like it are not named",
            shown_text(&record.image),
            usual[0],
            usual[1]
        ))
    }

    /// Writes what is to be kept of an image beside its record, and puts its names and the time that all took into the record.
    ///
    /// # Errors
    /// If a result cannot be written, or the folder of the results is gone.
    pub fn write(&self, found: &mut Prediction) -> Result<()> {
        let start = Instant::now();
        self.lock.expect_in_place()?;
        found.record.files.clear();
        if self.keep == Keep::All || found.record.defective {
            for (output, end) in FILES.into_iter().filter(|&(output, _)| self.keeps(output)) {
                let name = format!("{}{end}", found.record.id);
                self.write_file(&self.out.join(&name), output, found)?;
                found.record.files.push(name);
            }
        }
        found.record.seconds = (found.inspecting + start.elapsed()).as_secs_f64();
        Ok(())
    }

    /// Removes the files that an earlier run kept of an image and this one does not.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn remove_others(&self, earlier: &[String], found: &PredictionRecord) -> Result<()> {
        // Whatever somebody has written into a record, nothing is removed elsewhere.
        let is_inside = |file: &&String| {
            Path::new(file).components().all(|part| matches!(part, Component::Normal(_)))
        };
        let others = earlier.iter().filter(|file| !found.files.contains(file));
        for file in others.filter(is_inside) {
            remove_if_present(&self.out.join(file))?;
        }
        Ok(())
    }

    fn write_file(&self, path: &Path, output: Output, found: &Prediction) -> Result<()> {
        let Looks { image, reconstruction, map, inside, mask } = &found.looks;
        let (range, inside) = (self.range, inside.as_ref());
        match output {
            Output::Map if self.map_format == MapFormat::F16 => write_half_tiff(path, map)?,
            Output::Map => write_float_tiff(path, map)?,
            Output::Mask => write_mask_png(path, mask)?,
            Output::Heatmap => {
                let (heat, (width, height)) = (Cell::Heat(map, range), map.size());
                let is_outside = |x, y| inside.is_some_and(|inside| !inside.get(x, y));
                let colour = |x, y| if is_outside(x, y) { OUTSIDE } else { heat.colour(x, y) };
                write_rgb_png(path, &Plane::from_fn(width, height, colour))?;
            }
            Output::Reconstruction => write_grey_png(path, reconstruction)?,
            Output::Overlay => {
                let score = format!("score {:.4}", found.record.score);
                let threshold = format!("threshold {:.4}", found.record.threshold);
                let colours = format!("colours {range}");
                let caption = [&*found.record.verdict(), &score, &threshold, &colours];
                let regions = mask;
                let overlay = Overlay { image, map, range, inside, regions, caption: &caption };
                write_overlay_png(path, &overlay)?;
            }
            // Not of an image, but of a run.
            Output::Report | Output::Regions | Output::Coco | Output::None => {}
        }
        Ok(())
    }
}
