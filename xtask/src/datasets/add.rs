//! `cargo xtask datasets add`: drafts the manifest of a data set from its folder.

use super::layout::{Survey, names, subfolders, survey};
use super::manifest;
use crate::files;
use crate::terminal::{note, tell};
use anyhow::{Context, Result, bail, ensure};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Write a manifest for images that lie in a folder, with blanks where only you know what to say.
#[derive(clap::Args)]
pub struct Args {
    /// Key of the data set, the name of the manifest: small letters, digits and `-`.
    pub key: String,
    /// Folder of the images: a data set in one of `bench-cli`'s layouts, or a folder of such.
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// Address that others can download the images from.
    #[arg(long)]
    pub url: Option<String>,
    /// SHA-256 of that file.
    #[arg(long, value_name = "HEX", requires = "url")]
    pub sha256: Option<String>,
}

/// # Errors
/// If the folder holds no data set, or there is such a manifest already.
pub fn add(args: &Args, manifests: &Path) -> Result<()> {
    let Args { key, root, .. } = args;
    let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        manifest::is_plain(key) && key.chars().all(is_usual),
        "expected small letters, digits and `-` as key, got `{key}`"
    );
    let text = draft(args, &surveys(root)?)?;
    manifest::parse(key, &text)?;
    let path = manifests.join(format!("{key}.toml"));
    ensure!(!path.exists(), "{}: expected no such manifest yet", path.display());
    files::replace(&path, &text)?;
    tell!("{}", path.display());
    note!(
        "fill in what says FILL IN, then: cargo xtask datasets fetch {key} --root {}",
        root.display()
    );
    Ok(())
}

/// The data set in a folder, without a name, or those in the folders below.
fn surveys(root: &Path) -> Result<Vec<(String, Survey)>> {
    let error = match survey(root) {
        Ok(survey) => return Ok(vec![(String::new(), survey)]),
        Err(error) => error,
    };
    let mut surveys = Vec::new();
    for folder in subfolders(root)? {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if manifest::is_plain(name)
            && let Ok(survey) = survey(&folder)
        {
            surveys.push((name.to_owned(), survey));
        }
    }
    let Some((first, of_first)) = surveys.first() else { return Err(error) };
    if let Some((other, survey)) = surveys.iter().find(|(_, s)| s.layout != of_first.layout) {
        bail!(
            "{}: expected one layout, got {} in {first} and {} in {other}",
            root.display(),
            of_first.layout.key(),
            survey.layout.key()
        );
    }
    Ok(surveys)
}

/// The text of the manifest.
fn draft(args: &Args, surveys: &[(String, Survey)]) -> Result<String> {
    let Args { key, root, url, sha256 } = args;
    let (_, first) = surveys.first().with_context(|| names(root).unwrap_or_default())?;
    let has_categories = surveys.iter().any(|(name, _)| !name.is_empty());
    let mut text = format!(
        "name = \"{key}\"\ndescription = \"FILL IN: what the images show, how many, how large.\"\n\
         licence = \"FILL IN: the licence, and what it allows.\"\ncitation = \"FILL IN: whom to cite.\"\n\
         masks = \"FILL IN, if this is not so: defective above 127 of 255.\"\n"
    );
    if has_categories {
        let categories: Vec<&str> = surveys.iter().map(|(name, _)| name.as_str()).collect();
        writeln!(text, "categories = {categories:?}")?;
    }
    if let Some(url) = url {
        writeln!(text, "\n[[archive]]\nurl = {}", toml::Value::from(url.as_str()))?;
        match sha256 {
            Some(sha256) => writeln!(text, "sha256 = {}", toml::Value::from(sha256.as_str()))?,
            None => writeln!(text, "# FILL IN: sha256, which the first fetch prints.")?,
        }
    }
    for (name, Survey { count, .. }) in surveys {
        let table = if has_categories { format!("counts.{name:?}") } else { "counts".to_owned() };
        writeln!(text, "\n[{table}]\ntrain = {}\ntest = {}", count.train, count.test)?;
    }
    writeln!(
        text,
        "\n# Everything that crates/bench-cli/README.md describes can be set here; FILL IN `size` to scale the images.\n\
         [config.data]\nlayout = \"{}\"\n# size = [256, 256]",
        first.layout.key()
    )?;
    Ok(text)
}
