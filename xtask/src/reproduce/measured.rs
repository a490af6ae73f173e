//! Means over the seeds of a row.

use super::store::Finished;
use detector::records::{AtThreshold, Metrics, PixelMetrics};
use serde::Serialize;

/// Measurements of the finished cells of a line.
#[derive(Debug, Serialize)]
pub struct Measured {
    pub synthetic: bool,
    pub test_images: usize,
    /// The number of images that were there, if not all.
    pub part: Option<String>,
    pub patches: u64,
    pub pixel_au_roc: Spread,
    pub pixel_au_roc_raw: Spread,
    pub pixel_average_precision: Spread,
    pub au_pro: Spread,
    /// Absent unless there are good images to compare with.
    pub image_au_roc: Option<Spread>,
    /// Absent if the inspection is another than that of the calibration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<Decisions>,
    pub loss: Spread,
    pub training_seconds: Spread,
    /// Trainings whose reconstructions are constant.
    pub collapsed: usize,
}

/// Counts at the calibrated threshold.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Decisions {
    /// Defects with a flagged pixel.
    pub regions_found: Counted,
    /// Defective images with a defect that is found.
    pub images_hit: Counted,
    /// Good test images with a flagged region.
    pub good_flagged: Counted,
}

/// How many of a number, on the average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Counted {
    pub mean: f64,
    pub of: usize,
}

/// Mean and standard deviation of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    /// Absent for a single value.
    pub deviation: Option<f64>,
}

impl Measured {
    /// `None` if no cell is finished. `is_decided`: whether cells are inspected as they were calibrated.
    pub fn new(finished: &[Finished], is_decided: bool) -> Option<Self> {
        let first = finished.first()?;
        let metric = |of: fn(&PixelMetrics) -> f64| {
            let values = finished.iter().map(|f| f.metrics.metrics.of_pixels(of));
            Spread::of(values.collect::<Option<Vec<_>>>()?.into_iter())
        };
        let image_au_roc = finished.iter().filter_map(|f| f.metrics.metrics.image_au_roc);
        Some(Self {
            synthetic: first.metrics.synthetic,
            test_images: first.metrics.metrics.images,
            part: first.evaluated.source.split_once(": ").map(|(_, part)| part.to_owned()),
            patches: first.metrics.patches,
            pixel_au_roc: metric(|metrics| metrics.pixel_au_roc)?,
            pixel_au_roc_raw: metric(|metrics| metrics.pixel_au_roc_raw)?,
            pixel_average_precision: metric(|metrics| metrics.pixel_average_precision)?,
            au_pro: metric(|metrics| metrics.au_pro)?,
            image_au_roc: Spread::of(image_au_roc),
            decisions: is_decided.then(|| Decisions::of(finished, &first.metrics.metrics)),
            loss: Spread::of(finished.iter().map(|f| f.training.loss))?,
            training_seconds: Spread::of(finished.iter().map(|f| f.training.seconds))?,
            collapsed: finished.iter().filter(|f| f.training.collapsed).count(),
        })
    }
}

impl Decisions {
    /// `first` has the numbers of defects and images of all cells.
    fn of(finished: &[Finished], first: &Metrics) -> Self {
        let count = |of: fn(&AtThreshold) -> usize, all| {
            let counts = finished.iter().map(|f| of(&f.metrics.metrics.at_threshold) as f64);
            Counted { mean: counts.sum::<f64>() / finished.len() as f64, of: all }
        };
        Self {
            regions_found: count(|at| at.regions_found, first.at_threshold.regions),
            images_hit: count(|at| at.defective_images_hit, first.defective_images),
            good_flagged: count(|at| at.good_images_flagged, first.good_images()),
        }
    }

    /// In the order of the columns.
    pub fn all(&self) -> [Counted; 3] {
        [self.regions_found, self.images_hit, self.good_flagged]
    }
}

impl Spread {
    /// `None` for no values.
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        (!values.is_empty()).then_some(Self { mean, deviation })
    }

    pub fn text(self) -> String {
        match self.deviation {
            None => format!("{:.3}", self.mean),
            Some(deviation) => format!("{:.3} ± {deviation:.3}", self.mean),
        }
    }
}

impl Counted {
    pub fn text(self) -> String {
        match self.of {
            0 => "–".to_owned(),
            // A mean over seeds need not be whole.
            of if self.mean.fract() == 0.0 => format!("{} of {of}", self.mean),
            of => format!("{:.1} of {of}", self.mean),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let of = |values: &[f64]| Spread::of(values.iter().copied()).map(Spread::text);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[0.5]).as_deref(), Some("0.500"));
        assert_eq!(of(&[1.0, 2.0, 3.0]).as_deref(), Some("2.000 ± 1.000"));
    }
}
