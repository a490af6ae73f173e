//! The options of every subcommand.

use crate::terminal::Terminal;
use anyhow::Result;
use candle_core::Device;
use detector::{Config, Inspector, ModelFolder};

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
}

/// Warns that a GPU is out of memory and that the inspection goes on with smaller batches.
pub fn warn_of_smaller_batches(patches: usize) {
    Terminal::default().warn(&format!(
        "the GPU is out of memory; going on with batches of {patches} patches (inspection.batch_size)"
    ));
}
