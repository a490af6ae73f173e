//! `cargo xtask datasets list`

use super::manifest;
use super::store::Places;
use anyhow::Result;

/// # Errors
/// If a manifest or a record cannot be read.
pub fn list(places: &Places) -> Result<()> {
    for key in manifest::keys(&places.manifests)? {
        let manifest = manifest::read(&places.manifests, &key)?;
        let stored = places.stored(&key)?;
        for (set, folder) in manifest.sets().iter().zip(manifest.folders()) {
            let is_there = stored.as_ref().is_some_and(|stored| stored.root.join(folder).is_dir());
            let state = match (is_there, &manifest.synthetic) {
                (true, _) => "there",
                (false, Some(_)) => "made when needed",
                (false, None) => "-",
            };
            println!("{set:<26} {state:<17} {}", manifest.name);
        }
    }
    Ok(())
}
