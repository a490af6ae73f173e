use crate::tiling::Grid;
use crate::{Image, Plane};
use rayon::prelude::*;

/// The running sum of overlapping patches.
///
/// The sum is kept in f64: a sum of up to 2²⁹ equal f32 values is then exact, so that averaging patches that
/// agree changes nothing.
pub(crate) struct Stitch<'a> {
    grid: &'a Grid,
    sum: Plane<f64>,
}

impl<'a> Stitch<'a> {
    pub fn new(grid: &'a Grid) -> Self {
        Self { grid, sum: Plane::filled(grid.width, grid.height, 0.0) }
    }

    /// Adds one patch per corner; `patches` is `(corners, patch, patch)`.
    pub fn add<T: Copy + Into<f64> + Sync>(&mut self, corners: &[(usize, usize)], patches: &[T]) {
        add_patches(self.sum.data_mut(), self.grid.width, self.grid.patch, corners, patches);
    }

    /// The mean of the patches that cover each pixel.
    pub fn average(&self) -> Image {
        let average = self.precise_average();
        Plane::from_fn(self.grid.width, self.grid.height, |x, y| average.get(x, y) as f32)
    }

    /// As [`average`](Self::average), before the rounding.
    pub fn precise_average(&self) -> Plane<f64> {
        let (columns, rows) = self.grid.coverage();
        Plane::from_fn(self.grid.width, self.grid.height, |x, y| {
            self.sum.get(x, y) / (f64::from(columns[x]) * f64::from(rows[y]))
        })
    }
}

/// Adds one patch per corner to sums of `width` pixels a row.
pub(crate) fn add_patches<T: Copy + Into<f64> + Sync>(
    sums: &mut [f64],
    width: usize,
    patch: usize,
    corners: &[(usize, usize)],
    patches: &[T],
) {
    // In parallel over the rows of the image, so that each sum has the same order for any number of threads.
    sums.par_chunks_mut(width).enumerate().for_each(|(y, sums)| {
        for (&(left, top), values) in corners.iter().zip(patches.chunks_exact(patch * patch)) {
            let Some(row) = y.checked_sub(top).filter(|&row| row < patch) else { continue };
            let values = &values[row * patch..(row + 1) * patch];
            for (sum, &value) in sums[left..left + patch].iter_mut().zip(values) {
                *sum += value.into();
            }
        }
    });
}
