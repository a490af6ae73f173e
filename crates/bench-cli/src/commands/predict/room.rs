//! Room in memory for the images of a run.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Pixels of all images between reading and recording, unless a single one has more. An inspected image takes about 16 bytes a pixel.
const MOST: usize = 1 << 26;

/// Room for images.
#[derive(Clone, Default)]
pub struct Room(Arc<Inner>);

#[derive(Default)]
struct Inner {
    taken: Mutex<usize>,
    given_back: Condvar,
}

/// A part of the room. It is given back when it is dropped.
pub struct Place {
    pixels: usize,
    room: Room,
}

impl Room {
    /// Waits until there is room for an image. Images must take it in the order in which they leave, or they wait for each other.
    pub fn take(&self, pixels: usize) -> Place {
        let is_full = |taken: &mut usize| *taken > 0 && *taken + pixels > MOST;
        let taken = self.0.given_back.wait_while(self.taken(), is_full);
        *taken.unwrap_or_else(PoisonError::into_inner) += pixels;
        Place { pixels, room: self.clone() }
    }

    fn taken(&self) -> MutexGuard<'_, usize> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.room.taken() -= self.pixels;
        self.room.0.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn an_image_waits_until_there_is_room() {
        let room = Room::default();
        // More than there is, but alone.
        let huge = room.take(3 * MOST);
        let (taken, takes) = channel();
        thread::scope(|scope| {
            scope.spawn(|| taken.send(room.take(1)));
            assert!(takes.recv_timeout(Duration::from_millis(20)).is_err(), "there is no room");
            drop(huge);
            let small = takes.recv();
            assert!(small.is_ok());
            // Two that fill the room do not wait.
            let half = room.take(MOST / 2);
            drop((room.take(MOST / 2 - 1), half, small));
        });
        assert_eq!(*room.taken(), 0);
    }
}
