//! Parts of arrays.

use std::ops::Range;

/// A part of an array that is read.
pub(super) struct Part<'a, A> {
    pub array: &'a A,
    pub start: usize,
    pub len: usize,
}

impl<'a, A> Part<'a, A> {
    pub fn new(array: &'a A, range: Range<usize>) -> Self {
        Self { array, start: range.start, len: range.len() }
    }

    /// A part of this part.
    pub fn part(self, range: Range<usize>) -> Self {
        Self { array: self.array, start: self.start + range.start, len: range.len() }
    }

    pub fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

impl<A> Clone for Part<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Part<'_, A> {}

/// A part of an array that is written.
pub(super) struct PartMut<'a, A> {
    pub array: &'a mut A,
    pub start: usize,
    pub len: usize,
}

impl<'a, A> PartMut<'a, A> {
    pub fn new(array: &'a mut A, range: Range<usize>) -> Self {
        Self { array, start: range.start, len: range.len() }
    }

    /// The same part, for a while.
    pub fn reborrow(&mut self) -> PartMut<'_, A> {
        PartMut { array: self.array, start: self.start, len: self.len }
    }
}
