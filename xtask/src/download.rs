//! Downloads that resume after interruptions and verify length and hash.

mod note;
mod reply;
#[cfg(test)]
pub mod test_server;
#[cfg(test)]
pub mod tests;

use crate::terminal::note;
use crate::{files, progress};
use anyhow::{Context, Result, anyhow, bail};
use detector::files::sha256_of_file;
use note::Note;
use reply::{Reply, Trouble, passing};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use ureq::Agent;

/// A file to download.
pub struct Wanted<'a> {
    /// Address, `http` or `https`.
    pub url: &'a str,
    /// All or the first digits of its SHA-256, if it is known.
    pub sha256: Option<&'a str>,
    /// Largest accepted size in bytes.
    pub most_bytes: u64,
    /// Advice for the error message if the download fails.
    pub otherwise: &'a str,
}

/// A complete download.
#[derive(Debug)]
pub struct Downloaded {
    pub sha256: String,
    pub bytes: u64,
}

/// Timeouts and retries.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Timeout of the connection.
    pub connect: Duration,
    /// Timeout of the answer, and then of each further piece.
    pub stall: Duration,
    /// Attempts without progress before giving up, after the first one.
    pub retries: u32,
    /// Pause before the first retry; it doubles each time.
    pub delay: Duration,
    /// The longest time for all attempts together: a server may drip, or its file may grow, for ever.
    pub total: Duration,
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
            total: seconds(60 * DEFAULT_MINUTES),
            proxy: true,
        }
    }
}

impl Patience {
    /// The default, but for the longest time for all attempts together.
    pub fn of_minutes(minutes: u64) -> Self {
        Self { total: Duration::from_secs(minutes.saturating_mul(60)), ..Self::default() }
    }
}

/// Minutes that a download may take unless somebody says otherwise: enough for the 500 MB of the largest archive at 50 kB/s.
pub const DEFAULT_MINUTES: u64 = 180;

/// The time when the patience with a download ends.
struct Deadline {
    patience: Duration,
    end: Option<Instant>,
}

impl Deadline {
    fn new(patience: Duration) -> Self {
        Self { patience, end: Instant::now().checked_add(patience) }
    }

    /// # Errors
    /// If it has passed.
    fn check(&self, wanted: &Wanted<'_>, length: u64) -> Result<(), Trouble> {
        if self.end.is_none_or(|end| Instant::now() < end) {
            return Ok(());
        }
        let seconds = self.patience.as_secs_f64();
        Err(Trouble::Final(anyhow!(
            "{}: got {length} bytes in {seconds:.0} s, and no more time was allowed; the next call goes on from there, and \
             --patience MINUTES allows more",
            wanted.url
        )))
    }
}

/// Downloads into `file`, and checks length and hash.
///
/// An interrupted download leaves its bytes in `file`, and the next call resumes there. The caller removes `file` and the note
/// beside it, which names the version of the bytes, with [`forget`]. A file of the wrong length or hash is removed.
///
/// # Errors
/// If the download fails, or length or hash are others than expected.
pub fn download(wanted: &Wanted<'_>, file: &Path, patience: &Patience) -> Result<Downloaded> {
    let bytes = bring(wanted, file, patience)
        .map_err(|error| anyhow!("{error:#}; {}", wanted.otherwise))?;
    let sha256 = sha256_of_file(file)?;
    if let Some(expected) = wanted.sha256.filter(|expected| !sha256.starts_with(*expected)) {
        forget(file)?;
        bail!("{}: expected the SHA-256 {expected}, got {sha256} ({bytes} bytes)", wanted.url);
    }
    Ok(Downloaded { sha256, bytes })
}

/// Removes the file and the note of a download.
///
/// # Errors
/// If one cannot be removed.
pub fn forget(file: &Path) -> Result<()> {
    files::remove(&Note::path(file))?;
    files::remove(file)
}

/// Tries until the file is complete; returns its length.
fn bring(wanted: &Wanted<'_>, file: &Path, patience: &Patience) -> Result<u64> {
    let agent = reply::agent(wanted.url, patience);
    let deadline = Deadline::new(patience.total);
    let (mut furthest, mut failures) = (length(file), 0);
    loop {
        let trouble = match attempt(&agent, wanted, file, &deadline) {
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
        note!("{}: {trouble:#}; trying again", wanted.url);
        std::thread::sleep(delay);
        if let Err(Trouble::Final(error)) = deadline.check(wanted, there) {
            return Err(error);
        }
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// Requests the missing bytes and appends them; returns the length of the whole file.
fn attempt(
    agent: &Agent,
    wanted: &Wanted<'_>,
    file: &Path,
    deadline: &Deadline,
) -> Result<u64, Trouble> {
    // Without a validator or a hash nobody can tell whether old and new bytes belong together.
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
    take(reply, wanted, file, deadline)
}

/// Appends the body of a reply to `file`; returns the length of the whole file.
fn take(
    reply: Reply,
    wanted: &Wanted<'_>,
    file: &Path,
    deadline: &Deadline,
) -> Result<u64, Trouble> {
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
        deadline.check(wanted, length)?;
    }
    match total {
        Some(total) if total != length => {
            Err(passing(&format!("expected {total} bytes, got {length}")))
        }
        _ => Ok(length),
    }
}

/// Removes a file that is too large and returns the error.
fn too_large(wanted: &Wanted<'_>, file: &Path) -> Result<Trouble> {
    forget(file)?;
    let Wanted { url, most_bytes, .. } = wanted;
    Ok(Trouble::Final(anyhow!("{url}: expected at most {most_bytes} bytes, got more")))
}
