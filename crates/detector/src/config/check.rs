//! The configuration as the crates `models` and `inspect` take it, and its checks.

use super::file::Config;
use super::tables::{InspectionConfig, ModelConfig};
use crate::error::{Context, bail};
use crate::{Method, Result};
use candle_core::Device;
use inspect::{Blend, Disk, Inspection, Padding, Residual, Smoothing, Tiling};
use models::{Architecture, Latent, Objective, TrainingConfig};
use ssim::Border;

impl Config {
    /// Applies settings to some of the tables only: the others made the model what it is.
    ///
    /// # Errors
    /// If a setting is of another table, or see [`Config::load`].
    pub fn with_settings_of(self, tables: &[&str], settings: &[String]) -> Result<Self> {
        for setting in settings {
            if !tables.iter().any(|table| setting.starts_with(&format!("{table}."))) {
                let tables = tables.join("` and `");
                bail!("--set {setting}: only keys of `{tables}` can be set here");
            }
        }
        let config = self.with_settings(settings)?;
        config.validate()?;
        Ok(config)
    }

    /// The network.
    pub fn architecture(&self) -> Architecture {
        let ModelConfig { patch_size, latent_dim } = self.model;
        Architecture { patch_size, latent_dim, latent: latent(self.method) }
    }

    /// The training as the crate `models` takes it, with the weights of the feature extractor if features are matched.
    ///
    /// # Errors
    /// If a setting is out of range, or the weights cannot be read.
    pub fn training(&self, device: &Device) -> Result<TrainingConfig> {
        let objective = match self.method {
            Method::L2 => Objective::L2,
            Method::Ssim => Objective::Ssim(self.ssim.params(Border::Valid)),
            Method::Vae => Objective::Elbo(self.vae.elbo()),
            Method::FeatureMatching => Objective::FeatureMatching(self.features.matching(device)?),
        };
        self.validate_training()?;
        self.training
            .precision
            .check(device)
            .map_err(models::Error::from)
            .context("training.precision")?;
        let (architecture, adam) = (self.architecture(), self.optimiser);
        Ok(TrainingConfig { architecture, objective, adam, schedule: self.training })
    }

    /// All but the files that training needs.
    fn validate_training(&self) -> Result<()> {
        let params = self.ssim.params(Border::Valid);
        if self.method == Method::Ssim {
            Objective::Ssim(params).validate(self.model.patch_size)?;
        }
        self.vae.elbo().validate().context("vae")?;
        self.features.validate()?;
        self.architecture().validate()?;
        self.training.validate()?;
        Ok(self.optimiser.validate()?)
    }

    /// The inspection as the crate `inspect` takes it.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn inspection(&self) -> Result<Inspection> {
        let InspectionConfig { stride, batch_size: batch, averaging, opening_diameter } =
            self.inspection;
        let residual = match self.method {
            Method::L2 | Method::FeatureMatching => Residual::L2,
            Method::Ssim => Residual::Ssim(self.ssim.params(Border::Reflect)),
            Method::Vae => Residual::Sampled(self.vae.residual()),
        };
        if let Residual::Sampled(sampled) = residual {
            sampled.validate().context("vae")?;
        }
        let patch = self.model.patch_size;
        if !(1..=patch).contains(&stride) {
            bail!("inspection.stride must be between 1 and the patch size {patch}, got {stride}");
        }
        if batch == 0 {
            bail!("inspection.batch_size must be at least 1");
        }
        let opening = Disk::with_diameter(opening_diameter);
        let tiling = Tiling { stride, batch, padding: Padding::None, blend: Blend::Flat };
        Ok(Inspection { tiling, averaging, residual, smoothing: Smoothing::None, opening })
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn validate(&self) -> Result<()> {
        self.validate_training()?;
        self.inspection()?;
        if !(0.0..1.0).contains(&self.data.held_out) {
            bail!("data.held_out must be in [0, 1), got {}", self.data.held_out);
        }
        if i64::try_from(self.training.seed).is_err() {
            let (seed, max) = (self.training.seed, i64::MAX);
            bail!(
                "training.seed must be at most {max}, as TOML has no larger integers, got {seed}"
            );
        }
        if self.data.size.is_some_and(|size| size.contains(&0)) {
            bail!("data.size must be at least 1x1 pixels");
        }
        Ok(())
    }
}

/// The latent layer of a method's network.
fn latent(method: Method) -> Latent {
    match method {
        Method::L2 | Method::Ssim | Method::FeatureMatching => Latent::Vector,
        Method::Vae => Latent::Normal,
    }
}
