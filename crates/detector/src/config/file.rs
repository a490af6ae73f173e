//! The configuration file of a model.

use super::data_table::DataConfig;
use super::method_tables::{FeaturesConfig, SsimConfig, VaeConfig};
use super::preset::Preset;
use super::tables::{CalibrationConfig, InspectionConfig, ModelConfig, ResidualConfig};
use crate::error::{Context, bail};
use crate::files::{read_text, shown};
use crate::{Error, Method, Result};
use models::{AdamConfig, Schedule};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The longest configuration that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The whole configuration of a model: a file in TOML, every table and key of which may be left out.
///
/// The defaults of network and training are the paper's (section 4.2), but for the corruption of what an SSIM autoencoder sees. That,
/// inspection, residual and calibration have defaults that decide better; the [`Preset::Paper`] has the paper's there, too.
/// [`from_toml`](Self::from_toml) gives keys that are left out the defaults of the preset; `serde` alone gives them those of their tables.
///
/// ```
/// use detector::{Config, Method};
///
/// let config = Config::from_toml("method = \"l2\"\n[data]\nsize = [256, 256]\n")?;
/// assert_eq!((config.method, config.inspection.opening_diameter), (Method::L2, 0));
/// let config = Config::from_toml("preset = \"paper\"\n[inspection]\nstride = 16\n")?;
/// assert_eq!((config.inspection.stride, config.inspection.opening_diameter), (Some(16), 4));
/// # Ok::<(), detector::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The defaults of `residual`, `inspection` and `calibration`, and of `training.corruption`.
    pub preset: Preset,
    /// The loss and the residual.
    pub method: Method,
    /// The images.
    pub data: DataConfig,
    /// The size of the network.
    pub model: ModelConfig,
    /// The structural similarity.
    pub ssim: SsimConfig,
    /// The variational autoencoder.
    pub vae: VaeConfig,
    /// Feature matching.
    pub features: FeaturesConfig,
    /// The length of the training, its batches and its seed.
    pub training: Schedule,
    /// Adam.
    pub optimiser: AdamConfig,
    /// How an image and its reconstruction are compared.
    pub residual: ResidualConfig,
    /// How images are inspected.
    pub inspection: InspectionConfig,
    /// How the decision follows from good images.
    pub calibration: CalibrationConfig,
}

impl Default for Config {
    fn default() -> Self {
        let (preset, method) = (Preset::default(), Method::default());
        let (residual, inspection, calibration) = preset.tables();
        Self {
            preset,
            method,
            data: DataConfig::default(),
            model: ModelConfig::default(),
            ssim: SsimConfig::default(),
            vae: VaeConfig::default(),
            features: FeaturesConfig::default(),
            training: Schedule { corruption: preset.corruption(method), ..Schedule::default() },
            optimiser: AdamConfig::default(),
            residual,
            inspection,
            calibration,
        }
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
        let text = read_text(path, MAX_BYTES).context("cannot read the configuration")?;
        Self::parse(&text).map_err(|ParseError { line, message }| {
            Error::Value(format!("configuration {}, line {line}: {message}", shown(path)))
        })
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// If it has an unknown key or a value of the wrong kind; the error names the line.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::parse(text).map_err(|ParseError { line, message }| {
            Error::Value(format!("configuration, line {line}: {message}"))
        })
    }

    fn parse(text: &str) -> Result<Self, ParseError> {
        let error = |error: toml::de::Error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            ParseError { line, message: one_line(error.message()) }
        };
        let config: Self = toml::from_str(text).map_err(error)?;
        // Keys that are left out have the defaults of their tables so far, not those of the preset.
        let written = text.parse::<toml::Table>().map_err(error)?;
        let defaults = Self { method: config.method, ..Self::default() };
        let mut table = toml::Table::try_from(defaults.with_preset(config.preset))
            .map_err(|error| ParseError { line: 1, message: error.to_string() })?;
        overlay(&mut table, written);
        table.try_into().map_err(error)
    }

    /// The same with the settings of a preset, that of the training among them: for a trained model, there is
    /// [`with_settings_of`](Self::with_settings_of).
    #[must_use]
    pub fn with_preset(self, preset: Preset) -> Self {
        let (residual, inspection, calibration) = preset.tables();
        let training = Schedule { corruption: preset.corruption(self.method), ..self.training };
        Self { preset, training, residual, inspection, calibration, ..self }
    }

    /// The same with another method. Where the corruption is the preset's for the method, it becomes that for the other.
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        let mut training = self.training;
        if training.corruption == self.preset.corruption(self.method) {
            training.corruption = self.preset.corruption(method);
        }
        Self { method, training, ..self }
    }

    /// Applies `settings` of the form `table.key=value`.
    ///
    /// # Errors
    /// See [`Config::load`].
    pub fn with_settings(self, settings: &[String]) -> Result<Self> {
        if settings.is_empty() {
            return Ok(self);
        }
        let mut pairs = Vec::with_capacity(settings.len());
        for setting in settings {
            let Some((key, value)) = setting.split_once('=') else {
                bail!("--set {setting}: expected `key=value`, for example `training.seed=1`");
            };
            pairs.push((setting, key.trim(), parse_value(value.trim())));
        }
        // Method and preset come before the settings that differ from them, wherever they are named.
        let mut config = self;
        let last = |name: &str| pairs.iter().rev().find(|(_, key, _)| *key == name);
        if let Some((setting, _, method)) = last("method") {
            config = config.with_method(value_of(setting, method)?);
        }
        if let Some((setting, _, preset)) = last("preset") {
            config = config.with_preset(value_of(setting, preset)?);
        }
        let mut table = toml::Table::try_from(config)?;
        for (setting, key, value) in pairs {
            set(&mut table, key, value).with_context(|| format!("--set {setting}"))?;
        }
        table.try_into().map_err(|error: toml::de::Error| {
            let message = one_line(error.message());
            Error::Value(format!("--set {}: {message}", settings.join(" --set ")))
        })
    }

    /// As a TOML file.
    ///
    /// # Errors
    /// If a path is not Unicode.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string_pretty(self)?)
    }
}

/// An error in the text of a configuration, and its line.
struct ParseError {
    line: usize,
    message: String,
}

/// A value as TOML has it, or else as a string, so that `--set method=l2` needs no quotes.
fn parse_value(text: &str) -> toml::Value {
    let quoted = || toml::Value::String(text.to_owned());
    let document = format!("value = {text}").parse::<toml::Table>();
    document.ok().and_then(|mut table| table.remove("value")).unwrap_or_else(quoted)
}

/// The value of a setting as what it stands for.
fn value_of<T: DeserializeOwned>(setting: &str, value: &toml::Value) -> Result<T> {
    value.clone().try_into().map_err(|error: toml::de::Error| {
        Error::Value(format!("--set {setting}: {}", one_line(error.message())))
    })
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

/// Puts the values of a table in the place of those of another.
fn overlay(table: &mut toml::Table, values: toml::Table) {
    for (key, value) in values {
        match (table.get_mut(&key), value) {
            // A rule is a whole.
            (Some(toml::Value::Table(inner)), toml::Value::Table(values))
                if !values.contains_key("rule") =>
            {
                overlay(inner, values);
            }
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// toml spreads some messages over lines.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
