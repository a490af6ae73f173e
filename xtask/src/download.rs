//! Downloads that survive interruptions and trust nobody.

mod note;
mod reply;
#[cfg(test)]
pub mod test_server;
#[cfg(test)]
pub mod tests;

use crate::{files, progress};
use anyhow::{Context, Result, anyhow, bail};
use note::Note;
use reply::{Reply, Trouble, passing};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;
use ureq::Agent;

/// What to download.
pub struct Wanted<'a> {
    /// Its address, `http` or `https`.
    pub url: &'a str,
    /// The first digits of its SHA-256, or all; none if nothing is known.
    pub sha256: Option<&'a str>,
    /// How many bytes it has at most.
    pub most_bytes: u64,
    /// What to do if it cannot be had, for the error.
    pub otherwise: &'a str,
}

/// What was downloaded.
#[derive(Debug)]
pub struct Downloaded {
    pub sha256: String,
    pub bytes: u64,
}

/// How much to put up with.
#[derive(Clone, Copy)]
pub struct Patience {
    /// How long to wait for a connection.
    pub connect: Duration,
    /// How long to wait for the answer, and then for each further piece.
    pub stall: Duration,
    /// How often to try again without having got any further.
    pub retries: u32,
    /// How long to wait before the first of these; each further time twice as long.
    pub delay: Duration,
    /// Whether to go through the proxy that the environment names.
    pub proxy: bool,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(20),
            stall: seconds(60),
            retries: 4,
            delay: seconds(1),
            proxy: true,
        }
    }
}

/// Downloads into `file`, and checks length and hash.
///
/// What has come stays in `file` if the rest does not, and the next call goes on from there. `file` and the note beside it,
/// which names the version that the bytes are of, are the caller's to remove with [`forget`]. What does not fit is removed.
///
/// # Errors
/// If it cannot be had, or is something else; the error says what was expected and what came.
pub fn download(wanted: &Wanted<'_>, file: &Path, patience: &Patience) -> Result<Downloaded> {
    let bytes = bring(wanted, file, patience)
        .map_err(|error| anyhow!("{error:#}; {}", wanted.otherwise))?;
    let sha256 = files::sha256(file)?;
    if let Some(expected) = wanted.sha256.filter(|expected| !sha256.starts_with(*expected)) {
        forget(file)?;
        bail!("{}: expected the SHA-256 {expected}, got {sha256} ({bytes} bytes)", wanted.url);
    }
    Ok(Downloaded { sha256, bytes })
}

/// Removes what a download has left.
///
/// # Errors
/// If that is not possible.
pub fn forget(file: &Path) -> Result<()> {
    files::remove(&Note::path(file))?;
    files::remove(file)
}

/// Tries until all of it is there; its length.
fn bring(wanted: &Wanted<'_>, file: &Path, patience: &Patience) -> Result<u64> {
    let agent = reply::agent(wanted.url, patience);
    let (mut furthest, mut failures) = (length(file), 0);
    loop {
        let trouble = match attempt(&agent, wanted, file) {
            Ok(bytes) => return Ok(bytes),
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Passing(error)) => error,
        };
        let there = length(file);
        failures = if there > furthest { 0 } else { failures + 1 };
        furthest = furthest.max(there);
        if failures > patience.retries {
            let context = format!("cannot download {} beyond byte {there}", wanted.url);
            return Err(trouble.context(context));
        }
        let delay = patience.delay * 2_u32.saturating_pow(failures.saturating_sub(1)).min(32);
        eprintln!("{}: {trouble:#}; trying again", wanted.url);
        std::thread::sleep(delay);
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// Asks for what is missing and takes what comes; the length of the whole.
fn attempt(agent: &Agent, wanted: &Wanted<'_>, file: &Path) -> Result<u64, Trouble> {
    // Bytes of which nobody can say whether the rest belongs to them are worth nothing.
    let note = Note::read(file)
        .filter(|note| note.url == wanted.url)
        .filter(|note| note.validator.is_some() || wanted.sha256.is_some());
    let there = if note.is_some() { length(file) } else { 0 };
    if note.as_ref().is_some_and(|note| note.total == Some(there)) {
        return Ok(there);
    }
    let validator = note.and_then(|note| note.validator);
    let Some(reply) = reply::ask(agent, wanted.url, there, validator.as_deref())? else {
        forget(file)?;
        return Err(passing("the server has another file than the one begun"));
    };
    if reply.total.is_some_and(|total| total > wanted.most_bytes) {
        return Err(too_large(wanted, file)?);
    }
    if reply.start == 0 {
        forget(file)?;
        let (url, validator) = (wanted.url.to_owned(), reply.validator.clone());
        Note { url, validator, total: reply.total }.write(file)?;
    }
    take(reply, wanted, file)
}

/// Appends the body of a reply to `file`; the length of the whole.
fn take(reply: Reply, wanted: &Wanted<'_>, file: &Path) -> Result<u64, Trouble> {
    let Reply { start, total, mut body, .. } = reply;
    let name = || format!("cannot write {}", file.display());
    let mut target = OpenOptions::new().create(true).append(true).open(file).with_context(name)?;
    let bar = progress::bytes(total, "downloading");
    bar.set_position(start);
    let mut length = start;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = body.read(&mut buffer).map_err(|error| Trouble::Passing(error.into()))?;
        if got == 0 {
            break;
        }
        length += got as u64;
        if length > wanted.most_bytes {
            return Err(too_large(wanted, file)?);
        }
        target.write_all(&buffer[..got]).with_context(name)?;
        bar.inc(got as u64);
    }
    match total {
        Some(total) if total != length => {
            Err(passing(&format!("expected {total} bytes, got {length}")))
        }
        _ => Ok(length),
    }
}

/// The error for a file that is too large, of which nothing is kept.
fn too_large(wanted: &Wanted<'_>, file: &Path) -> Result<Trouble> {
    forget(file)?;
    let Wanted { url, most_bytes, .. } = wanted;
    Ok(Trouble::Final(anyhow!("{url}: expected at most {most_bytes} bytes, got more")))
}
