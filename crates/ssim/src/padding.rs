use std::ops::Range;

/// What lies beyond the edge of a plane.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Beyond {
    /// The plane mirrored, edge included.
    Mirror,
    /// Zeros.
    Zero,
}

/// A plane with a margin of equal width on all sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Padding {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) margin: usize,
    pub(crate) beyond: Beyond,
}

impl Padding {
    /// Fills `out` with the padded `row` from padded column `start` on.
    ///
    /// `read(row, columns, out)` delivers stretches of the plane itself.
    #[inline(always)]
    pub(crate) fn read<const C: usize>(
        &self,
        row: usize,
        start: usize,
        out: &mut [[f64; C]],
        read: impl Fn(usize, Range<usize>, &mut [[f64; C]]),
    ) {
        let Some(row) = self.inside(row, self.height) else { return out.fill([0.0; C]) };
        // Callers ask for at least a window's worth of pixels, which is more than the margin.
        let left = self.margin.saturating_sub(start);
        let first = start + left - self.margin;
        let middle = (out.len() - left).min(self.width.saturating_sub(first));
        let edge = |column: usize, out: &mut [f64; C]| match self.inside(column, self.width) {
            Some(column) => read(row, column..column + 1, std::slice::from_mut(out)),
            None => *out = [0.0; C],
        };
        for (column, out) in (start..).zip(&mut out[..left]) {
            edge(column, out);
        }
        read(row, first..first + middle, &mut out[left..left + middle]);
        for (column, out) in (start + left + middle..).zip(&mut out[left + middle..]) {
            edge(column, out);
        }
    }

    /// The index in the plane of the padded index `padded`, or `None` for a zero.
    fn inside(&self, padded: usize, length: usize) -> Option<usize> {
        let before = padded < self.margin;
        let index = if before { self.margin - 1 - padded } else { padded - self.margin };
        match self.beyond {
            // The window is no larger than the plane, so one reflection suffices.
            Beyond::Mirror if index >= length => Some(2 * length - 1 - index),
            Beyond::Mirror => Some(index),
            Beyond::Zero => (!before && index < length).then_some(index),
        }
    }
}
