use crate::tiling::Grid;
use crate::{Image, Plane};
use rayon::prelude::*;

/// The running sum of overlapping patches, weighted.
///
/// The sum is kept in f64: a sum of up to 2²⁹ equal f32 values is then exact, so that averaging patches that
/// agree changes nothing.
pub(crate) struct Stitch<'a> {
    grid: &'a Grid,
    sum: Plane<f64>,
}

impl<'a> Stitch<'a> {
    pub fn new(grid: &'a Grid) -> Self {
        let (width, height) = (grid.frame.outer_width(), grid.frame.outer_height());
        Self { grid, sum: Plane::filled(width, height, 0.0) }
    }

    /// Adds one patch per corner; `patches` is `(corners, patch, patch)`.
    pub fn add<T: Copy + Into<f64> + Sync>(&mut self, corners: &[(usize, usize)], patches: &[T]) {
        let width = self.sum.width();
        add_patches(self.sum.data_mut(), width, &self.grid.weights, corners, patches);
    }

    /// The mean of the patches that cover each pixel of the image, without its margins.
    pub fn average(&self) -> Image {
        self.precise_average().map(|mean| mean as f32)
    }

    /// As [`average`](Self::average), before the rounding.
    pub fn precise_average(&self) -> Plane<f64> {
        let (frame, (columns, rows)) = (self.grid.frame, self.grid.total_weights());
        let (left, top) = frame.corner();
        Plane::from_fn(frame.width, frame.height, |x, y| {
            let (x, y) = (left + x, top + y);
            self.sum.get(x, y) / (columns[x] * rows[y])
        })
    }
}

/// Adds one patch per corner to sums of `width` pixels a row. A patch's pixel is multiplied by the weights of its row and of its
/// column, of which there are as many as a patch has rows.
pub(crate) fn add_patches<T: Copy + Into<f64> + Sync>(
    sums: &mut [f64],
    width: usize,
    weights: &[f64],
    corners: &[(usize, usize)],
    patches: &[T],
) {
    let patch = weights.len();
    // In parallel over the rows of the image, so that each sum has the same order for any number of threads.
    sums.par_chunks_mut(width).enumerate().for_each(|(y, sums)| {
        for (&(left, top), values) in corners.iter().zip(patches.chunks_exact(patch * patch)) {
            let Some(row) = y.checked_sub(top).filter(|&row| row < patch) else { continue };
            let values = &values[row * patch..(row + 1) * patch];
            let (down, sums) = (weights[row], &mut sums[left..left + patch]);
            for ((sum, across), &value) in sums.iter_mut().zip(weights).zip(values) {
                *sum += down * across * value.into();
            }
        }
    });
}
