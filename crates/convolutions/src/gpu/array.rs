//! Parts of arrays.

use std::ops::Range;

/// A part of an array that is read.
pub struct ArrayView<'a, A> {
    pub array: &'a A,
    pub start: usize,
    pub len: usize,
}

impl<'a, A> ArrayView<'a, A> {
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

impl<A> Clone for ArrayView<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for ArrayView<'_, A> {}

/// A part of an array that is written.
pub struct ArrayViewMut<'a, A> {
    pub array: &'a mut A,
    pub start: usize,
    pub len: usize,
}

impl<'a, A> ArrayViewMut<'a, A> {
    pub fn new(array: &'a mut A, range: Range<usize>) -> Self {
        Self { array, start: range.start, len: range.len() }
    }

    /// The same part, borrowed for a shorter time.
    pub fn reborrow(&mut self) -> ArrayViewMut<'_, A> {
        ArrayViewMut { array: self.array, start: self.start, len: self.len }
    }
}
