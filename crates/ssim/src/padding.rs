use crate::Sample;

/// The values beyond the edge of a plane.
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
    /// Copies the padded `row` of a plane from padded column `start` on.
    pub(crate) fn read<P: Sample>(&self, plane: &[P], row: usize, start: usize, line: &mut [f64]) {
        let Some(row) = self.inside(row, self.height) else {
            return line.fill(0.0);
        };
        let row = &plane[row * self.width..(row + 1) * self.width];
        let edge =
            |column| self.inside(column, self.width).map_or(0.0, |column| row[column].into());
        // Callers ask for at least a window's worth of pixels, which is more than the margin.
        let left = self.margin.saturating_sub(start);
        let first = start + left - self.margin;
        let right = left + (line.len() - left).min(self.width.saturating_sub(first));
        for (column, out) in (start..).zip(&mut line[..left]) {
            *out = edge(column);
        }
        for (out, &pixel) in line[left..right].iter_mut().zip(&row[first..]) {
            *out = pixel.into();
        }
        for (column, out) in (start + right..).zip(&mut line[right..]) {
            *out = edge(column);
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
