use crate::{
    Sample,
    lanes::{LANES, Lanes, ZERO, per_lane, scaled, transposed},
    padding::Padding,
    sliding::Kernel,
    windowing::Windowing,
};

/// The columns of a strip that are processed together, and what is computed of them on the way from the pixels to
/// the results.
///
/// Vertical sums are taken of [`LANES`] columns at once, horizontal ones of [`LANES`] rows; in between, lanes and
/// neighbours change places. So no lane waits for another, whichever way the window slides.
pub(crate) struct Tile<'a, P, const S: usize, const C: usize, const R: usize> {
    kernel: &'a Kernel,
    /// Columns of output.
    pub(crate) width: usize,
    /// Rows of output.
    height: usize,
    /// Columns of input, in whole groups of lanes.
    stride: usize,
    /// Rows of input.
    rows: usize,
    /// The pixels of the input: a group of columns after the other, each from top to bottom.
    pixels: Vec<[[P; LANES]; S]>,
    /// One row of one plane.
    line: Vec<P>,
    /// What the sums of one group of columns or rows need on the way.
    partial: Vec<Lanes<C>>,
    /// The vertical sums of one group of columns.
    column: Vec<Lanes<C>>,
    /// The vertical sums of one band: a group of rows after the other, each from left to right.
    sums: Vec<Lanes<C>>,
    /// The results of one group of rows.
    results: Vec<Lanes<R>>,
    /// The same row by row: those of the first result, then those of the next.
    lines: Vec<f64>,
}

impl<'a, P: Sample, const S: usize, const C: usize, const R: usize> Tile<'a, P, S, C, R> {
    pub(crate) fn new(windowing: &Windowing<'a>, height: usize, width: usize) -> Self {
        let (kernel, band) = (windowing.kernel, windowing.band_rows());
        let stride = kernel.items(width).next_multiple_of(LANES);
        let rows = kernel.items(height.next_multiple_of(LANES));
        Self {
            kernel,
            width,
            height,
            stride,
            rows,
            pixels: vec![[[P::ZERO; LANES]; S]; rows * stride / LANES],
            line: vec![P::ZERO; stride],
            partial: vec![[ZERO; C]; kernel.buffer_len(band.max(width))],
            column: vec![[ZERO; C]; band],
            sums: vec![[ZERO; C]; band / LANES * stride],
            results: vec![[ZERO; R]; stride],
            lines: vec![0.0; R * LANES * stride],
        }
    }

    /// Fetches the pixels under the windows from padded `row` and `column` on.
    #[inline(always)]
    pub(crate) fn read(&mut self, padding: &Padding, planes: [&[P]; S], row: usize, column: usize) {
        let out = &mut self.line[..self.kernel.items(self.width)];
        // Rows that complete the last group of lanes yield nothing and stay as they are.
        for index in 0..self.kernel.items(self.height) {
            for (plane, values) in planes.iter().enumerate() {
                let line = padding.line(values, row + index, column, out);
                let (groups, rest) = line.as_chunks::<LANES>();
                let mut columns = self.pixels.chunks_exact_mut(self.rows);
                for (group, column) in groups.iter().zip(&mut columns) {
                    column[index][plane] = *group;
                }
                if let Some(column) = columns.next() {
                    column[index][plane][..rest.len()].copy_from_slice(rest);
                }
            }
        }
    }

    /// Slides the window over the tile, `band` rows at a time; `emit(row, results)` receives one row after the other.
    #[inline(always)]
    pub(crate) fn slide(
        &mut self,
        band: usize,
        moments: impl Fn([P; S]) -> [f64; C] + Copy,
        results: impl Fn([f64; C]) -> [f64; R] + Copy,
        mut emit: impl FnMut(usize, [&[f64]; R]),
    ) {
        for row in (0..self.height).step_by(band) {
            let height = band.min(self.height - row);
            let groups = height.div_ceil(LANES);
            self.slide_down(row, groups, moments);
            for group in 0..groups {
                self.slide_right(group, results);
                let first = group * LANES;
                for lane in 0..LANES.min(height - first) {
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
        moments: impl Fn([P; S]) -> [f64; C] + Copy,
    ) {
        let sums = &mut self.column[..groups * LANES];
        for (group, column) in self.pixels.chunks_exact(self.rows).enumerate() {
            self.kernel.slide(
                &column[row..row + self.kernel.items(sums.len())],
                &mut self.partial,
                sums,
                #[inline(always)]
                |pixels| per_lane(*pixels, moments),
                #[inline(always)]
                |sums| sums,
            );
            let start = group * LANES;
            for (rows, out) in sums.as_chunks().0.iter().zip(self.sums.chunks_mut(self.stride)) {
                for index in 0..C {
                    let columns = transposed(rows, index);
                    for (out, column) in out[start..start + LANES].iter_mut().zip(columns) {
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
        self.kernel.slide(
            &self.sums[start..start + self.kernel.items(self.width)],
            &mut self.partial,
            &mut self.results[..self.width],
            #[inline(always)]
            |sums| *sums,
            #[inline(always)]
            |sums| per_lane(scaled(sums, scale), results),
        );
        let columns = self.results[..self.width.next_multiple_of(LANES)].as_chunks().0;
        for (start, columns) in (0..).step_by(LANES).zip(columns) {
            for index in 0..R {
                for (lane, line) in transposed(columns, index).iter().enumerate() {
                    let at = (index * LANES + lane) * self.stride + start;
                    self.lines[at..at + LANES].copy_from_slice(line);
                }
            }
        }
    }

    /// One row of each result.
    #[inline(always)]
    fn line_of_results(&self, lane: usize) -> [&[f64]; R] {
        let mut lines: [&[f64]; R] = [&[]; R];
        for (index, line) in lines.iter_mut().enumerate() {
            let start = (index * LANES + lane) * self.stride;
            *line = &self.lines[start..start + self.width];
        }
        lines
    }
}
