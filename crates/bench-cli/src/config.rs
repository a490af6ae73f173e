//! The configuration of a model: everything that decides what it becomes and how it inspects.

mod method;
mod rule;
mod settings;
#[cfg(test)]
mod tests;

pub use method::{FeaturesConfig, Method, SsimConfig, VaeConfig};
pub use rule::{RuleName, RuleThreshold};
pub use settings::Settings;

use crate::data::{Dataset, Layout, Margins};
use anyhow::{Context, Result, bail};
use candle_core::Device;
use inspect::{
    Averaging, Blend, Disk, Inspection, Padding, Residual, Smoothing, ThresholdRule, Tiling,
};
use models::{AdamConfig, Architecture, Objective, Schedule, TrainingConfig};
use serde::{Deserialize, Serialize};
use ssim::{Border, Constants, Exponents, Params, Window};
use std::path::{Path, PathBuf};

/// A configuration file; every table and key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub method: Method,
    pub data: DataConfig,
    pub model: ModelConfig,
    pub ssim: SsimConfig,
    pub vae: VaeConfig,
    pub features: FeaturesConfig,
    pub training: Schedule,
    pub optimiser: AdamConfig,
    pub inspection: InspectionConfig,
    pub calibration: CalibrationConfig,
}

/// The size of the network; the method decides about its latent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Side length of the square patches in pixels: 128, 64 or 32.
    pub patch_size: usize,
    /// Dimension of the latent space; the paper's are 100 for textures and 500 for nanofibres (section 4.2).
    pub latent_dim: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        let Architecture { patch_size, latent_dim, .. } = Architecture::default();
        Self { patch_size, latent_dim }
    }
}

/// Which images, and which part of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The folder of the data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// Its layout; told from its folders if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Pixels left out at each side of every image, before scaling.
    pub margins: Margins,
    /// Width and height that images are scaled to; the paper scales the textures to 256×256 (section 4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// The fraction of good images that are kept from training for the calibration, rounded down.
    pub held_out: f64,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { root: None, layout: None, margins: Margins::default(), size: None, held_out: 0.1 }
    }
}

impl DataConfig {
    /// Finds the images.
    ///
    /// # Errors
    /// If no folder is named, or see [`Dataset::open`].
    pub fn open(&self) -> Result<Dataset> {
        match &self.root {
            Some(root) => Dataset::open(root, self.layout),
            None => bail!("which images? --data DIR names the folder of the data set"),
        }
    }
}

/// How images are inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectionConfig {
    /// Distance between neighbouring patches in pixels; the paper's is 30 (section 4.2).
    pub stride: usize,
    /// Patches reconstructed at once.
    pub batch_size: usize,
    pub averaging: Averaging,
    /// Diameter of the disk of the opening in pixels; the paper's is 4 (section 4.2), 0 leaves the map as it is.
    pub opening_diameter: usize,
}

impl Default for InspectionConfig {
    fn default() -> Self {
        let averaging = Averaging::Reconstruction;
        Self { stride: 30, batch_size: 96, averaging, opening_diameter: 4 }
    }
}

/// How the threshold follows from good images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    pub threshold: ThresholdRule,
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self { threshold: ThresholdRule::Max {} }
    }
}

impl Config {
    /// Reads a configuration file and applies `settings` of the form `table.key=value` to it.
    ///
    /// # Errors
    /// If the file cannot be read, or it or a setting has an unknown key or a value of the wrong kind; the error names
    /// the file, or the setting.
    pub fn load(file: Option<&Path>, settings: &[String]) -> Result<Self> {
        let config = match file {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        config.with_settings(settings)
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// See [`Config::load`].
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read configuration {name}"))?;
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            anyhow::anyhow!("configuration {name}, line {line}: {}", one_line(error.message()))
        })
    }

    fn with_settings(self, settings: &[String]) -> Result<Self> {
        if settings.is_empty() {
            return Ok(self);
        }
        let mut table = toml::Table::try_from(self)?;
        for setting in settings {
            let Some((key, value)) = setting.split_once('=') else {
                bail!("--set {setting}: expected `key=value`, for example `training.seed=1`");
            };
            set(&mut table, key.trim(), parse_value(value.trim()))
                .with_context(|| format!("--set {setting}"))?;
        }
        table.try_into().map_err(|error: toml::de::Error| {
            anyhow::anyhow!("--set {}: {}", settings.join(" --set "), one_line(error.message()))
        })
    }

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

    /// As a TOML file.
    ///
    /// # Errors
    /// If a path is not Unicode.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string_pretty(self)?)
    }

    /// The structural similarity of the settings, whatever the method.
    ///
    /// # Errors
    /// If a setting cannot be read.
    pub fn ssim_params(&self, border: Border) -> Result<Params> {
        let SsimConfig { window, constants, exponents: [alpha, beta, gamma] } = &self.ssim;
        let window: Window = window.parse().context("ssim.window")?;
        let constants: Constants = constants.parse().context("ssim.constants")?;
        let mut params = Params::new(window, border, constants);
        params.exponents = Exponents { alpha: *alpha, beta: *beta, gamma: *gamma };
        Ok(params)
    }

    /// The network.
    pub fn architecture(&self) -> Architecture {
        let ModelConfig { patch_size, latent_dim } = self.model;
        Architecture { patch_size, latent_dim, latent: self.method.latent() }
    }

    /// What the crate `models` needs to know, with the weights of the feature extractor if it is to be matched.
    ///
    /// # Errors
    /// If a setting is out of range, or the weights cannot be read.
    pub fn training(&self, device: &Device) -> Result<TrainingConfig> {
        let objective = match self.method {
            Method::L2 => Objective::L2,
            Method::Ssim => Objective::Ssim(self.ssim_params(Border::Valid)?),
            Method::Vae => Objective::Elbo(self.vae.elbo()),
            Method::FeatureMatching => Objective::FeatureMatching(self.features.matching(device)?),
        };
        self.validate_training()?;
        self.training.precision.check(device).context("training.precision")?;
        let (architecture, adam) = (self.architecture(), self.optimiser);
        Ok(TrainingConfig { architecture, objective, adam, schedule: self.training })
    }

    /// All but the files that training needs.
    fn validate_training(&self) -> Result<()> {
        let params = self.ssim_params(Border::Valid)?;
        if self.method == Method::Ssim {
            Objective::Ssim(params).validate(self.model.patch_size)?;
        }
        self.vae.elbo().validate().context("vae")?;
        self.features.validate()?;
        self.architecture().validate()?;
        self.training.validate()?;
        Ok(self.optimiser.validate()?)
    }

    /// What the crate `inspect` needs to know.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn inspection(&self) -> Result<Inspection> {
        let InspectionConfig { stride, batch_size: batch, averaging, opening_diameter } =
            self.inspection;
        let residual = match self.method {
            Method::L2 | Method::FeatureMatching => Residual::L2,
            Method::Ssim => Residual::Ssim(self.ssim_params(Border::Reflect)?),
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

/// A value as TOML has it, or else as a string, so that `--set method=l2` needs no quotes.
fn parse_value(text: &str) -> toml::Value {
    let quoted = || toml::Value::String(text.to_owned());
    let document = format!("value = {text}").parse::<toml::Table>();
    document.ok().and_then(|mut table| table.remove("value")).unwrap_or_else(quoted)
}

/// Sets `a.b.c` in nested tables.
fn set(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<()> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((head, rest)) => {
            let entry = table.entry(head).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            match entry {
                toml::Value::Table(table) => set(table, rest, value),
                _ => bail!("`{head}` is not a table"),
            }
        }
    }
}

/// toml spreads some messages over lines.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
