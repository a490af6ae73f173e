//! `cargo xtask datasets fetch`: brings a data set into the store, whole or not at all.

use super::check::{Found, below, check};
use super::hashes;
use super::layout::subfolders;
use super::manifest::{Archive, Manifest, Synthetic, check_sha256, most_unpacked_bytes};
use super::store::{HASHES, Origin, Places, RECORD, Record};
use super::unpack::unpack;
use crate::download::{self, DEFAULT_MINUTES, Downloaded, Patience, Wanted, download};
use crate::files;
use crate::machine::date;
use crate::terminal::{note, tell};
use anyhow::{Context, Result, bail, ensure};
use detector::files::sha256_of_file;
use detector::synthetic::{Spec, generate};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Download a data set, check and unpack it.
///
/// An interrupted download resumes where it stopped. The licence is shown first.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Data set.
    pub name: String,
    /// Take this file instead of the download; repeated for further archives of the set.
    #[arg(long, value_name = "FILE")]
    pub archive: Vec<PathBuf>,
    /// Use the images in this folder, where they stay.
    #[arg(long, value_name = "DIR", conflicts_with = "archive")]
    pub root: Option<PathBuf>,
    /// Expect this SHA-256 of an archive for which the manifest has none; repeated for further ones.
    #[arg(long, value_name = "HEX", conflicts_with = "root")]
    pub sha256: Vec<String>,
    /// Give a download up after this time, retries included; the next call goes on with it.
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_MINUTES)]
    pub patience: u64,
}

/// # Errors
/// If the set cannot be obtained, or differs from its manifest. The store is as before then, but for begun downloads.
pub fn fetch(args: &Args, places: &Places, patience: &Patience) -> Result<()> {
    let (manifest, _) = places.find(&args.name)?;
    let key = manifest.key.as_str();
    let is_given = args.root.is_some() || !args.archive.is_empty();
    ensure!(
        manifest.synthetic.is_none() || !is_given,
        "{key} is synthetic: expected neither --root nor --archive, as it is made"
    );
    let _lock = places.lock(key)?;
    // Of a fetch that was killed.
    files::remove(&places.unpacking(key))?;
    if let Some(root) = already_there(args, &manifest, places)? {
        tell!("{}", root.display());
        return Ok(());
    }
    let Manifest { name, description, licence, citation, .. } = &manifest;
    let texts = [description, licence, citation].map(|text| text.trim());
    note!("{name}: {}\nlicence: {}\ncitation: {}", texts[0], texts[1], texts[2]);
    let root = match &args.root {
        Some(root) => point_to(&manifest, places, root)?,
        None if manifest.synthetic.is_some() => make(&manifest, places)?,
        None => bring(&manifest, places, args, patience)?,
    };
    ask_to_pin(&manifest, places)?;
    tell!("{}", root.display());
    Ok(())
}

/// The folder of a set that need not be fetched.
fn already_there(args: &Args, manifest: &Manifest, places: &Places) -> Result<Option<PathBuf>> {
    let key = manifest.key.as_str();
    let Some(stored) = places.stored(key)? else { return Ok(None) };
    if args.root.is_some() && stored.record.is_by_hand() {
        return Ok(None);
    }
    ensure!(
        args.root.is_none() && args.archive.is_empty(),
        "{}: expected no {key} yet; remove it to take another",
        stored.place.display()
    );
    ensure!(
        stored.root.is_dir(),
        "{}: expected the images of {key} in {}, where there are none any more; name their folder with --root, or remove that file to \
         fetch them",
        stored.place.display(),
        stored.root.display()
    );
    // Left if the fetch was killed at its very end.
    (0..manifest.archives.len())
        .try_for_each(|index| download::forget(&places.part(key, index)))?;
    Ok(Some(stored.root))
}

/// Prints the hashes that the manifest lacks.
fn ask_to_pin(manifest: &Manifest, places: &Places) -> Result<()> {
    let stored = places.stored(&manifest.key)?;
    let origins = stored.map_or_else(Vec::new, |stored| stored.record.archives);
    for (archive, origin) in manifest.archives.iter().zip(origins) {
        if archive.sha256.is_none() {
            let Origin { source, sha256, .. } = origin;
            let manifest = format!("datasets/{}.toml", manifest.key);
            note!(
                "{source}: {manifest} has no hash of it; to expect this file, write there\nsha256 = \"{sha256}\""
            );
        }
    }
    Ok(())
}

/// Records the folder of images that were given by hand.
fn point_to(manifest: &Manifest, places: &Places, root: &Path) -> Result<PathBuf> {
    let (root, found) = locate(manifest, &std::path::absolute(root)?, true)?;
    found.notes.iter().for_each(|line| note!("{line}"));
    let pointer = places.pointer(&manifest.key);
    let folders: Vec<&str> = found.folders.iter().map(String::as_str).collect();
    let hashes = hashes::of(&root, &folders)?;
    // The old record must not meet the new hashes.
    files::remove(&pointer)?;
    hashes::write(&hashes, &pointer.with_extension("sha256"))?;
    record(manifest, root.clone(), Vec::new()).write(&pointer)?;
    Ok(root)
}

fn record(manifest: &Manifest, root: PathBuf, archives: Vec<Origin>) -> Record {
    let Manifest { licence, synthetic, .. } = manifest;
    Record { root, date: date(), licence: licence.clone(), archives, synthetic: synthetic.clone() }
}

/// Makes a synthetic set, unless another process has done it meanwhile.
///
/// # Errors
/// If the store cannot be written.
pub fn synthesize(manifest: &Manifest, places: &Places) -> Result<()> {
    let _lock = places.wait_for_lock(&manifest.key)?;
    files::remove(&places.unpacking(&manifest.key))?;
    if places.stored(&manifest.key)?.is_none() {
        make(manifest, places)?;
    }
    Ok(())
}

/// Makes a synthetic set and returns the folder of its images.
fn make(manifest: &Manifest, places: &Places) -> Result<PathBuf> {
    install(manifest, places, |folder| {
        let Some(Synthetic { kind, seed, good, defective }) = &manifest.synthetic else {
            bail!("{} is not synthetic", manifest.key);
        };
        let full = Spec::full(kind.parse()?, *seed);
        let (good, defective) = (good.unwrap_or(full.good), defective.unwrap_or(full.defective));
        generate(&Spec { good, defective, ..full }, folder, &mut |_| ControlFlow::Continue(()))?;
        Ok(Vec::new())
    })
}

/// Downloads and unpacks all archives, or those given by hand, and returns the folder of the images.
fn bring(
    manifest: &Manifest,
    places: &Places,
    args: &Args,
    patience: &Patience,
) -> Result<PathBuf> {
    let key = manifest.key.as_str();
    let sources = sources(manifest, args)?;
    let part = |index| places.part(key, index);
    let mut origins = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        origins.push(source.obtain(&part(index), patience)?);
    }
    let installed = install(manifest, places, |folder| {
        for (index, source) in sources.iter().enumerate() {
            let file = source.file.map_or_else(|| part(index), Path::to_owned);
            unpack(&file, folder, source.most_unpacked_bytes())?;
        }
        Ok(origins)
    });
    for (index, source) in sources.iter().enumerate() {
        // Without a hash nobody knows that it was the right file, and the next fetch must not begin with it.
        if installed.is_ok() || source.sha256.is_none() {
            download::forget(&part(index))?;
        }
    }
    installed
}

/// An archive of the manifest, with the file or the hash that was given by hand.
struct Source<'a> {
    archive: Option<&'a Archive>,
    file: Option<&'a Path>,
    sha256: Option<&'a str>,
}

/// The archives of the manifest, or those given by hand.
fn sources<'a>(manifest: &'a Manifest, args: &'a Args) -> Result<Vec<Source<'a>>> {
    let Manifest { key, archives, .. } = manifest;
    let (known, given) = (archives.len(), args.archive.len());
    ensure!(
        known + given > 0,
        "{key}: no address is known to download it from; expected --root DIR or --archive FILE"
    );
    ensure!(
        known == 0 || given == 0 || known == given,
        "{key}: expected {known} archives, got {given}"
    );
    args.sha256.iter().try_for_each(|sha256| check_sha256(sha256))?;
    let mut expected = args.sha256.iter().map(String::as_str);
    let source = |index: usize| {
        let archive = archives.get(index);
        let pinned = archive.and_then(|archive| archive.sha256.as_deref());
        let file = args.archive.get(index).map(PathBuf::as_path);
        Source { archive, file, sha256: pinned.or_else(|| expected.next()) }
    };
    let sources = (0..known.max(given)).map(source).collect();
    let left = expected.next();
    ensure!(
        left.is_none(),
        "{key}: --sha256 is for archives without one in the manifest, got {} too many",
        left.unwrap_or_default()
    );
    Ok(sources)
}

impl Source<'_> {
    fn most_unpacked_bytes(&self) -> u64 {
        self.archive.map_or_else(most_unpacked_bytes, |archive| archive.unpacked_bytes)
    }

    /// Checks the archive that is given by hand, or downloads it into `part`.
    fn obtain(&self, part: &Path, patience: &Patience) -> Result<Origin> {
        if let Some(file) = self.file {
            return by_hand(file, self.sha256);
        }
        let archive = self.archive.context("expected the address of an archive")?;
        let wanted = Wanted {
            url: &archive.url,
            sha256: self.sha256,
            most_bytes: archive.bytes,
            otherwise: "--archive FILE takes a copy that you have, --root DIR an unpacked one",
        };
        let Downloaded { sha256, bytes } = download(&wanted, part, patience)?;
        Ok(Origin { source: archive.url.clone(), sha256, bytes })
    }
}

/// An archive that was given by hand.
fn by_hand(file: &Path, expected: Option<&str>) -> Result<Origin> {
    let (sha256, source) = (sha256_of_file(file)?, file.display().to_string());
    ensure!(
        expected.is_none_or(|expected| expected == sha256),
        "{source}: expected the SHA-256 {}, got {sha256}",
        expected.unwrap_or_default()
    );
    Ok(Origin { source, sha256, bytes: fs::metadata(file)?.len() })
}

/// Lets `fill` fill a temporary folder, checks its images, renames it and returns the folder of the set.
fn install(
    manifest: &Manifest,
    places: &Places,
    fill: impl FnOnce(&Path) -> Result<Vec<Origin>>,
) -> Result<PathBuf> {
    let (temporary, folder) = (places.unpacking(&manifest.key), places.folder(&manifest.key));
    let fill_and_check = || {
        fs::create_dir(&temporary)
            .with_context(|| format!("cannot make {}", temporary.display()))?;
        let archives = fill(&temporary)?;
        let (root, _) = locate(manifest, &temporary, false)?;
        let root_inside = root.strip_prefix(&temporary)?.to_owned();
        hashes::write(&hashes::of(&root, &manifest.folders())?, &temporary.join(HASHES))?;
        record(manifest, root_inside.clone(), archives).write(&temporary.join(RECORD))?;
        fs::rename(&temporary, &folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(below(&folder, root_inside))
    };
    let installed = fill_and_check();
    if installed.is_err() {
        files::remove(&temporary)?;
    }
    installed
}

/// Finds the set below `folder`: in the folder that the manifest names, in `folder` itself, or in its only subfolder, and so on.
fn locate(manifest: &Manifest, folder: &Path, may_be_part: bool) -> Result<(PathBuf, Found)> {
    let inner = manifest.root.as_ref().map(|root| folder.join(root)).filter(|inner| inner.is_dir());
    let folder = inner.unwrap_or_else(|| folder.to_owned());
    let error = match check(manifest, &folder, may_be_part) {
        Ok(found) => return Ok((folder, found)),
        Err(error) => error,
    };
    match subfolders(&folder)?.as_slice() {
        [only] => locate(manifest, only, may_be_part),
        _ => Err(error),
    }
}
