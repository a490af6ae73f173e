use std::array;

use crate::{
    lanes::{Lanes, per_lane, scaled, transposed},
    sliding::Kernel,
    vectors::Vectors,
};

/// The columns of a strip that are processed together, and what is computed of them on the way from the pixels to
/// the results.
///
/// Vertical sums are taken of `L` columns at once, horizontal ones of `L` rows; in between, lanes and
/// neighbours change places. So no lane waits for another, whichever way the window slides.
pub(crate) struct Tile<'a, const S: usize, const C: usize, const R: usize, const L: usize> {
    vectors: Vectors<L>,
    kernel: &'a Kernel,
    /// Columns of output.
    pub(crate) width: usize,
    /// Rows of output.
    height: usize,
    /// Columns of input, in whole groups of lanes.
    stride: usize,
    /// The pixels of each plane of the input, row by row.
    pixels: [Vec<f64>; S],
    /// Scratch for the sums of one group of columns or rows.
    partial: Vec<Lanes<C, L>>,
    /// The vertical sums of one group of columns.
    column: Vec<Lanes<C, L>>,
    /// The vertical sums of one band: a group of rows after the other, each from left to right.
    sums: Vec<Lanes<C, L>>,
    /// The results of one group of rows.
    results: Vec<Lanes<R, L>>,
    /// The same row by row: those of the first result, then those of the next.
    lines: Vec<f64>,
}

impl<'a, const S: usize, const C: usize, const R: usize, const L: usize> Tile<'a, S, C, R, L> {
    /// A tile of `width`×`height` pixels of output, whose vertical sums are computed for `band` rows at a time.
    pub(crate) fn new(
        vectors: Vectors<L>,
        kernel: &'a Kernel,
        band: usize,
        height: usize,
        width: usize,
    ) -> Self {
        let stride = kernel.items(width).next_multiple_of(L);
        // Rows that complete the last group of lanes yield nothing and stay as they are.
        let rows = kernel.items(height.next_multiple_of(L));
        Self {
            vectors,
            kernel,
            width,
            height,
            stride,
            pixels: array::from_fn(|_| vec![0.0; rows * stride]),
            partial: vec![[[0.0; L]; C]; kernel.buffer_len(band.max(width))],
            column: vec![[[0.0; L]; C]; band],
            sums: vec![[[0.0; L]; C]; band / L * stride],
            results: vec![[[0.0; L]; R]; stride],
            lines: vec![0.0; R * L * stride],
        }
    }

    /// Fetches the pixels under the windows: `read(plane, row, line)` fills in a line of a plane.
    #[inline(always)]
    pub(crate) fn read(&mut self, read: impl Fn(usize, usize, &mut [f64])) {
        let width = self.kernel.items(self.width);
        for (plane, pixels) in self.pixels.iter_mut().enumerate() {
            let lines = pixels.chunks_exact_mut(self.stride);
            for (row, line) in lines.take(self.kernel.items(self.height)).enumerate() {
                read(plane, row, &mut line[..width]);
            }
        }
    }

    /// Slides the window over the tile, `band` rows at a time; `emit(row, results)` receives one row after the other.
    #[inline(always)]
    pub(crate) fn slide(
        &mut self,
        band: usize,
        moments: impl Fn([f64; S]) -> [f64; C] + Copy,
        results: impl Fn([f64; C]) -> [f64; R] + Copy,
        mut emit: impl FnMut(usize, [&[f64]; R]),
    ) {
        for row in (0..self.height).step_by(band) {
            let height = band.min(self.height - row);
            let groups = height.div_ceil(L);
            self.slide_down(row, groups, moments);
            for group in 0..groups {
                self.slide_right(group, results);
                let first = group * L;
                for lane in 0..L.min(height - first) {
                    emit(row + first + lane, self.line_of_results(lane));
                }
            }
        }
    }

    /// Computes the vertical sums of groups of rows from `row` on.
    #[inline(always)]
    fn slide_down(
        &mut self,
        row: usize,
        groups: usize,
        moments: impl Fn([f64; S]) -> [f64; C] + Copy,
    ) {
        let (sums, stride) = (&mut self.column[..groups * L], self.stride);
        for start in (0..stride).step_by(L) {
            self.kernel.slide(
                groups * L,
                &mut self.partial,
                #[inline(always)]
                |index| {
                    let first = (row + index) * stride + start;
                    let mut pixels = [[0.0; L]; S];
                    for (pixels, plane) in pixels.iter_mut().zip(&self.pixels) {
                        pixels.copy_from_slice(&plane[first..first + L]);
                    }
                    per_lane(pixels, moments)
                },
                #[inline(always)]
                |row, sum| sums[row] = sum,
            );
            for (rows, out) in sums.as_chunks().0.iter().zip(self.sums.chunks_mut(stride)) {
                for index in 0..C {
                    let columns = transposed(self.vectors, rows, index);
                    for (out, column) in out[start..start + L].iter_mut().zip(columns) {
                        out[index] = column;
                    }
                }
            }
        }
    }

    /// Computes the results of one group of rows from their vertical sums.
    #[inline(always)]
    fn slide_right(&mut self, group: usize, results: impl Fn([f64; C]) -> [f64; R] + Copy) {
        let start = group * self.stride;
        let scale = self.kernel.scale();
        let sums = &self.sums[start..start + self.kernel.items(self.width)];
        let out = &mut self.results[..self.width];
        self.kernel.slide(
            self.width,
            &mut self.partial,
            #[inline(always)]
            |column| sums[column],
            #[inline(always)]
            |column, sum| out[column] = per_lane(scaled(sum, scale), results),
        );
        let columns = self.results[..self.width.next_multiple_of(L)].as_chunks().0;
        for (start, columns) in (0..).step_by(L).zip(columns) {
            for index in 0..R {
                for (lane, line) in transposed(self.vectors, columns, index).iter().enumerate() {
                    let at = (index * L + lane) * self.stride + start;
                    self.lines[at..at + L].copy_from_slice(line);
                }
            }
        }
    }

    /// One row of each result.
    #[inline(always)]
    fn line_of_results(&self, lane: usize) -> [&[f64]; R] {
        let mut lines: [&[f64]; R] = [&[]; R];
        for (index, line) in lines.iter_mut().enumerate() {
            let start = (index * L + lane) * self.stride;
            *line = &self.lines[start..start + self.width];
        }
        lines
    }
}
