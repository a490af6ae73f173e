//! `cargo xtask datasets list`

use super::store::Places;
use super::{is_there, keys};
use crate::terminal::tell;
use anyhow::Result;
use std::path::Path;

/// # Errors
/// If a manifest or a record cannot be read.
pub fn list(store: Option<&Path>, places: &Places) -> Result<()> {
    for key in keys()? {
        let (manifest, _) = places.find(&key)?;
        let state = match (is_there(&key, store)?, manifest.synthetic) {
            (true, _) => "there",
            (false, Some(_)) => "made when needed",
            (false, None) => "-",
        };
        tell!("{key:<26} {state:<17} {}", manifest.name);
    }
    Ok(())
}
