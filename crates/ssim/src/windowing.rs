use std::ops::Range;

use crate::{Error, Window, padding::Padding, vectors::vectorised};

/// Columns of output that are processed together, so that scratch stays in cache on wide images.
const TILE: usize = 96;

/// Fewest rows of output that one task computes. Neighbouring strips both read `size - 1` rows.
const STRIP: usize = 64;

/// A window in the form that it is applied in.
#[derive(Debug, Clone)]
pub(crate) enum Kernel {
    /// Sums over `size`×`size` pixels times `1 / size²`.
    Box { size: usize },
    /// The weights along one axis.
    Taps(Vec<f64>),
}

impl Kernel {
    pub(crate) fn new(window: &Window) -> Result<Self, Error> {
        Ok(match *window {
            Window::Uniform { size } => Self::Box { size },
            Window::Gaussian { .. } => Self::Taps(window.weights()?),
        })
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Box { size } => *size,
            Self::Taps(weights) => weights.len(),
        }
    }
}

/// Weighted means of `C` interleaved channels under a window that slides over a padded plane.
///
/// Rows are cut into strips of a height that depends on the window alone, and a strip is always
/// computed by one thread in one order: results do not depend on the number of threads. Scratch is
/// O(size · max(size, [`TILE`])) per thread, whatever the size of the image.
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

    /// Rows of output per strip.
    pub(crate) fn strip_rows(&self) -> usize {
        STRIP.max(self.kernel.size())
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
    /// `read(row, columns, out)` delivers the plane; `emit(row, column, means)` receives stretches of
    /// the output that start at `column`.
    ///
    /// All of it is compiled for the vectors of the machine. That takes closures marked `#[inline(always)]`:
    /// what stays a function of its own is compiled for the oldest machine.
    #[inline(always)]
    pub(crate) fn run<const C: usize>(
        &self,
        rows: Range<usize>,
        read: impl Fn(usize, Range<usize>, &mut [[f64; C]]),
        mut emit: impl FnMut(usize, usize, &[[f64; C]]),
    ) {
        vectorised(
            #[inline(always)]
            || self.run_tiles(rows, read, &mut emit),
        );
    }

    #[inline(always)]
    fn run_tiles<const C: usize>(
        &self,
        rows: Range<usize>,
        read: impl Fn(usize, Range<usize>, &mut [[f64; C]]),
        emit: &mut impl FnMut(usize, usize, &[[f64; C]]),
    ) {
        let size = self.kernel.size();
        let tile = TILE.max(size);
        for column in (0..self.width()).step_by(tile) {
            let mut scratch = Scratch::new(size, tile.min(self.width() - column));
            self.run_tile(
                rows.clone(),
                &mut scratch,
                #[inline(always)]
                |row, out| self.padding.read(row, column, out, &read),
                #[inline(always)]
                |row, means| emit(row, column, means),
            );
        }
    }

    #[inline(always)]
    fn run_tile<const C: usize>(
        &self,
        rows: Range<usize>,
        scratch: &mut Scratch<C>,
        read: impl Fn(usize, &mut [[f64; C]]),
        emit: impl FnMut(usize, &[[f64; C]]),
    ) {
        match self.kernel {
            Kernel::Box { .. } => box_tile(rows, scratch, read, emit),
            Kernel::Taps(weights) => taps_tile(weights, rows, scratch, read, emit),
        }
    }
}

/// Buffers of one tile.
struct Scratch<const C: usize> {
    /// As many input rows as the window is high.
    rows: Vec<[f64; C]>,
    /// One row of partial sums in the vertical direction.
    column_sums: Vec<[f64; C]>,
    /// Partial sums of one block in the horizontal direction.
    suffix: Vec<[f64; C]>,
    /// One row of output.
    means: Vec<[f64; C]>,
    size: usize,
}

impl<const C: usize> Scratch<C> {
    fn new(size: usize, width: usize) -> Self {
        let padded = width + size - 1;
        Self {
            rows: vec![[0.0; C]; size * padded],
            column_sums: vec![[0.0; C]; padded],
            suffix: vec![[0.0; C]; size],
            means: vec![[0.0; C]; width],
            size,
        }
    }

    fn padded(&self) -> usize {
        self.column_sums.len()
    }
}

/// Sliding sums by van Herk's scheme: rows are grouped into blocks as high as the window, and every
/// window is the end of one block plus the start of the next.
///
/// Three additions per pixel whatever the size, as for a running sum, but nothing is ever subtracted:
/// a huge pixel leaves no rounding error behind once the window has passed it.
#[inline(always)]
fn box_tile<const C: usize>(
    rows: Range<usize>,
    scratch: &mut Scratch<C>,
    read: impl Fn(usize, &mut [[f64; C]]),
    mut emit: impl FnMut(usize, &[[f64; C]]),
) {
    let (size, padded) = (scratch.size, scratch.padded());
    let scale = 1.0 / (size * size) as f64;
    for (row, out) in (rows.start..).zip(scratch.rows.chunks_exact_mut(padded)) {
        read(row, out);
    }
    for row in rows.clone() {
        let slot = (row - rows.start) % size;
        if slot == 0 {
            // The buffer holds one whole block; the next block replaces it row by row below.
            accumulate_upwards(&mut scratch.rows, padded);
            scratch.column_sums.fill([0.0; C]);
        }
        let ending = &mut scratch.rows[slot * padded..(slot + 1) * padded];
        add_rows(ending, &scratch.column_sums);
        box_row(ending, &mut scratch.suffix, scale, &mut scratch.means);
        emit(row, &scratch.means);
        if row + 1 < rows.end {
            read(row + size, ending);
            add_rows(&mut scratch.column_sums, ending);
        }
    }
}

/// Replaces every row by the sum of itself and all rows after it.
#[inline(always)]
fn accumulate_upwards<const C: usize>(rows: &mut [[f64; C]], padded: usize) {
    for start in (padded..rows.len()).step_by(padded).rev() {
        let (above, below) = rows.split_at_mut(start);
        add_rows(&mut above[start - padded..], &below[..padded]);
    }
}

#[inline(always)]
fn add_rows<const C: usize>(sums: &mut [[f64; C]], row: &[[f64; C]]) {
    for (sum, &value) in sums.as_flattened_mut().iter_mut().zip(row.as_flattened()) {
        *sum += value;
    }
}

/// The horizontal counterpart of [`box_tile`], for a single row.
#[inline(always)]
fn box_row<const C: usize>(
    row: &[[f64; C]],
    suffix: &mut [[f64; C]],
    scale: f64,
    means: &mut [[f64; C]],
) {
    let size = suffix.len();
    for (block, means) in means.chunks_mut(size).enumerate() {
        let (ending, starting) = row[block * size..].split_at(size);
        let mut sum = [0.0; C];
        for (suffix, value) in suffix.iter_mut().zip(ending).rev() {
            sum = add(sum, *value);
            *suffix = sum;
        }
        if let Some((first, rest)) = means.split_first_mut() {
            *first = scaled(sum, scale);
            let mut prefix = [0.0; C];
            for ((mean, suffix), value) in rest.iter_mut().zip(&suffix[1..]).zip(starting) {
                prefix = add(prefix, *value);
                *mean = scaled(add(*suffix, prefix), scale);
            }
        }
    }
}

#[inline(always)]
fn add<const C: usize>(a: [f64; C], b: [f64; C]) -> [f64; C] {
    let mut sum = a;
    for (sum, b) in sum.iter_mut().zip(b) {
        *sum += b;
    }
    sum
}

#[inline(always)]
fn scaled<const C: usize>(mut sum: [f64; C], scale: f64) -> [f64; C] {
    for sum in &mut sum {
        *sum *= scale;
    }
    sum
}

/// Separable weighting: the last `size` rows of input are kept, and every output row is their weighted sum.
#[inline(always)]
fn taps_tile<const C: usize>(
    weights: &[f64],
    rows: Range<usize>,
    scratch: &mut Scratch<C>,
    read: impl Fn(usize, &mut [[f64; C]]),
    mut emit: impl FnMut(usize, &[[f64; C]]),
) {
    let (size, padded) = (scratch.size, scratch.padded());
    for (row, out) in (rows.start..).zip(scratch.rows.chunks_exact_mut(padded)) {
        read(row, out);
    }
    for row in rows.clone() {
        // Row `r` of the strip's input lies in slot `r % size`.
        let oldest = (row - rows.start) % size;
        scratch.column_sums.fill([0.0; C]);
        for (tap, &weight) in weights.iter().enumerate() {
            let slot = (oldest + tap) % size;
            add_weighted(
                &mut scratch.column_sums,
                weight,
                &scratch.rows[slot * padded..(slot + 1) * padded],
            );
        }
        taps_row(weights, &scratch.column_sums, &mut scratch.means);
        emit(row, &scratch.means);
        if row + 1 < rows.end {
            read(row + size, &mut scratch.rows[oldest * padded..(oldest + 1) * padded]);
        }
    }
}

#[inline(always)]
fn add_weighted<const C: usize>(sums: &mut [[f64; C]], weight: f64, row: &[[f64; C]]) {
    for (sum, &value) in sums.as_flattened_mut().iter_mut().zip(row.as_flattened()) {
        *sum += weight * value;
    }
}

#[inline(always)]
fn taps_row<const C: usize>(weights: &[f64], row: &[[f64; C]], means: &mut [[f64; C]]) {
    for (mean, window) in means.iter_mut().zip(row.windows(weights.len())) {
        let mut sum = [0.0; C];
        for (&weight, value) in weights.iter().zip(window) {
            for (sum, value) in sum.iter_mut().zip(value) {
                *sum += weight * value;
            }
        }
        *mean = sum;
    }
}
