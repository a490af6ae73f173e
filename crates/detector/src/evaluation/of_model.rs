//! The evaluation of a model on a test set.

use super::inspected::{InspectedSet, inspect_set};
use super::measure::Curves;
use crate::config::Config;
use crate::data::Dataset;
use crate::error::Context;
use crate::files::shown;
use crate::inspector::Inspector;
use crate::model_folder::ModelFolder;
use crate::progress::Progress;
use crate::records::{Calibration, Metrics, Settings, TrainingRecord};
use crate::{Method, Result};
use std::path::PathBuf;
use std::time::Instant;

/// The records of a model, and the settings that it inspects with.
pub struct Origin {
    /// Its folder.
    pub model: PathBuf,
    /// The settings that it inspects with.
    pub config: Config,
    /// How it was trained.
    pub training: TrainingRecord,
    /// Its threshold.
    pub calibration: Calibration,
}

/// The evaluation of a model on a test set.
pub struct Evaluation {
    /// The model.
    pub origin: Origin,
    /// The test images and their maps.
    pub test_set: InspectedSet,
    /// The numbers.
    pub metrics: Metrics,
    /// The curves, if a defective image has a mask.
    pub curves: Option<Curves>,
    /// Duration of the inspection of all images.
    pub seconds: f64,
}

impl Origin {
    /// Reads the records of a model that inspects with the settings of `config`.
    ///
    /// # Errors
    /// If it is not calibrated, or a file cannot be understood.
    pub fn of(folder: &ModelFolder, config: Config) -> Result<Self> {
        let (training, calibration) = (folder.record()?, folder.calibration()?);
        Ok(Self { model: folder.path().to_owned(), config, training, calibration })
    }

    /// Whether the threshold was calibrated with the same settings.
    pub fn is_calibrated_alike(&self) -> bool {
        let present = Settings::of_scoring(&self.config);
        present.is_ok_and(|present| self.calibration.scoring.expect(&present).is_ok())
    }
}

/// Inspects all test images of a data set, and `held_out` good images if none of them is good, and compares the maps with the
/// ground truth.
///
/// # Errors
/// If an image cannot be read or inspected, the masks leave all pixels of one class, or the caller cancels.
pub fn evaluate(
    dataset: &Dataset,
    held_out: &[PathBuf],
    inspector: &Inspector,
    origin: Origin,
    progress: &mut Progress<'_>,
) -> Result<Evaluation> {
    let start = Instant::now();
    let test_set = inspect_set(dataset, held_out, inspector, &origin.calibration, progress)?;
    let seconds = start.elapsed().as_secs_f64();
    let measured = test_set.measure();
    let (metrics, curves) = measured.with_context(|| shown(&dataset.root))?;
    Ok(Evaluation { origin, test_set, metrics, curves, seconds })
}

impl Evaluation {
    /// The model's method.
    pub fn method(&self) -> Method {
        self.origin.config.method
    }
}
