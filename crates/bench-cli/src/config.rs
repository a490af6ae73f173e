//! The configuration of a model: everything that decides what it becomes and how it inspects.

use crate::data::{Dataset, Layout, Margins};
use anyhow::{Context, Result, bail};
use inspect::{Averaging, Disk, Inspection, Residual, ThresholdRule, Tiling};
use models::{AdamConfig, Architecture, Latent, Objective, Schedule, TrainingConfig};
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
    pub training: Schedule,
    pub optimiser: AdamConfig,
    pub inspection: InspectionConfig,
    pub calibration: CalibrationConfig,
}

/// A method of the paper's section 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The autoencoder trained on the squared difference.
    L2,
    /// The autoencoder trained on the structural similarity.
    #[default]
    Ssim,
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

/// The structural similarity, in the loss and in the residual map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SsimConfig {
    /// `uniform:SIZE` or `gaussian:SIZE:SIGMA`; the paper's is K = 11 (section 4.2).
    pub window: String,
    /// `paper` (0.01 and 0.03, as the paper's text has them), `squared` (0.01² and 0.03², as Wang et al. (2004) and nearly
    /// all software) or `C1,C2`, for images in [0, 1].
    pub constants: String,
    /// Of luminance, contrast and structure; the paper's are 1 (section 4.2).
    pub exponents: [f64; 3],
}

impl Default for SsimConfig {
    fn default() -> Self {
        Self { window: "uniform:11".into(), constants: "squared".into(), exponents: [1.0; 3] }
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
        Self { stride: 30, batch_size: 32, averaging, opening_diameter: 4 }
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

    fn ssim_params(&self, border: Border) -> Result<Params> {
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
        let latent = match self.method {
            Method::L2 | Method::Ssim => Latent::Vector,
        };
        Architecture { patch_size, latent_dim, latent }
    }

    /// What the crate `models` needs to know.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn training(&self) -> Result<TrainingConfig> {
        let objective = match self.method {
            Method::L2 => Objective::L2,
            Method::Ssim => Objective::Ssim(self.ssim_params(Border::Valid)?),
        };
        self.architecture().validate()?;
        self.training.validate()?;
        self.optimiser.validate()?;
        let (architecture, adam) = (self.architecture(), self.optimiser);
        let schedule = self.training;
        Ok(TrainingConfig { architecture, objective, adam, schedule })
    }

    /// What the crate `inspect` needs to know.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn inspection(&self) -> Result<Inspection> {
        let InspectionConfig { stride, batch_size: batch, averaging, opening_diameter } =
            self.inspection;
        let residual = match self.method {
            Method::L2 => Residual::L2,
            Method::Ssim => Residual::Ssim(self.ssim_params(Border::Reflect)?),
        };
        let patch = self.model.patch_size;
        if !(1..=patch).contains(&stride) {
            bail!("inspection.stride must be between 1 and the patch size {patch}, got {stride}");
        }
        if batch == 0 {
            bail!("inspection.batch_size must be at least 1");
        }
        let opening = Disk::with_diameter(opening_diameter);
        Ok(Inspection { tiling: Tiling { stride, batch }, averaging, residual, opening })
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn validate(&self) -> Result<()> {
        self.training()?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn defaults_are_the_papers() {
        let config = Config::default();
        config.validate().unwrap();
        assert_eq!(config.training.patches, 2_000_000);
        assert_eq!(config.inspection.stride, 30);
        assert_eq!(config.ssim.window, "uniform:11");
        assert_eq!(config.optimiser.learning_rate, 2e-4);
    }

    #[test]
    fn a_written_configuration_reads_back() {
        let mut config = Config::default();
        config.data.size = Some([256, 256]);
        config.ssim.constants = "0.1,0.2".into();
        config.calibration.threshold = ThresholdRule::LargestRegion { max_area: 20 };
        let text = config.to_toml().unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
    }

    #[test]
    fn settings_override_the_file() {
        let settings = [
            "method=l2",
            "training.seed = 7",
            "data.size=[256, 256]",
            "ssim.constants=paper",
            "calibration.threshold={ rule = \"quantile\", q = 0.99 }",
        ];
        let config = Config::load(None, &settings.map(String::from)).unwrap();
        assert_eq!(config.method, Method::L2);
        assert_eq!(config.training.seed, 7);
        assert_eq!(config.data.size, Some([256, 256]));
        assert_eq!(config.ssim.constants, "paper");
        assert_eq!(config.calibration.threshold, ThresholdRule::Quantile { q: 0.99 });
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error = Config::load(None, &["training.sead=1".into()]).unwrap_err();
        assert!(format!("{error:#}").contains("sead"), "{error:#}");
        let error = Config::load(None, &["seed".into()]).unwrap_err();
        assert!(format!("{error:#}").contains("key=value"), "{error:#}");
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        for (setting, name) in [
            ("inspection.stride=0", "stride"),
            ("inspection.stride=129", "stride"),
            ("training.batch_size=0", "batch_size"),
            ("model.patch_size=100", "patch_size"),
            ("ssim.window=uniform:10", "ssim.window"),
            ("data.held_out=1.5", "held_out"),
        ] {
            let config = Config::load(None, &[setting.into()]).unwrap();
            let error = format!("{:#}", config.validate().unwrap_err());
            assert!(error.contains(name), "{setting}: {error}");
        }
    }

    /// The reference that users read.
    fn readme_block() -> &'static str {
        let (_, block) = include_str!("../README.md").split_once("```toml\n").unwrap();
        block.split_once("```").unwrap().0
    }

    #[test]
    fn the_readme_shows_the_defaults() {
        assert_eq!(toml::from_str::<Config>(readme_block()).unwrap(), Config::default());
    }

    #[test]
    fn the_readme_shows_every_key() {
        let mut config = Config::default();
        // Those that are left out by default.
        config.data.root = Some("carpet".into());
        config.data.layout = Some(Layout::MvtecAd);
        config.data.size = Some([256, 256]);
        let text = config.to_toml().unwrap();
        let keys = |text: &str| {
            let lines = text.lines().map(|line| line.trim_start_matches("# "));
            let assignments = lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
            assignments.filter(|key| !key.contains(' ')).collect::<HashSet<_>>()
        };
        let missing: Vec<_> = keys(&text).difference(&keys(readme_block())).cloned().collect();
        // The keys of a rule stand in its line.
        assert!(missing.iter().all(|key| key == "rule"), "{missing:?}");
    }
}
