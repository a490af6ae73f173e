//! The parts of a configuration that weights and scores depend on.

use crate::Result;
use crate::error::bail;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Settings by the names that `--set` takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub(crate) BTreeMap<String, Value>);

impl Settings {
    /// Compares recorded settings with present ones.
    ///
    /// Settings that the record lacks are newer than it, and are not compared.
    ///
    /// # Errors
    /// If they differ; the error names the setting and both values.
    pub fn expect(&self, present: &Self) -> Result<()> {
        match self.0.iter().find(|(name, value)| present.0.get(*name) != Some(value)) {
            None => Ok(()),
            Some((name, expected)) => {
                let got = text(present.0.get(name));
                bail!("expected `{name}` to be {}, got {got}", text(Some(expected)))
            }
        }
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(value) => value.to_string(),
    }
}
