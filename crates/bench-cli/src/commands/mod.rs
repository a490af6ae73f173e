//! The subcommands: arguments to a plan, the plan's execution, its report.

mod bench;
mod calibrate;
mod demo;
mod evaluate;
mod export;
mod figure;
mod info;
mod predict;
mod shell;
mod ssim;
mod synthesize;
mod toy;
mod train;

pub use bench::bench;
pub use calibrate::calibrate;
pub use demo::demo;
pub use evaluate::evaluate;
pub use export::export;
pub use figure::figure;
pub use info::info;
pub use predict::{Outcome, predict};
pub use shell::{completions, man};
pub use ssim::ssim;
pub use synthesize::synthesize;
pub use toy::toy;
pub use train::train;

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
