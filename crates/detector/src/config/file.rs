//! The configuration file of a model.

use super::method_tables::{FeaturesConfig, SsimConfig, VaeConfig};
use super::tables::{CalibrationConfig, DataConfig, InspectionConfig, ModelConfig};
use crate::error::{Context, bail};
use crate::{Error, Method, Result};
use models::{AdamConfig, Schedule};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The whole configuration of a model: a file in TOML, every table and key of which may be left out.
///
/// The defaults are the paper's (section 4.2).
///
/// ```
/// use detector::{Config, Method};
///
/// let config = Config::from_toml("method = \"l2\"\n[data]\nsize = [256, 256]\n")?;
/// assert_eq!((config.method, config.inspection.stride), (Method::L2, 30));
/// # Ok::<(), detector::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
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
    /// How images are inspected.
    pub inspection: InspectionConfig,
    /// How the threshold follows from good images.
    pub calibration: CalibrationConfig,
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
        let text = std::fs::read_to_string(path).map_err(Error::io("read configuration", path))?;
        Self::parse(&text).map_err(|ParseError { line, message }| {
            Error::Value(format!("configuration {}, line {line}: {message}", path.display()))
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
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            ParseError { line, message: one_line(error.message()) }
        })
    }

    /// Applies `settings` of the form `table.key=value`.
    ///
    /// # Errors
    /// See [`Config::load`].
    pub fn with_settings(self, settings: &[String]) -> Result<Self> {
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
