//! `cargo xtask datasets fetch`: brings a data set into the store, whole or not at all.

use super::check::{Found, below, check};
use super::layout::subfolders;
use super::manifest::{self, Archive, Manifest, Synthetic};
use super::store::{HASHES, Origin, Places, RECORD, Record};
use super::{hashes, unpack};
use crate::command::{bench_cli, strings, text};
use crate::download::{self, Patience, Wanted, download};
use crate::files;
use crate::machine::date;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Download a data set, check and unpack it.
///
/// An interrupted download goes on where it stopped. The licence is shown first.
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
}

/// # Errors
/// If the set cannot be had, or is not what its manifest says. Nothing has changed then, but for what was downloaded so far.
pub fn fetch(args: &Args, places: &Places, patience: &Patience) -> Result<()> {
    let (manifest, _) = places.find(&args.name)?;
    let key = manifest.key.as_str();
    let _lock = places.lock(key)?;
    // Of a fetch that was killed.
    files::remove(&places.unpacking(key))?;
    let stored = places.stored(key)?;
    if let Some(stored) = stored.filter(|stored| args.root.is_none() || !stored.record.is_by_hand())
    {
        let asked = args.root.is_some() || !args.archive.is_empty();
        let place = stored.place.display();
        ensure!(!asked, "{place}: expected no {key} yet; remove it to take another");
        println!("{}", stored.root.display());
        return Ok(());
    }
    let Manifest { name, licence, citation, .. } = &manifest;
    eprintln!("{name}\nlicence: {}\ncitation: {}", licence.trim(), citation.trim());
    let root = match &args.root {
        Some(root) => point_to(&manifest, places, root)?,
        None if manifest.synthetic.is_some() => {
            ensure!(args.archive.is_empty(), "{key} is synthetic: it is made, not unpacked");
            make(&manifest, places)?
        }
        None => bring(&manifest, places, args, patience)?,
    };
    println!("{}", root.display());
    Ok(())
}

/// Writes down where the images lie.
fn point_to(manifest: &Manifest, places: &Places, root: &Path) -> Result<PathBuf> {
    let root = fs::canonicalize(root).with_context(|| format!("cannot read {}", root.display()))?;
    let (root, found) = locate(manifest, &root, true)?;
    found.notes.iter().for_each(|line| eprintln!("{line}"));
    let pointer = places.pointer(&manifest.key);
    let folders: Vec<&str> = found.folders.iter().map(String::as_str).collect();
    hashes::write(&hashes::of(&root, &folders)?, &pointer.with_extension("sha256"))?;
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
/// If `bench-cli` fails, or another process is doing it.
pub fn synthesize(manifest: &Manifest, places: &Places) -> Result<()> {
    let _lock = places.lock(&manifest.key)?;
    files::remove(&places.unpacking(&manifest.key))?;
    if places.stored(&manifest.key)?.is_none() {
        make(manifest, places)?;
    }
    Ok(())
}

/// Makes a synthetic set; the folder of its images.
fn make(manifest: &Manifest, places: &Places) -> Result<PathBuf> {
    install(manifest, places, |folder| {
        let Some(Synthetic { kind, seed, good, defective }) = &manifest.synthetic else {
            bail!("{} is not synthetic", manifest.key);
        };
        let mut synthesize = strings(["synthesize", kind, "--json", "--seed", &seed.to_string()]);
        let counts = [("--good", good), ("--defective", defective)];
        for (option, count) in counts {
            synthesize.extend(count.iter().flat_map(|n| [option.to_owned(), n.to_string()]));
        }
        synthesize.extend(["--out".to_owned(), text(folder)?]);
        bench_cli(&synthesize)?;
        Ok(Vec::new())
    })
}

/// Downloads and unpacks all archives, or those given by hand.
fn bring(
    manifest: &Manifest,
    places: &Places,
    args: &Args,
    patience: &Patience,
) -> Result<PathBuf> {
    let Manifest { key, archives, .. } = manifest;
    args.sha256.iter().try_for_each(|sha256| manifest::check_sha256(sha256))?;
    let given = args.archive.len();
    if archives.is_empty() && given == 0 {
        bail!(
            "{key}: no address is known to download it from; expected --root DIR or --archive FILE"
        );
    }
    ensure!(
        given == 0 || archives.is_empty() || given == archives.len(),
        "{key}: expected {} archives, got {given}",
        archives.len()
    );
    let count = given.max(archives.len());
    let root = install(manifest, places, |folder| {
        let take = |index: usize| {
            let archive = archives.get(index);
            let pinned = archive.and_then(|archive| archive.sha256.as_deref());
            let sha256 = pinned.or(args.sha256.get(index).map(String::as_str));
            let source = Source { archive, file: args.archive.get(index), sha256 };
            source.take(&places.part(key, index), folder, key, patience)
        };
        (0..count).map(take).collect()
    })?;
    (0..count).try_for_each(|index| download::forget(&places.part(key, index)))?;
    Ok(root)
}

/// Where an archive is to be had.
struct Source<'a> {
    archive: Option<&'a Archive>,
    file: Option<&'a PathBuf>,
    sha256: Option<&'a str>,
}

impl Source<'_> {
    /// Downloads the archive into `part`, if none is given by hand, checks it and unpacks it into `folder`.
    fn take(&self, part: &Path, folder: &Path, key: &str, patience: &Patience) -> Result<Origin> {
        let most = self.archive.map_or_else(manifest::most_unpacked_bytes, |a| a.unpacked_bytes);
        let (file, origin) = match (self.file, self.archive) {
            (Some(file), _) => (file.as_path(), by_hand(file, self.sha256)?),
            (None, Some(archive)) => (part, self.download(archive, part, patience)?),
            (None, None) => bail!("{key}: expected an archive"),
        };
        if self.sha256.is_none() {
            eprintln!(
                "{}: no SHA-256 is known; if you trust this one, write it into datasets/{key}.toml:\nsha256 = \"{}\"",
                origin.source, origin.sha256
            );
        }
        let unpacked = unpack::unpack(file, folder, most);
        if unpacked.is_err() && self.file.is_none() && self.sha256.is_none() {
            // Nobody knows that it is the right file: the next fetch must not begin with it.
            download::forget(part)?;
        }
        unpacked.map(|()| origin)
    }

    fn download(&self, archive: &Archive, part: &Path, patience: &Patience) -> Result<Origin> {
        let wanted = Wanted { url: &archive.url, sha256: self.sha256, most_bytes: archive.bytes };
        let downloaded = download(&wanted, part, patience)
            .context("--archive FILE takes a copy that you have, --root DIR an unpacked one")?;
        let download::Downloaded { sha256, bytes } = downloaded;
        Ok(Origin { source: archive.url.clone(), sha256, bytes })
    }
}

/// An archive that was given by hand.
fn by_hand(file: &Path, expected: Option<&str>) -> Result<Origin> {
    let (sha256, source) = (files::sha256(file)?, file.display().to_string());
    ensure!(
        expected.is_none_or(|expected| expected == sha256),
        "{source}: expected the SHA-256 {}, got {sha256}",
        expected.unwrap_or_default()
    );
    Ok(Origin { source, sha256, bytes: fs::metadata(file)?.len() })
}

/// Lets `fill` fill a folder, checks what is in it, and renames it; the folder of the set.
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

/// Finds the set below `folder`: where the manifest says, or there, or in a folder that is the only one in it, and so on.
fn locate(manifest: &Manifest, folder: &Path, may_be_part: bool) -> Result<(PathBuf, Found)> {
    let inner = manifest.root.as_ref().map(|root| folder.join(root)).filter(|inner| inner.is_dir());
    let folder = inner.unwrap_or_else(|| folder.to_owned());
    let error = match check(manifest, &folder, may_be_part) {
        Ok(found) => return Ok((folder, found)),
        Err(error) => error,
    };
    match subfolders(&folder)?.as_slice() {
        [only] => locate(manifest, only, may_be_part).map_err(|_| error),
        _ => Err(error),
    }
}
