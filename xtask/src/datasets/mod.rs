//! `cargo xtask datasets`: brings the images of known data sets, which are described by `datasets/*.toml`.

mod add;
mod check;
mod fetch;
mod hashes;
mod layout;
mod list;
mod manifest;
mod store;
#[cfg(test)]
mod tests;
mod unpack;
mod verify;

use crate::download::Patience;
use anyhow::{Result, bail, ensure};
use clap::Subcommand;
use detector::files::sha256_of_file;
use manifest::Manifest;
use std::path::{Path, PathBuf};
use store::{Places, Stored};

/// List, fetch, verify and add data sets.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Folder for the images; by default the repository's `datasets/images`.
    #[arg(long, global = true, value_name = "DIR")]
    store: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Say which data sets are known, and which are there.
    List,
    Fetch(fetch::Args),
    Verify(verify::Args),
    Add(add::Args),
}

/// # Errors
/// If the command fails.
pub fn datasets(args: &Args) -> Result<()> {
    let places = Places::usual(args.store.as_deref());
    match &args.command {
        Command::List => list::list(args.store.as_deref(), &places),
        Command::Fetch(args) => fetch::fetch(args, &places, &Patience::of_minutes(args.patience)),
        Command::Verify(args) => verify::verify(args, &places),
        Command::Add(args) => add::add(args, &places.manifests),
    }
}

/// A data set, or one category of it, whose images are there.
#[derive(Debug)]
pub struct Set {
    /// `nanotwice`, or `woven-textures/texture_1`.
    pub key: String,
    pub name: String,
    pub synthetic: bool,
    pub licence: String,
    pub citation: String,
    /// The folder of the images, for `bench-cli train --data`.
    pub root: PathBuf,
    /// Where the images are from, and how many of them are there if that is not all.
    pub source: String,
}

/// The keys of all data sets, categories expanded.
///
/// # Errors
/// If a manifest cannot be read.
pub fn keys() -> Result<Vec<String>> {
    let folder = Places::usual(None).manifests;
    let mut sets = Vec::new();
    for key in manifest::keys(&folder)? {
        sets.extend(manifest::read(&folder, &key)?.sets());
    }
    Ok(sets)
}

/// A data set whose images are there; synthetic ones are made.
///
/// # Errors
/// If the images are not there: the error names the command that fetches them.
pub fn open(key: &str, store: Option<&Path>) -> Result<Set> {
    open_in(key, &Places::usual(store))
}

/// Whether the images of a data set are there, or are synthetic and will be made when they are needed.
///
/// # Errors
/// If there is no such data set.
pub fn is_available(key: &str, store: Option<&Path>) -> Result<bool> {
    let (manifest, _) = one(&Places::usual(store), key)?;
    Ok(manifest.synthetic.is_some() || is_there(key, store)?)
}

/// Whether the images of a data set are there.
///
/// # Errors
/// If there is no such data set.
pub fn is_there(key: &str, store: Option<&Path>) -> Result<bool> {
    let places = Places::usual(store);
    let (manifest, category) = one(&places, key)?;
    let stored = places.stored(&manifest.key)?;
    Ok(stored.is_some_and(|stored| stored.root.join(category).is_dir()))
}

/// Identifies the images of a data set: by the hashes of their files, or by the settings of synthetic ones.
///
/// # Errors
/// If there is no such data set, or its list of hashes cannot be read.
pub fn identity(key: &str, store: Option<&Path>) -> Result<String> {
    let places = Places::usual(store);
    let (manifest, _) = one(&places, key)?;
    if let Some(synthetic) = &manifest.synthetic {
        return Ok(toml::to_string(synthetic)?);
    }
    match places.stored(&manifest.key)? {
        Some(stored) => Ok(sha256_of_file(&stored.hashes)?),
        None => Ok("absent".to_owned()),
    }
}

/// The configuration of a data set for `bench-cli`.
///
/// # Errors
/// If there is no such data set.
pub fn config(key: &str) -> Result<toml::Table> {
    Ok(one(&Places::usual(None), key)?.0.config)
}

fn open_in(key: &str, places: &Places) -> Result<Set> {
    let (manifest, category) = one(places, key)?;
    if manifest.synthetic.is_some() && places.stored(&manifest.key)?.is_none() {
        fetch::synthesize(&manifest, places)?;
    }
    let stored = places.stored(&manifest.key)?;
    let Some(stored) = stored.filter(|stored| stored.root.join(category).is_dir()) else {
        bail!(absent(&manifest, places));
    };
    let Stored { record, root, place, .. } = &stored;
    ensure!(
        record.synthetic == manifest.synthetic,
        "{}: expected images made as the manifest says, got others; remove that folder",
        place.display()
    );
    let (count, is_part) = check::check_one(&manifest, category, root)?;
    let part = if is_part { format!(": {count}") } else { String::new() };
    let Manifest { name, licence, citation, .. } = manifest;
    Ok(Set {
        key: key.to_owned(),
        name: if category.is_empty() { name } else { format!("{name}: {category}") },
        synthetic: record.synthetic.is_some(),
        licence,
        citation,
        root: check::below(root, category),
        source: record.source() + &part,
    })
}

/// The manifest of a data set, and the folder of its category; empty for a set without categories.
fn one<'a>(places: &Places, key: &'a str) -> Result<(Manifest, &'a str)> {
    let (manifest, category) = places.find(key)?;
    ensure!(
        category.is_some() || manifest.categories.is_empty(),
        "expected one of {}, got `{key}`",
        manifest.sets().join(", ")
    );
    Ok((manifest, category.unwrap_or_default()))
}

/// The error for a set that is not in the store.
fn absent(manifest: &Manifest, places: &Places) -> String {
    let Manifest { key, archives, .. } = manifest;
    let (what, otherwise) = if archives.is_empty() {
        (" --root DIR", "")
    } else {
        ("", ", with --root DIR or --archive FILE from what you have")
    };
    let store = places.store.display();
    format!(
        "{store}: expected the images of {key}, got none; `cargo xtask datasets fetch {key}{what}` brings them{otherwise}"
    )
}
