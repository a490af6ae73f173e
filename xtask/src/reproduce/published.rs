//! Figures of others, with where they were read.

use super::cell::Config;
use crate::command::repository;
use crate::files;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use toml::Table;

/// A figure that somebody else has published.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    pub set: String,
    pub method: String,
    /// The settings that the figure holds for.
    pub settings: Table,
    /// Settings that must not be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    pub pixel_au_roc: f64,
    /// Images that it was measured on, if that is known.
    pub test_images: Option<u64>,
    pub source: String,
    pub certainty: Certainty,
}

/// How well a figure is known.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// In a public source.
    Read,
    /// Remembered, not looked up: not to be compared with.
    Remembered,
}

/// All figures, from `results/matrix/published.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publications {
    value: Vec<Published>,
}

impl Publications {
    /// # Errors
    /// If the file cannot be read.
    pub fn read() -> Result<Self> {
        files::read_toml(&repository().join("results/matrix/published.toml"))
    }

    /// The figure for a method with such settings on a data set.
    pub fn of(&self, set: &str, method: &str, config: &Config) -> Option<&Published> {
        let fits = |value: &&Published| {
            value.set == set
                && value.method == method
                && value.settings.iter().all(|(key, value)| config.get(key) == Some(value))
                && value.unset.iter().all(|key| config.get(key).is_none())
                && config.text("training.corruption") != "blocks"
        };
        self.value.iter().find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::tests::defaults;
    use super::*;

    #[test]
    fn a_figure_holds_for_its_settings_only() {
        let publications = Publications::read().expect("the file is part of the repository");
        let config = |text: &str| {
            let mut config = defaults();
            let settings = toml::from_str(text).expect("it is TOML");
            config.overlay(&settings).expect("keys are of their kinds");
            config
        };
        let of = |text| {
            publications.of("nanotwice", "ssim", &config(text)).map(|value| value.pixel_au_roc)
        };
        assert_eq!(of("[model]\nlatent_dim = 500"), Some(0.966));
        assert_eq!(of("[model]\nlatent_dim = 500\n[ssim]\nwindow = \"uniform:11\""), Some(0.966));
        assert_eq!(of("[model]\nlatent_dim = 500\n[ssim]\nwindow = \"uniform:13\""), None);
        assert_eq!(of("[model]\nlatent_dim = 500\n[inspection]\nstride = 64"), None);
        assert_eq!(of("[model]\nlatent_dim = 70"), None);
        assert_eq!(of("[model]\nlatent_dim = 500\n[training]\ncorruption = \"blocks\""), None);
        assert_eq!(of("[model]\nlatent_dim = 500\n[data]\nsize = [256, 256]"), None);
    }
}
