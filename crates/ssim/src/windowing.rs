use std::ops::Range;

use crate::{
    lanes::MOST_LANES,
    padding::Padding,
    sliding::Kernel,
    tile::Tile,
    vectors::{Vectors, Widest},
};

/// Most columns of output that are processed together, unless the window is wider: what a tile needs stays in the
/// second level of cache.
const TILE: usize = 128;

/// Rows of output between two starts of running sums, unless the window is higher.
const BAND: usize = 16;

/// Most rows of output that one task computes, unless the window is higher.
const STRIP: usize = 64;

/// Fills in a padded line of a plane: `read(plane, row, column, line)`, from `column` on.
pub(crate) type Read<'a> = &'a dyn Fn(usize, usize, usize, &mut [f64]);

/// Receives a stretch of each of `R` results: `emit(row, column, results)`, from `column` on.
pub(crate) type Emit<'a, const R: usize> = &'a mut dyn FnMut(usize, usize, [&[f64]; R]);

/// Weighted means under a window that slides over padded planes.
///
/// Rows are cut into strips of a height that depends on the window alone, and a strip is always
/// computed by one thread in one order: results do not depend on the number of threads.
#[derive(Clone, Copy)]
pub(crate) struct Windowing<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) padding: Padding,
}

impl Windowing<'_> {
    pub(crate) fn width(&self) -> usize {
        self.padding.width + 2 * self.padding.margin + 1 - self.kernel.size()
    }

    pub(crate) fn height(&self) -> usize {
        self.padding.height + 2 * self.padding.margin + 1 - self.kernel.size()
    }

    /// Rows of output whose vertical sums are computed together, in whole groups of lanes. With van Herk's scheme no
    /// more than the window is high, so that one block yields them all.
    pub(crate) fn band_rows(&self) -> usize {
        let size = self.kernel.size();
        match self.kernel {
            Kernel::Running { .. } => BAND.max(size - size % MOST_LANES),
            Kernel::Box { .. } | Kernel::Taps(_) => MOST_LANES.max(size - size % MOST_LANES),
        }
    }

    /// The largest rounding error of a running sum's mean, for values of magnitude 1.
    ///
    /// A running sum takes up to `steps` additions and subtractions. Each rounds by half an ulp of a sum that is at most as
    /// large as the window's, and the last rows and columns of a tile carry the errors of all.
    pub(crate) fn running_error(size: usize) -> f64 {
        let steps = 2 * (size + BAND.max(size)) + 2 * (size + TILE.max(size));
        steps as f64 * f64::EPSILON
    }

    /// Rows of output per strip.
    pub(crate) fn strip_rows(&self) -> usize {
        let band = self.band_rows();
        band * (STRIP / band).max(1)
    }

    /// The rows of strip number `index`.
    pub(crate) fn strip(&self, index: usize) -> Range<usize> {
        let start = index * self.strip_rows();
        start..self.height().min(start + self.strip_rows())
    }

    /// The rows of all strips, from top to bottom.
    pub(crate) fn strips(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.height().div_ceil(self.strip_rows())).map(|index| self.strip(index))
    }

    /// Computes the rows of one strip.
    ///
    /// The values of `S` planes at a pixel become `C` moments, and their means under a window become `R` results.
    ///
    /// All between `read` and `emit` is compiled for the vectors of the machine. That takes closures marked
    /// `#[inline(always)]`: what stays a function of its own is compiled for the oldest machine. What `results` captures it
    /// should own, or it is loaded again for every window. It is compiled anew for each pair of `moments` and `results`,
    /// which takes long; so it depends on nothing else, and callers share what they can of them.
    pub(crate) fn run<const S: usize, const C: usize, const R: usize>(
        &self,
        rows: Range<usize>,
        read: Read<'_>,
        moments: impl Fn([f64; S]) -> [f64; C] + Copy,
        results: impl Fn([f64; C]) -> [f64; R] + Copy,
        emit: Emit<'_, R>,
    ) {
        match Widest::of_machine() {
            #[cfg(target_arch = "x86_64")]
            Widest::Eight(vectors) => vectors.run(
                #[inline(always)]
                || self.run_on(vectors, rows, read, moments, results, emit),
            ),
            #[cfg(target_arch = "x86_64")]
            Widest::Four(vectors) => vectors.run(
                #[inline(always)]
                || self.run_on(vectors, rows, read, moments, results, emit),
            ),
            Widest::Two(vectors) => vectors.run(
                #[inline(always)]
                || self.run_on(vectors, rows, read, moments, results, emit),
            ),
        }
    }

    /// [`Self::run`] with `L` lanes.
    #[inline(always)]
    fn run_on<const S: usize, const C: usize, const R: usize, const L: usize>(
        &self,
        vectors: Vectors<L>,
        rows: Range<usize>,
        read: Read<'_>,
        moments: impl Fn([f64; S]) -> [f64; C] + Copy,
        results: impl Fn([f64; C]) -> [f64; R] + Copy,
        emit: Emit<'_, R>,
    ) {
        let width = self.tile_width();
        let band = self.band_rows();
        let mut tile = Tile::new(vectors, self.kernel, band, rows.len(), width);
        for column in (0..self.width()).step_by(width) {
            tile.width = width.min(self.width() - column);
            tile.read(|plane, row, line| read(plane, rows.start + row, column, line));
            tile.slide(
                band,
                moments,
                results,
                #[inline(always)]
                |row, results| emit(rows.start + row, column, results),
            );
        }
    }

    /// Columns of output per tile, equal but for the last.
    fn tile_width(&self) -> usize {
        let tiles = self.width().div_ceil(TILE.max(self.kernel.size()));
        self.width().div_ceil(tiles)
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::padding::Beyond;

    /// Says nothing on machines without AVX2.
    #[test]
    fn sums_are_the_same_for_any_number_of_lanes() {
        let (width, height) = (150, 70);
        let plane: Vec<f32> = (0..width * height).map(|i| (i as f32).sin()).collect();
        let taps = Kernel::Taps(vec![0.1, 0.2, 0.4, 0.2, 0.1]);
        let boxes = [1, 3, 7, 11, 21].map(|size| Kernel::Box { size });
        let running = [1, 3, 7, 11, 21].map(|size| Kernel::Running { size });
        for kernel in boxes.iter().chain(&running).chain([&taps]) {
            let margin = kernel.size() / 2;
            let padding = Padding { width, height, margin, beyond: Beyond::Mirror };
            let windowing = Windowing { kernel, padding };
            let expected = means(&windowing, Vectors::TWO, &plane);
            let four = Vectors::four().map(|four| means(&windowing, four, &plane));
            assert!(four.is_none_or(|means| means == expected), "{kernel:?}");
            let eight = Vectors::eight().map(|eight| means(&windowing, eight, &plane));
            assert!(eight.is_none_or(|means| means == expected), "{kernel:?}");
        }
    }

    fn means<const L: usize>(
        windowing: &Windowing<'_>,
        vectors: Vectors<L>,
        plane: &[f32],
    ) -> Vec<f64> {
        let mut means = vec![0.0; plane.len()];
        for rows in windowing.strips() {
            let mut emit = |row, column, [stretch]: [&[f64]; 1]| {
                let first = row * windowing.width() + column;
                means[first..first + stretch.len()].copy_from_slice(stretch);
            };
            let read = |_, row, column, line: &mut [f64]| {
                windowing.padding.read(plane, row, column, line);
            };
            windowing.run_on(vectors, rows, &read, |[x]| [x], |mean| mean, &mut emit);
        }
        means
    }
}
