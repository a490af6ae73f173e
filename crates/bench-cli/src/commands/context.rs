//! The options of every subcommand.

use crate::terminal::Terminal;
use anyhow::{Result, ensure};
use candle_core::Device;
use detector::files::{prepare_folder, shown};
use detector::{Config, Inspector, ModelFolder, Scores};
use std::path::Path;

/// The options of every subcommand.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where the run prints.
    pub terminal: Terminal,
    /// The device of `--device`, or the processor if the subcommand runs no network.
    pub device: Device,
}

impl Context {
    /// The model of a folder with the settings of a configuration. It warns of batches that a GPU has no memory for.
    ///
    /// # Errors
    /// If the weights cannot be read, or do not fit the configuration.
    pub fn inspector(&self, folder: &ModelFolder, config: &Config) -> Result<Inspector> {
        let inspector = Inspector::new(folder.model(config, &self.device)?, config)?;
        Ok(inspector.on_smaller_batches(warn_of_smaller_batches))
    }

    /// As [`Context::inspector`], with the good images of the model's calibration to compare with if scores are relative to them.
    ///
    /// # Errors
    /// As [`Context::inspector`], or if scores are relative and there is no calibration with these settings.
    pub fn calibrated(&self, folder: &ModelFolder, config: &Config) -> Result<Inspector> {
        let inspector = self.inspector(folder, config)?;
        match config.inspection.scores {
            Scores::Residual => Ok(inspector),
            Scores::Relative => Ok(inspector.calibrated(&folder.calibration()?)?),
        }
    }
}

/// Makes the folder of results.
///
/// # Errors
/// If that is not possible, or it is the folder of a model, whose page would be replaced.
pub fn prepare_results(out: &Path) -> Result<()> {
    ensure!(
        !ModelFolder::new(out).is_occupied(),
        "{}: the folder of a model, whose page the results would replace; name another --out",
        shown(out)
    );
    Ok(prepare_folder(out)?)
}

/// Warns that a GPU is out of memory and that the inspection goes on with smaller batches.
pub fn warn_of_smaller_batches(patches: usize) {
    Terminal::default().warn(&format!(
        "the GPU is out of memory; going on with batches of {patches} patches (inspection.batch_size)"
    ));
}
