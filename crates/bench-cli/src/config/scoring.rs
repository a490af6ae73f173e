//! The part of a configuration that decides which score a pixel has.

use super::{Config, InspectionConfig, Method, ModelConfig, SsimConfig, VaeConfig};
use crate::data::Margins;
use anyhow::{Result, bail};
use inspect::Averaging;
use serde::{Deserialize, Serialize};

/// What scores depend on beside weights and image. A threshold holds for scores of the same settings only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scoring {
    method: Method,
    margins: Margins,
    size: Option<[usize; 2]>,
    model: ModelConfig,
    ssim: SsimConfig,
    vae: VaeConfig,
    stride: usize,
    averaging: Averaging,
    opening_diameter: usize,
    /// Of latent samples.
    seed: u64,
}

impl Scoring {
    pub fn of(config: &Config) -> Self {
        let InspectionConfig { stride, averaging, opening_diameter, batch_size: _ } =
            config.inspection;
        Self {
            method: config.method,
            margins: config.data.margins,
            size: config.data.size,
            model: config.model,
            ssim: config.ssim.clone(),
            vae: config.vae,
            stride,
            averaging,
            opening_diameter,
            seed: config.training.seed,
        }
    }

    /// Compares with the settings of a configuration.
    ///
    /// # Errors
    /// If they differ; the error names what does, and both values.
    pub fn expect(&self, config: &Config) -> Result<()> {
        let (ours, theirs) =
            (toml::Table::try_from(self)?, toml::Table::try_from(Self::of(config))?);
        let differing = ours.iter().find(|(key, value)| theirs.get(*key) != Some(value));
        let added = theirs.iter().find(|(key, _)| !ours.contains_key(*key));
        match differing.or(added) {
            None => Ok(()),
            Some((key, _)) => {
                let value = |table: &toml::Table| {
                    table.get(key).map_or("nothing".to_owned(), ToString::to_string)
                };
                bail!("expected `{key}` to be {}, got {}", value(&ours), value(&theirs))
            }
        }
    }
}
