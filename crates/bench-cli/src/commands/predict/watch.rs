//! Inspecting what arrives in a folder.
//!
//! The folder is looked at again and again, which works on every file system, those of other machines included. A file is read
//! when it was the same in two looks. If it cannot be read then, its writer may only have paused: it is tried again after every
//! change, and reported when there has been none for a while.

use super::run::Run;
use super::stamp::Stamp;
use crate::interrupt;
use anyhow::{Error, Result};
use detector::images_in;
use detector::records::PredictionRecord;
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Looks at an unchanged file before it is reported that it cannot be read.
const PATIENCE: u32 = 10;

/// How long a signal goes unnoticed at most between two looks.
const NAP: Duration = Duration::from_millis(50);

/// A folder as it was at the last look.
#[derive(Default)]
struct Watched {
    files: HashMap<PathBuf, File>,
    /// When the images of earlier runs were changed, by path.
    recorded: HashMap<String, Option<f64>>,
}

struct File {
    stamp: Stamp,
    state: State,
}

enum State {
    /// Seen with this stamp once.
    Arriving,
    /// Could not be inspected; the number of times that it was seen since.
    Failed(Error, u32),
    /// Inspected, or reported.
    Done,
}

/// The findings of a look.
#[derive(Default)]
struct Look {
    /// Files to be inspected, those that were changed first before others.
    ready: Vec<PathBuf>,
    /// Why files could not be inspected that will not change any more, as it seems.
    failures: Vec<Error>,
}

/// Inspects the images of a folder and those that arrive, until a signal comes.
///
/// # Errors
/// That it was interrupted; or if the folder cannot be read, or results cannot be written.
pub fn watch(
    run: &mut Run<'_>,
    folder: &Path,
    poll: Duration,
    recorded: Vec<PredictionRecord>,
) -> Result<Infallible> {
    let recorded = recorded.into_iter().map(|recorded| (recorded.image, recorded.modified));
    let mut watched = Watched { recorded: recorded.collect(), ..Watched::default() };
    loop {
        let Look { ready, failures } = watched.look(&stamps(folder)?);
        failures.iter().for_each(|error| run.reject(error));
        for image in ready {
            run.check_interrupt()?;
            match run.inspect(&image) {
                Ok(found) => {
                    run.accept(&found)?;
                    watched.done(&image, found.stamp);
                }
                Err(error) => watched.failed(&image, error),
            }
            run.refresh();
        }
        run.refresh();
        pause(poll);
        run.check_interrupt()?;
    }
}

/// The images of a folder. What disappears meanwhile is not there.
fn stamps(folder: &Path) -> Result<Vec<(PathBuf, Stamp)>> {
    let images = images_in(folder)?.into_iter();
    Ok(images.filter_map(|image| Stamp::of(&image).ok().map(|stamp| (image, stamp))).collect())
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

impl Watched {
    /// Compares the folder with the last look.
    fn look(&mut self, folder: &[(PathBuf, Stamp)]) -> Look {
        let mut files = std::mem::take(&mut self.files);
        let (mut look, mut ready) = (Look::default(), Vec::new());
        for (path, stamp) in folder {
            let state = match files.remove(path) {
                Some(known) if known.stamp == *stamp => known.state,
                None if self.is_recorded(path, *stamp) => State::Done,
                _ => {
                    self.insert(path, *stamp, State::Arriving);
                    continue;
                }
            };
            let state = match state {
                State::Arriving => {
                    ready.push((path, stamp));
                    State::Arriving
                }
                State::Failed(error, PATIENCE) => {
                    look.failures.push(error);
                    State::Done
                }
                State::Failed(error, looks) => State::Failed(error, looks + 1),
                State::Done => State::Done,
            };
            self.insert(path, *stamp, state);
        }
        ready.sort_by_key(|(_, stamp)| stamp.modified);
        look.ready = ready.into_iter().map(|(path, _)| path.clone()).collect();
        look
    }

    fn is_recorded(&self, path: &Path, stamp: Stamp) -> bool {
        self.recorded.get(&path.display().to_string()) == Some(&stamp.modified())
    }

    fn insert(&mut self, path: &Path, stamp: Stamp, state: State) {
        self.files.insert(path.to_owned(), File { stamp, state });
    }

    /// With the stamp that it was read with, so that a later change is noticed.
    fn done(&mut self, path: &Path, stamp: Stamp) {
        self.insert(path, stamp, State::Done);
    }

    fn failed(&mut self, path: &Path, error: Error) {
        if let Some(file) = self.files.get_mut(path) {
            file.state = State::Failed(error, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    /// A folder's files: name, size, and second of the last change.
    fn folder(files: &[(&str, u64, u64)]) -> Vec<(PathBuf, Stamp)> {
        let file = |&(name, bytes, second): &(&str, u64, u64)| {
            let modified = Some(UNIX_EPOCH + Duration::from_secs(second));
            (PathBuf::from(name), Stamp { bytes, modified })
        };
        files.iter().map(file).collect()
    }

    fn ready(look: &Look) -> Vec<&str> {
        assert!(look.failures.is_empty());
        look.ready.iter().filter_map(|path| path.to_str()).collect()
    }

    #[test]
    fn a_file_is_read_when_it_has_stayed_the_same_and_again_when_it_has_changed() {
        let mut watched = Watched::default();
        for (size, is_ready) in
            [(1, false), (2, false), (3, false), (3, true), (3, false), (4, false), (4, true)]
        {
            let files = folder(&[("a", size, 0)]);
            let look = watched.look(&files);
            assert_eq!(ready(&look), if is_ready { vec!["a"] } else { vec![] }, "{size}");
            if is_ready {
                watched.done(&files[0].0, files[0].1);
            }
        }
        // It comes back after it was deleted.
        let files = folder(&[("a", 4, 0)]);
        let looks = [&[][..], &files, &files].map(|files| watched.look(files).ready.len());
        assert_eq!(looks, [0, 0, 1]);
    }

    #[test]
    fn those_that_came_first_are_read_first() {
        let mut watched = Watched::default();
        let files = folder(&[("a", 1, 5), ("b", 1, 3), ("c", 1, 5)]);
        watched.look(&files);
        assert_eq!(ready(&watched.look(&files)), ["b", "a", "c"]);
    }

    #[test]
    fn a_failure_is_reported_once_and_only_if_the_file_stays_as_it_is() {
        let mut watched = Watched::default();
        for size in [1, 2] {
            let files = folder(&[("a", size, 0)]);
            watched.look(&files);
            assert_eq!(ready(&watched.look(&files)), ["a"], "again after it has grown");
            watched.failed(&files[0].0, Error::msg("half"));
            for _ in 1..PATIENCE {
                assert!(ready(&watched.look(&files)).is_empty());
            }
        }
        let files = folder(&[("a", 2, 0)]);
        let reported = [(); 3].map(|()| watched.look(&files).failures.len());
        assert_eq!(reported, [1, 0, 0]);
    }

    #[test]
    fn what_is_recorded_is_not_read_again_unless_it_changes() {
        let mut watched = Watched::default();
        watched.recorded.insert("a".to_owned(), Some(5.0));
        for (second, reads) in [(5, 0), (6, 1)] {
            let files = folder(&[("a", 1, second)]);
            let looks = [(); 2].map(|()| watched.look(&files).ready.len());
            assert_eq!(looks, [0, reads]);
        }
    }
}
