//! A folder that is looked at again and again.
//!
//! A file is read when it was the same in two looks. If it cannot be read then, its writer may only have paused: it is tried again
//! after every change, and reported when there has been none for a while. A file whose size and time of change stay while its number
//! or its rights change may have been replaced, or not: its content decides.

use super::stamp::Stamp;
use anyhow::Error;
use detector::records::PredictionRecord;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Looks at an unchanged file before it is reported that it cannot be read.
const PATIENCE: u32 = 10;

/// A folder as it was at the last look.
#[derive(Default)]
pub struct Watched {
    files: HashMap<PathBuf, File>,
    /// The images of earlier runs by path, until the first look.
    recorded: HashMap<String, Recorded>,
    /// Number of looks.
    looks: u64,
}

/// The state of an image when an earlier run read it.
struct Recorded {
    bytes: Option<u64>,
    modified: Option<f64>,
    changed: Option<f64>,
    sha256: Option<String>,
}

struct File {
    stamp: Stamp,
    state: State,
    /// The look that saw it last.
    seen: u64,
}

enum State {
    /// Seen with this stamp once.
    Arriving,
    /// As an earlier run or look has recorded it, with the hash of its content, but for what programs cannot set: its content decides.
    Doubtful(String),
    /// Could not be inspected; the number of times that it was seen since.
    Failed(Error, u32),
    /// Inspected, with the hash of its content, or reported.
    Done(Option<String>),
}

/// The findings of a look.
#[derive(Default)]
pub struct Look {
    /// Files to be inspected, those that were changed first before others.
    pub ready: Vec<PathBuf>,
    /// Files that may have been replaced. They come again until they are [settled](Watched::settle).
    pub doubtful: Vec<PathBuf>,
    /// Why files could not be inspected that will not change any more, as it seems.
    pub failures: Vec<Error>,
}

impl Watched {
    /// Remembers an image that an earlier run has inspected.
    pub fn remember(&mut self, record: PredictionRecord) {
        let PredictionRecord { image, bytes, modified, changed, sha256, .. } = record;
        self.recorded.insert(image, Recorded { bytes, modified, changed, sha256 });
    }

    /// Compares the folder with the last look.
    pub fn look(&mut self, folder: &[(PathBuf, Stamp)]) -> Look {
        self.looks += 1;
        let (mut look, mut ready) = (Look::default(), Vec::new());
        for (path, stamp) in folder {
            if self.see(path, *stamp, &mut look) {
                ready.push((stamp.modified, path));
            }
        }
        let now = self.looks;
        self.files.retain(|_, file| file.seen == now);
        // All that is there is known by now; a file that comes back later is another one.
        self.recorded.clear();
        ready.sort();
        look.ready = ready.into_iter().map(|(_, path)| path.clone()).collect();
        look
    }

    /// Looks at a file, and says whether it is ready to be inspected.
    fn see(&mut self, path: &Path, stamp: Stamp, look: &mut Look) -> bool {
        let Some(file) = self.files.get_mut(path) else {
            let state = self.state_of_new(path, stamp);
            look.doubt(path, &state);
            self.files.insert(path.to_owned(), File { stamp, state, seen: self.looks });
            return false;
        };
        file.seen = self.looks;
        if file.stamp != stamp {
            let is_alike = file.stamp.looks_like(&stamp);
            file.stamp = stamp;
            let state = std::mem::replace(&mut file.state, State::Arriving);
            if let (State::Done(Some(sha256)) | State::Doubtful(sha256), true) = (state, is_alike) {
                file.state = State::Doubtful(sha256);
            }
            look.doubt(path, &file.state);
            return false;
        }
        look.doubt(path, &file.state);
        match std::mem::replace(&mut file.state, State::Arriving) {
            State::Arriving => return true,
            State::Failed(error, PATIENCE) => {
                look.failures.push(error);
                file.state = State::Done(None);
            }
            State::Failed(error, looks) => file.state = State::Failed(error, looks + 1),
            state @ (State::Done(_) | State::Doubtful(_)) => file.state = state,
        }
        false
    }

    /// The state of a file that was not there at the last look.
    fn state_of_new(&self, path: &Path, stamp: Stamp) -> State {
        match self.recorded.get(&*path.to_string_lossy()) {
            Some(recorded) if recorded.looks_like(&stamp) => match &recorded.sha256 {
                Some(sha256) if recorded.changed != stamp.changed() => {
                    State::Doubtful(sha256.clone())
                }
                sha256 => State::Done(sha256.clone()),
            },
            _ => State::Arriving,
        }
    }

    /// A file was inspected, with the stamp that it was read with, so that a later change is noticed.
    pub fn done(&mut self, path: &Path, stamp: Stamp, sha256: Option<String>) {
        if let Some(file) = self.files.get_mut(path) {
            (file.stamp, file.state) = (stamp, State::Done(sha256));
        }
    }

    /// The content of a doubtful file has a hash, or cannot be read. If it is not the one that was inspected, the file is another one.
    pub fn settle(&mut self, path: &Path, sha256: Option<String>) {
        if let Some(file) = self.files.get_mut(path)
            && let State::Doubtful(expected) = &file.state
        {
            let is_same = sha256.as_ref() == Some(expected);
            file.state = if is_same { State::Done(sha256) } else { State::Arriving };
        }
    }

    /// A file could not be inspected.
    pub fn failed(&mut self, path: &Path, error: Error) {
        if let Some(file) = self.files.get_mut(path) {
            file.state = State::Failed(error, 1);
        }
    }
}

impl Look {
    fn doubt(&mut self, path: &Path, state: &State) {
        if matches!(state, State::Doubtful(_)) {
            self.doubtful.push(path.to_owned());
        }
    }
}

impl Recorded {
    /// Whether size and time of change are those of a file. Earlier versions did not record the size.
    fn looks_like(&self, stamp: &Stamp) -> bool {
        self.modified == stamp.modified() && self.bytes.is_none_or(|bytes| bytes == stamp.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::predict::stamp::Entry;
    use std::time::{Duration, UNIX_EPOCH};

    /// A folder's files: name, size, and second of the last change.
    fn folder(files: &[(&str, u64, u64)]) -> Vec<(PathBuf, Stamp)> {
        let file = |&(name, bytes, second): &(&str, u64, u64)| {
            let modified = Some(UNIX_EPOCH + Duration::from_secs(second));
            (PathBuf::from(name), Stamp { bytes, modified, entry: Entry::default() })
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
                watched.done(&files[0].0, files[0].1, None);
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

    /// With the number of the file on its disk.
    fn numbered(number: u64, bytes: u64) -> Vec<(PathBuf, Stamp)> {
        let mut files = folder(&[("a", bytes, 5)]);
        files[0].1.entry = Entry { number, changed: Some((number as i64, 0)) };
        files
    }

    #[test]
    fn what_is_recorded_is_not_read_again_unless_it_changes() {
        // Bytes and second of the record, and whether the file is read again.
        for (bytes, modified, reads) in
            [(Some(1), 5.0, 0), (None, 5.0, 0), (Some(2), 5.0, 1), (Some(1), 6.0, 1)]
        {
            let mut watched = Watched::default();
            let recorded =
                Recorded { bytes, modified: Some(modified), changed: None, sha256: None };
            watched.recorded.insert("a".to_owned(), recorded);
            let files = folder(&[("a", 1, 5)]);
            let looks = [(); 2].map(|()| watched.look(&files).ready.len());
            assert_eq!(looks, [0, reads], "{bytes:?} {modified}");
        }
    }

    /// Of files that were replaced by others of the same size and time, and of files whose rights changed, the content decides. They
    /// wait for it, and a change meanwhile makes them other files.
    #[test]
    fn another_number_or_change_asks_for_the_content() {
        let doubtful = |look: Look| (look.doubtful, look.ready.len());
        let asked = || (vec![PathBuf::from("a")], 0);
        let hash = || Some("hash".to_owned());
        let mut watched = Watched::default();
        let files = numbered(7, 1);
        watched.look(&files);
        assert_eq!(watched.look(&files).ready.len(), 1);
        watched.done(&files[0].0, files[0].1, hash());
        assert_eq!(doubtful(watched.look(&files)), (vec![], 0));
        let files = numbered(8, 1);
        assert_eq!(doubtful(watched.look(&files)), asked());
        assert_eq!(doubtful(watched.look(&files)), asked(), "until it is settled");
        assert_eq!(doubtful(watched.look(&numbered(9, 1))), asked());
        watched.settle(&files[0].0, hash());
        let files = numbered(9, 1);
        assert_eq!(doubtful(watched.look(&files)), (vec![], 0), "the content was the same");
        let files = numbered(10, 1);
        assert_eq!(doubtful(watched.look(&files)), asked());
        watched.settle(&files[0].0, Some("other".to_owned()));
        assert_eq!(doubtful(watched.look(&files)), (vec![], 1));
        watched.done(&files[0].0, files[0].1, hash());
        assert_eq!(doubtful(watched.look(&numbered(11, 1))), asked());
        assert_eq!(doubtful(watched.look(&numbered(11, 2))), (vec![], 0));
        watched.settle(&files[0].0, hash());
        assert_eq!(watched.look(&numbered(11, 2)).ready.len(), 1, "it grew before it was settled");

        // After a restart.
        let record = |changed| Recorded {
            bytes: Some(1),
            modified: Some(5.0),
            changed: Some(changed),
            sha256: hash(),
        };
        for (changed, expected) in [(10.0, (vec![], 0)), (7.0, asked())] {
            let mut watched = Watched::default();
            watched.recorded.insert("a".to_owned(), record(changed));
            assert_eq!(doubtful(watched.look(&files)), expected);
            watched.settle(&files[0].0, hash());
            assert_eq!(doubtful(watched.look(&files)), (vec![], 0));
        }
    }
}
