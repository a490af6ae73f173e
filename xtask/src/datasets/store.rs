//! The store of images, and the records about them.

use super::check::below;
use super::manifest::{self, Manifest, Synthetic};
use crate::command::repository;
use crate::files;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The folders of manifests and of images.
pub struct Places {
    pub manifests: PathBuf,
    pub store: PathBuf,
}

/// The record of a set in the store.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The folder of the set: in its folder of the store, or absolute if it was given by hand.
    pub root: PathBuf,
    pub date: String,
    pub licence: String,
    #[serde(default, rename = "archive", skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<Synthetic>,
}

/// An archive that was unpacked.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its address, or the file that was given by hand.
    pub source: String,
    pub sha256: String,
    pub bytes: u64,
}

/// The files of a set that is there.
pub struct Stored {
    pub record: Record,
    /// The folder of the set.
    pub root: PathBuf,
    /// The list of the hashes of its files.
    pub hashes: PathBuf,
    /// The file or folder to remove in order to remove the set.
    pub place: PathBuf,
}

impl Places {
    /// The repository's, or another store.
    pub fn usual(store: Option<&Path>) -> Self {
        let manifests = repository().join("datasets");
        let store = store.map_or_else(|| manifests.join("images"), Path::to_owned);
        Self { manifests, store }
    }

    /// The manifest of a set, or of the set that a category belongs to, and the category's name.
    ///
    /// # Errors
    /// If there is no such set or category.
    pub fn find<'a>(&self, key: &'a str) -> Result<(Manifest, Option<&'a str>)> {
        let (set, category) = key.split_once('/').map_or((key, None), |(s, c)| (s, Some(c)));
        let manifest = manifest::read(&self.manifests, set)?;
        if let Some(category) = category {
            ensure!(
                manifest.categories.iter().any(|known| known == category),
                "expected a category of {set} ({}), got `{category}`",
                manifest.categories.join(", ")
            );
        }
        Ok((manifest, category))
    }

    /// The folder of a set that was fetched or made.
    pub fn folder(&self, key: &str) -> PathBuf {
        self.store.join(key)
    }

    /// The record of a set that was given by hand.
    pub fn pointer(&self, key: &str) -> PathBuf {
        self.store.join(format!("{key}.toml"))
    }

    /// The folder that a set is unpacked into.
    pub fn unpacking(&self, key: &str) -> PathBuf {
        self.store.join(format!(".{key}.unpacking"))
    }

    /// The file that an archive is downloaded into.
    pub fn part(&self, key: &str, index: usize) -> PathBuf {
        self.store.join(format!("{key}.archive-{index}.part"))
    }

    /// The files of a set, if it is there.
    ///
    /// # Errors
    /// If its record cannot be read.
    pub fn stored(&self, key: &str) -> Result<Option<Stored>> {
        let (folder, pointer) = (self.folder(key), self.pointer(key));
        let (path, hashes, place) = if folder.exists() {
            (folder.join(RECORD), folder.join(HASHES), folder.clone())
        } else if pointer.exists() {
            (pointer.clone(), pointer.with_extension("sha256"), pointer)
        } else {
            return Ok(None);
        };
        let record: Record = files::read_toml(&path)?;
        let root = below(&folder, &record.root);
        Ok(Some(Stored { record, root, hashes, place }))
    }

    /// Keeps other processes from fetching the set until the file is dropped.
    ///
    /// # Errors
    /// If another process is fetching it, or the store cannot be written.
    pub fn lock(&self, key: &str) -> Result<File> {
        let file = self.lock_file(key)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("another process is fetching {key}"),
            locked => locked.with_context(|| format!("cannot lock {key}"))?,
        }
        Ok(file)
    }

    /// As [`Self::lock`], but waits for other processes.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn wait_for_lock(&self, key: &str) -> Result<File> {
        let file = self.lock_file(key)?;
        file.lock().with_context(|| format!("cannot lock {key}"))?;
        Ok(file)
    }

    fn lock_file(&self, key: &str) -> Result<File> {
        let path = self.store.join(format!(".{key}.lock"));
        let name = || format!("cannot write {}", path.display());
        fs::create_dir_all(&self.store).with_context(name)?;
        // Not truncated, which Windows refuses for a file that is locked.
        File::options().write(true).create(true).truncate(false).open(&path).with_context(name)
    }
}

/// Names of the record and the list of hashes in the folder of a set.
pub const RECORD: &str = "fetched.toml";
pub const HASHES: &str = "files.sha256";

impl Record {
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        files::replace(path, &toml::to_string(self).context("the record of a fetch")?)
    }

    /// Whether the images are in a folder that somebody named.
    pub fn is_by_hand(&self) -> bool {
        self.archives.is_empty() && self.synthetic.is_none()
    }

    /// Where the images are from, for tables.
    pub fn source(&self) -> String {
        if let Some(Synthetic { seed, .. }) = self.synthetic {
            return format!("synthetic, seed {seed}");
        }
        if self.is_by_hand() {
            return "folder given by hand".to_owned();
        }
        let hashes: Vec<&str> =
            self.archives.iter().map(|archive| archive.sha256.as_str()).collect();
        format!("archive with SHA-256 {}", hashes.join(", "))
    }
}
