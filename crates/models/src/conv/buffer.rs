//! Buffers that are used again, since the system has to clear every page of a new one.

use std::array;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that are not in use at the moment, by the logarithm of their length.
#[derive(Clone, Debug)]
pub(super) struct Buffers(Arc<Mutex<[Vec<Vec<f32>>; usize::BITS as usize]>>);

/// Values that go back to where they were taken from.
#[derive(Debug)]
pub(super) struct Buffer {
    values: Vec<f32>,
    len: usize,
    home: Buffers,
}

impl Default for Buffers {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(array::from_fn(|_| Vec::new()))))
    }
}

impl Buffers {
    /// A buffer of so many values that are whatever was left in it.
    pub fn take(&self, len: usize) -> Buffer {
        // What lies beyond `len` is never touched, and takes no memory before it is.
        let room = len.next_power_of_two();
        let spare = self.with_spares(room, Vec::pop);
        Buffer { values: spare.unwrap_or_else(|| vec![0.0; room]), len, home: self.clone() }
    }

    /// A buffer of zeros.
    pub fn zeros(&self, len: usize) -> Buffer {
        let mut buffer = self.take(len);
        buffer.fill(0.0);
        buffer
    }

    fn with_spares<T>(&self, room: usize, act: impl FnOnce(&mut Vec<Vec<f32>>) -> T) -> T {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut spares[room.ilog2() as usize])
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        self.home.with_spares(values.len(), |spares| spares.push(values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again() {
        let buffers = Buffers::default();
        let mut first = buffers.take(5);
        first.fill(1.0);
        let place = first.as_ptr();
        assert_ne!(buffers.take(6).as_ptr(), place);
        drop(first);
        // The last to go back is the first to be taken.
        let again = buffers.take(8);
        assert_eq!((again.as_ptr(), again.len()), (place, 8));
        drop(again);
        assert_eq!(*buffers.zeros(5), [0.0; 5]);
        assert_eq!(buffers.take(0).len(), 0);
    }
}
