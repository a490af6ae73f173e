//! Inspecting a list of images: while one is inspected, others are read and written.

use super::failures::Failures;
use super::in_order::in_order;
use super::names::Names;
use super::prediction::{ImageFile, Job, Prediction};
use super::recorded::{Known, Recorded};
use super::room::{Place, Room};
use super::run::Run;
use crate::interrupt;
use anyhow::Result;
use detector::image_size;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads that read, and threads that write, at most.
const MOST_THREADS: usize = 4;

/// An image of a list on its way from one step to the next.
struct Item<'a, T> {
    /// Its number in the list.
    position: usize,
    /// Absent if a list names none.
    path: Option<PathBuf>,
    state: Result<State<'a, T>>,
    /// Its room, which is given back when it is recorded.
    place: Place,
}

enum State<'a, T> {
    /// The result of an earlier run holds.
    Recorded(&'a Known),
    /// Read, inspected or written, and the result of an earlier run that is replaced, if there is one.
    Done(T, Option<&'a Known>),
}

/// The way of a list to its results.
pub struct Pipeline<'a> {
    pub job: &'a Job,
    pub recorded: &'a Recorded,
    /// Whether the list is a part of another one.
    pub is_shard: bool,
    /// Set at the end, so that nobody waits for more of the list if something has failed.
    pub halt: &'a AtomicBool,
}

impl<'a> Pipeline<'a> {
    /// Inspects images and records them in their order, but for those with a record that holds. If a signal comes, images that were not
    /// yet inspected are left.
    ///
    /// # Errors
    /// If a result cannot be written.
    pub fn run(
        &self,
        images: impl Iterator<Item = (usize, Result<PathBuf>)> + Send,
        run: &mut Run<'_>,
        failures: &mut Failures,
    ) -> Result<()> {
        let threads = rayon::current_num_threads().min(MOST_THREADS);
        let (room, names) = (Room::default(), Mutex::new(run.take_names()));
        let images = images.map(move |(position, path)| {
            let size = path.as_ref().ok().and_then(|path| image_size(path));
            (position, path, room.take(size.map_or(0, |(width, height)| width * height)))
        });
        thread::scope(|scope| {
            let read = in_order(scope, images, threads, |(position, path, place)| {
                self.read(position, path, place)
            });
            let inspected = in_order(scope, read, 1, |item| {
                (!interrupt::came()).then(|| self.inspect(item, &names))
            });
            let inspected = inspected.map_while(|item| item);
            let mut written = in_order(scope, inspected, threads, |item| self.write(item));
            let recorded = written.try_for_each(|item| self.record(run, failures, item?));
            self.halt.store(true, Ordering::Relaxed);
            recorded
        })
    }

    fn read(&self, position: usize, path: Result<PathBuf>, place: Place) -> Item<'a, ImageFile> {
        let (path, state) = match path {
            Ok(path) => (Some(path.clone()), self.read_unless_known(&path)),
            Err(error) => (None, Err(error)),
        };
        Item { position, path, state, place }
    }

    fn read_unless_known(&self, path: &Path) -> Result<State<'a, ImageFile>> {
        let known = self.recorded.get(path);
        match known {
            Some(known) if known.holds(path, &self.job.settings) => Ok(State::Recorded(known)),
            _ => Ok(State::Done(self.job.read(path)?, known)),
        }
    }

    fn inspect(&self, item: Item<'a, ImageFile>, names: &Mutex<Names>) -> Item<'a, Prediction> {
        let Item { position, path, state, place } = item;
        let state = state.and_then(|state| match state {
            State::Recorded(known) => Ok(State::Recorded(known)),
            State::Done(file, known) => {
                let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
                let id = names.again(known.map(|known| &*known.id), file.path());
                let found = self.job.inspect(file, id)?;
                names.take(&found.record.id);
                Ok(State::Done(found, known))
            }
        });
        Item { position, path, state, place }
    }

    /// The outer error is one of writing.
    fn write(&self, mut item: Item<'a, Prediction>) -> Result<Item<'a, Prediction>> {
        if let Ok(State::Done(found, _)) = &mut item.state {
            self.job.write(found)?;
        }
        Ok(item)
    }

    /// Records an image, or reports why it could not be inspected.
    fn record(
        &self,
        run: &mut Run<'_>,
        failures: &mut Failures,
        item: Item<'_, Prediction>,
    ) -> Result<()> {
        let Item { position, path, state, place } = item;
        match state {
            Ok(State::Done(mut found, known)) => {
                found.record.position = self.is_shard.then_some(position);
                run.append(&found, known)?;
                run.announce(&found)?;
            }
            Ok(State::Recorded(known)) => run.pass(known),
            Err(error) => {
                run.reject(&error);
                failures.add(path.as_deref(), &error)?;
            }
        }
        drop(place);
        Ok(())
    }
}
