//! A model and what it came to.

use super::{Curves, Evaluation, Metrics, evaluate};
use crate::config::{Config, Method, Settings};
use crate::data::Dataset;
use crate::model_folder::{Calibration, ModelFolder, TrainingRecord};
use crate::pipeline::Inspector;
use crate::report::Reporter;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::time::Instant;

/// Where a model comes from, and how it inspects.
pub struct Origin {
    /// Its folder.
    pub model: PathBuf,
    pub config: Config,
    pub training: TrainingRecord,
    pub calibration: Calibration,
}

/// What a model came to on a test set.
pub struct Measured {
    pub origin: Origin,
    pub evaluation: Evaluation,
    pub metrics: Metrics,
    pub curves: Curves,
    /// Duration of the inspection of all images.
    pub seconds: f64,
}

impl Origin {
    /// Of a model that inspects with the settings of `config`.
    ///
    /// # Errors
    /// If it is not calibrated, or a file cannot be understood.
    pub fn of(folder: &ModelFolder, config: Config) -> Result<Self> {
        let (training, calibration) = (folder.record()?, folder.calibration()?);
        Ok(Self { model: folder.path().to_owned(), config, training, calibration })
    }

    /// Whether the thresholds are of scores of the same settings.
    pub fn is_calibrated_alike(&self) -> bool {
        let present = Settings::of_scoring(&self.config);
        present.is_ok_and(|present| self.calibration.scoring.expect(&present).is_ok())
    }
}

impl Measured {
    /// Inspects all test images, and `held_out` good images if none of them is good.
    ///
    /// # Errors
    /// If an image cannot be read or inspected, or all pixels are of one class.
    pub fn on(
        dataset: &Dataset,
        held_out: &[PathBuf],
        inspector: &Inspector,
        origin: Origin,
        reporter: Reporter,
    ) -> Result<Self> {
        let start = Instant::now();
        let evaluation = evaluate(reporter, inspector, dataset, &origin.calibration, held_out)?;
        let seconds = start.elapsed().as_secs_f64();
        let measures = evaluation.measure();
        let (metrics, curves) = measures.with_context(|| dataset.root.display().to_string())?;
        Ok(Self { origin, evaluation, metrics, curves, seconds })
    }

    pub fn method(&self) -> Method {
        self.origin.config.method
    }
}
