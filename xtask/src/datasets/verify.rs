//! `cargo xtask datasets verify`: compares images with what was fetched.

use super::check::check;
use super::hashes;
use super::manifest::Manifest;
use super::store::{Places, Record, Stored};
use crate::terminal::{note, tell};
use anyhow::{Result, bail, ensure};

/// Check that the images are those that were fetched, that none is missing, and that each defect has its mask.
#[derive(clap::Args)]
pub struct Args {
    /// Data set.
    pub name: String,
}

/// # Errors
/// If the set is not there or something differs; all differences go to standard error.
pub fn verify(args: &Args, places: &Places) -> Result<()> {
    let (manifest, _) = places.find(&args.name)?;
    let Some(stored) = places.stored(&manifest.key)? else {
        bail!(super::absent(&manifest, places));
    };
    let Stored { root, record, hashes, .. } = &stored;
    let mut folders = manifest.folders();
    folders.retain(|folder| !record.is_by_hand() || root.join(folder).is_dir());
    let (expected, got) = (hashes::read(hashes)?, hashes::of(root, &folders)?);
    let mut wrong = hashes::differences(&expected, &got);
    wrong.extend(unpinned(&manifest, record));
    wrong.iter().for_each(|line| note!("{line}"));
    ensure!(
        wrong.is_empty(),
        "{}: expected the files of {}; what differs ({}) is on the lines above",
        root.display(),
        record.date,
        wrong.len()
    );
    let found = check(&manifest, root, record.is_by_hand())?;
    found.notes.iter().for_each(|line| tell!("{line}"));
    tell!("{}: {} files, as they were on {}", root.display(), got.len(), record.date);
    Ok(())
}

/// Archives that are not those that the manifest names.
fn unpinned(manifest: &Manifest, record: &Record) -> Vec<String> {
    let pairs = manifest.archives.iter().zip(&record.archives);
    let others = pairs.filter_map(|(wanted, got)| {
        let expected = wanted.sha256.as_ref().filter(|expected| **expected != got.sha256)?;
        Some(format!("{}: expected SHA-256 {expected}, got {}", got.source, got.sha256))
    });
    others.collect()
}
