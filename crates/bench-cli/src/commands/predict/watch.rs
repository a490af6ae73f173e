//! Inspecting what arrives in a folder.
//!
//! The folder is looked at again and again, which works on every file system, those of other machines included.

use super::prediction::Prediction;
use super::run::Run;
use super::stamp::Stamp;
use super::watched::{Look, Watched};
use crate::interrupt;
use anyhow::{Context, Result};
use detector::files::{sha256_of_file, shown};
use detector::has_image_name;
use std::convert::Infallible;
use std::fs::{DirEntry, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a signal goes unnoticed at most between two looks.
const NAP: Duration = Duration::from_millis(50);

/// Between two tries to write what could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// Between two looks, compared with the time that one takes: a large folder is looked at less often, so that a watch that has nothing
/// to do takes less than a hundredth of a core.
const REST: u32 = 150;

/// The longest time between two looks that [`REST`] makes.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// How long files are read, after a look, of which the content decides whether they were replaced: images that arrive do not wait longer
/// for a folder of such files, as one that was copied.
const CHECKING: Duration = Duration::from_secs(1);

/// Inspects the images of a folder and those that arrive, until a signal comes.
///
/// # Errors
/// That it was interrupted; or if the folder cannot be read, or that of the results is gone.
pub fn watch(
    run: &mut Run<'_>,
    mut watched: Watched,
    folder: &Path,
    poll: Duration,
) -> Result<Infallible> {
    loop {
        run.expect_folder()?;
        let start = Instant::now();
        let Look { ready, doubtful, failures } = watched.look(&stamps(folder)?);
        let rest = match doubtful.is_empty() {
            true => poll.max(LONGEST_REST.min(REST * start.elapsed())),
            false => poll,
        };
        failures.iter().for_each(|error| run.reject(error));
        for image in ready {
            run.check_interrupt()?;
            match run.inspect(&image) {
                Ok(mut found) => {
                    keep(run, &mut found)?;
                    run.announce(&found)?;
                    watched.done(&image, found.stamp, found.record.sha256);
                }
                Err(error) => watched.failed(&image, error),
            }
            run.refresh();
        }
        let start = Instant::now();
        for image in doubtful.iter().take_while(|_| start.elapsed() < CHECKING) {
            run.check_interrupt()?;
            watched.settle(image, sha256_of_file(image).ok());
        }
        run.refresh();
        pause(rest);
        run.check_interrupt()?;
    }
}

/// Writes what is kept of an image. What cannot be written, as on a full disk, is tried again until it can: the image is as it was,
/// and nothing is the matter with it.
fn keep(run: &mut Run<'_>, found: &mut Prediction) -> Result<()> {
    let mut is_waiting = false;
    while let Err(error) = run.keep(found) {
        run.expect_folder()?;
        if !is_waiting {
            run.warn(&format!("{error:#}; waiting until results can be written"));
        }
        is_waiting = true;
        pause(RETRY);
        run.check_interrupt()?;
    }
    if is_waiting {
        run.note("results are written again");
    }
    Ok(())
}

/// The images of a folder. What disappears meanwhile is not there.
fn stamps(folder: &Path) -> Result<Vec<(PathBuf, Stamp)>> {
    let cannot_read = || format!("cannot read folder {}", shown(folder));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let path = entry.path();
        // The only look at the file itself: most have been there before.
        if has_image_name(&path)
            && let Ok(metadata) = metadata(&entry, &path)
            && metadata.is_file()
        {
            found.push((path, Stamp::of_metadata(&metadata)));
        }
    }
    Ok(found)
}

/// The state of a file, or of the one that a symbolic link leads to. The entry of a folder leads to a file at less cost than its path; on
/// Windows it may have the size of before.
fn metadata(entry: &DirEntry, path: &Path) -> std::io::Result<Metadata> {
    match cfg!(windows) || entry.file_type()?.is_symlink() {
        true => std::fs::metadata(path),
        false => entry.metadata(),
    }
}

fn pause(duration: Duration) {
    let start = Instant::now();
    while let Some(left) = duration.checked_sub(start.elapsed())
        && !interrupt::came()
        && !left.is_zero()
    {
        std::thread::sleep(left.min(NAP));
    }
}
