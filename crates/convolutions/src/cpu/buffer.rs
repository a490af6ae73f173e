//! Buffers that are used again. New memory takes time, because the system has to clear each of its pages.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers that are not in use at the moment.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<f32>>>>);

/// Values that go back to their [`Buffers`] when they are dropped.
#[derive(Debug)]
pub struct Buffer {
    values: Vec<f32>,
    len: usize,
    home: Buffers,
}

impl Buffers {
    /// A buffer of `len` values, which are those that were left in it.
    pub fn take(&self, len: usize) -> Buffer {
        // Twice the length at most, so that small requests do not use up the large buffers.
        let fits = |values: &&Vec<f32>| (len..=2 * len).contains(&values.len());
        let mut spares = self.spares();
        let best = spares.iter().enumerate().filter(|(_, values)| fits(values));
        let best = best.min_by_key(|(_, values)| values.len()).map(|(index, _)| index);
        let spare = best.map(|index| spares.swap_remove(index));
        drop(spares);
        Buffer { values: spare.unwrap_or_else(|| vec![0.0; len]), len, home: self.clone() }
    }

    /// A buffer of zeros.
    pub fn zeros(&self, len: usize) -> Buffer {
        let mut buffer = self.take(len);
        buffer.fill(0.0);
        buffer
    }

    /// A copy of values.
    pub fn copy(&self, values: &[f32]) -> Buffer {
        let mut buffer = self.take(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    fn spares(&self) -> MutexGuard<'_, Vec<Vec<f32>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.home.spares().push(std::mem::take(&mut self.values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again() {
        let buffers = Buffers::default();
        let mut first = buffers.take(8);
        first.fill(1.0);
        let place = first.as_ptr();
        let second = buffers.take(8);
        assert_ne!(second.as_ptr(), place);
        drop(first);
        // Too long for 3 values, too short for 9.
        for len in [3, 9] {
            assert_ne!(buffers.take(len).as_ptr(), place);
        }
        let again = buffers.take(5);
        assert_eq!(*again, [1.0; 5]);
        drop(again);
        assert_eq!(*buffers.zeros(4), [0.0; 4]);
        assert_eq!(*buffers.copy(&[1.0, 2.0]), [1.0, 2.0]);
    }
}
