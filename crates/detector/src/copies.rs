//! Copies in a model's folder of files that its configuration names.
//!
//! The name of a copy has digits of its hash: a copy replaces no other, and the configuration decides which one holds.

use crate::config::DataConfig;
use crate::data::{RegionConfig, RegionMask};
use crate::files::{remove_if_present, sha256, write_durable};
use crate::{Error, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The digits of the hash in the name of a copy.
const DIGITS: usize = 12;

/// The kind of file that there is a copy of.
#[derive(Clone, Copy)]
pub enum Copied {
    /// The mask of a region of interest.
    Mask,
    /// A list of images.
    List,
}

impl Copied {
    const fn name(self) -> &'static str {
        match self {
            Self::Mask => "region-mask",
            Self::List => "images",
        }
    }

    /// Writes a copy into a folder, and returns its path.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn write(self, folder: &Path, extension: &OsStr, bytes: &[u8]) -> Result<PathBuf> {
        let name = format!("{}-{}", self.name(), &sha256(bytes)[..DIGITS]);
        let path = folder.join(name).with_extension(extension);
        write_durable(&path, bytes)?;
        Ok(path)
    }

    fn is_name(self, stem: &str) -> bool {
        let hash = stem.strip_prefix(self.name()).and_then(|rest| rest.strip_prefix('-'));
        hash.is_some_and(|hash| {
            hash.len() == DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    }
}

/// The paths of a configuration that may lead to copies.
pub fn copied_paths(data: &mut DataConfig) -> impl Iterator<Item = &mut PathBuf> {
    let mask = match &mut data.region {
        Some(RegionConfig::Mask(RegionMask { mask, .. })) => Some(mask),
        _ => None,
    };
    data.images.iter_mut().chain(mask)
}

/// Removes the copies in a folder that are not among these.
///
/// # Errors
/// If the folder cannot be read, or a file cannot be removed.
pub fn remove_copies_but(named: &[PathBuf], folder: &Path) -> Result<()> {
    let cannot_read = || Error::io("read folder", folder);
    for entry in std::fs::read_dir(folder).map_err(cannot_read())? {
        let path = entry.map_err(cannot_read())?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_copy = [Copied::Mask, Copied::List].iter().any(|kind| kind.is_name(&stem));
        if is_copy && !named.contains(&path) {
            remove_if_present(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn copies_replace_no_others_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |bytes: &[u8]| Copied::Mask.write(folder.path(), "png".as_ref(), bytes).unwrap();
        let (old, new) = (write(b"old"), write(b"new"));
        assert_ne!(old, new);
        let list = Copied::List.write(folder.path(), "txt".as_ref(), b"a.png").unwrap();
        for name in
            ["images.txt", "region-mask.png", "images-of-line-3.txt", "images-0123456789ab-x"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        remove_copies_but(std::slice::from_ref(&new), folder.path()).unwrap();
        assert!(!old.exists() && !list.exists() && new.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
