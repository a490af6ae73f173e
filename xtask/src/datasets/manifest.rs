//! The manifest of a data set, `datasets/KEY.toml`.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

/// A data set, or several under one name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name of the file without `.toml`.
    #[serde(skip)]
    pub key: String,
    pub name: String,
    pub description: String,
    pub licence: String,
    pub citation: String,
    /// The meaning of the values of the masks.
    pub masks: String,
    /// The folder inside the archives below which the set lies; told from the folders if left out.
    pub root: Option<String>,
    /// Folders that are data sets of their own.
    #[serde(default)]
    pub categories: Vec<String>,
    #[serde(default, rename = "archive")]
    pub archives: Vec<Archive>,
    pub synthetic: Option<Synthetic>,
    pub counts: Option<Counts>,
    /// The configuration of `bench-cli`.
    #[serde(default)]
    pub config: toml::Table,
}

/// A file to download.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    pub url: String,
    pub sha256: Option<String>,
    /// Largest accepted size in bytes.
    #[serde(default = "most_bytes")]
    pub bytes: u64,
    /// Largest accepted size of the unpacked files in bytes.
    #[serde(default = "most_unpacked_bytes")]
    pub unpacked_bytes: u64,
}

/// 16 GiB.
pub const fn most_bytes() -> u64 {
    1 << 34
}

/// 32 GiB.
pub const fn most_unpacked_bytes() -> u64 {
    1 << 35
}

/// The kind and the seed of synthetic images, and their numbers, if not those of the set that they stand for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Synthetic {
    pub kind: String,
    #[serde(default)]
    pub seed: u64,
    pub good: Option<usize>,
    pub defective: Option<usize>,
}

/// The numbers of images of the whole set.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected `train` and `test`, or for each category a table of them")]
pub enum Counts {
    Each(Count),
    Of(BTreeMap<String, Count>),
}

/// Numbers of images.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub train: usize,
    pub test: usize,
}

/// The keys of all manifests in `folder`, sorted.
///
/// # Errors
/// If the folder cannot be read.
pub fn keys(folder: &Path) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let name = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(name)? {
        let name = entry.with_context(name)?.file_name();
        keys.extend(name.to_str().and_then(|name| name.strip_suffix(".toml")).map(String::from));
    }
    keys.sort();
    Ok(keys)
}

/// The manifest of `key` in `folder`.
///
/// # Errors
/// If there is none, or it contradicts itself.
pub fn read(folder: &Path, key: &str) -> Result<Manifest> {
    let keys = keys(folder)?;
    ensure!(
        keys.iter().any(|known| known == key),
        "expected a data set of {} ({}), got `{key}`",
        folder.display(),
        keys.join(", ")
    );
    let path = folder.join(format!("{key}.toml"));
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(key, &text).with_context(|| path.display().to_string())
}

/// Parses a manifest.
///
/// # Errors
/// If it is not valid.
pub fn parse(key: &str, text: &str) -> Result<Manifest> {
    let manifest: Manifest = files::from_toml(text)?;
    let manifest = Manifest { key: key.to_owned(), ..manifest };
    manifest.check()?;
    Ok(manifest)
}

impl Manifest {
    /// The keys of its data sets: its own, or those of its categories.
    pub fn sets(&self) -> Vec<String> {
        if self.categories.is_empty() {
            return vec![self.key.clone()];
        }
        self.categories.iter().map(|category| format!("{}/{category}", self.key)).collect()
    }

    /// The folders of its data sets below its root: one without a name, or the categories.
    pub fn folders(&self) -> Vec<&str> {
        if self.categories.is_empty() {
            return vec![""];
        }
        self.categories.iter().map(String::as_str).collect()
    }

    /// The numbers of images that the data set in this folder should have.
    pub fn count(&self, folder: &str) -> Option<Count> {
        match self.counts.as_ref()? {
            Counts::Each(count) => Some(*count),
            Counts::Of(counts) => counts.get(folder).copied(),
        }
    }

    fn check(&self) -> Result<()> {
        for (field, text) in [
            ("name", &self.name),
            ("description", &self.description),
            ("licence", &self.licence),
            ("citation", &self.citation),
            ("masks", &self.masks),
        ] {
            ensure!(!text.trim().is_empty(), "expected a text as `{field}`, got an empty one");
        }
        ensure!(
            self.synthetic.is_none() || (self.archives.is_empty() && self.categories.is_empty()),
            "expected `[synthetic]` without `[[archive]]` and `categories`"
        );
        if let Some(root) = &self.root {
            let is_inside = Path::new(root).components().all(|c| matches!(c, Component::Normal(_)));
            ensure!(is_inside, "expected a folder inside the archive as `root`, got `{root}`");
        }
        for (index, category) in self.categories.iter().enumerate() {
            ensure!(is_plain(category), "expected the name of a folder, got category `{category}`");
            let is_new = !self.categories[..index].contains(category);
            ensure!(is_new, "expected different categories, got `{category}` twice");
        }
        if let Some(Counts::Of(counts)) = &self.counts {
            let stranger = counts.keys().find(|name| !self.categories.contains(name));
            ensure!(stranger.is_none(), "expected counts of a category, got {stranger:?}");
        }
        self.archives.iter().try_for_each(Archive::check)
    }
}

impl Archive {
    fn check(&self) -> Result<()> {
        let Self { url, sha256, .. } = self;
        if !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
            bail!("expected an address that begins with https:// or http://, got `{url}`");
        }
        sha256.as_deref().map_or(Ok(()), check_sha256)
    }
}

/// # Errors
/// If `text` is not 64 hexadecimal digits in lower case.
pub fn check_sha256(text: &str) -> Result<()> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    ensure!(
        text.len() == 64 && text.bytes().all(is_digit),
        "expected 64 digits of 0-9 and a-f as SHA-256, got `{text}`"
    );
    Ok(())
}

/// Whether a name is a plain folder name on every system.
pub fn is_plain(name: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::repository;

    const TEXTS: &str =
        "name = 'N'\ndescription = 'D'\nlicence = 'L'\ncitation = 'C'\nmasks = 'M'\n";

    #[test]
    fn all_manifests_of_the_repository_can_be_read() {
        let folder = repository().join("datasets");
        let keys = keys(&folder).expect("the folder is there");
        assert!(keys.contains(&"nanotwice".to_owned()));
        for key in keys {
            read(&folder, &key).expect("a manifest");
        }
    }

    #[test]
    fn categories_are_sets_of_their_own() {
        let text = format!("{TEXTS}categories = ['a', 'b']\n[counts.b]\ntrain = 1\ntest = 2\n");
        let manifest = parse("k", &text).expect("it is right");
        assert_eq!(manifest.sets(), ["k/a", "k/b"]);
        assert_eq!(manifest.count("a"), None);
        assert_eq!(manifest.count("b"), Some(Count { train: 1, test: 2 }));
        assert_eq!(parse("k", TEXTS).expect("it is right").sets(), ["k"]);
    }

    #[test]
    fn what_cannot_be_is_refused_on_one_line() {
        let cases = [
            ("colour = 1", "line 6: unknown field `colour`"),
            ("categories = ['../a']", "category `../a`"),
            ("categories = ['a', 'a']", "twice"),
            ("root = '/etc'", "`root`"),
            ("root = 'a/../..'", "`root`"),
            ("counts = { train = 1 }", "expected `train` and `test`"),
            ("[[archive]]\nurl = 'file:///etc/passwd'", "https://"),
            ("[[archive]]\nurl = 'https://a/b'\nsha256 = 'abc'", "64 digits"),
            ("categories = ['a']\n[synthetic]\nkind = 'plain'", "[synthetic]"),
        ];
        for (lines, expected) in cases {
            let error = parse("k", &format!("{TEXTS}{lines}\n")).map(drop).expect_err(lines);
            let error = format!("{error:#}");
            assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        }
        let error = parse("k", &TEXTS.replace('L', "")).map(drop).expect_err("no licence");
        assert!(error.to_string().contains("`licence`"));
    }
}
