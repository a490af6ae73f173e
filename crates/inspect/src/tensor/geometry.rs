use crate::Error;
use crate::tiling::tile_positions;

/// Where the patches of an image lie, in closed form, as the kernels know it. Patches are numbered row by row.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Geometry {
    pub width: usize,
    pub height: usize,
    pub patch: usize,
    pub stride: usize,
    /// Patches side by side, and one above the other.
    pub columns: usize,
    pub rows: usize,
}

impl Geometry {
    /// # Errors
    /// As for [`tile_positions`].
    pub fn new(width: usize, height: usize, patch: usize, stride: usize) -> Result<Self, Error> {
        let columns = tile_positions(width, patch, stride)?.len();
        let rows = tile_positions(height, patch, stride)?.len();
        Ok(Self { width, height, patch, stride, columns, rows })
    }

    /// The upper left corner `(x, y)` of a patch: at multiples of the stride, and flush with the border.
    pub fn corner(&self, tile: usize) -> (usize, usize) {
        let (row, column) = (tile / self.columns, tile % self.columns);
        let (last_x, last_y) = (self.width - self.patch, self.height - self.patch);
        ((column * self.stride).min(last_x), (row * self.stride).min(last_y))
    }

    /// The rows of the image that some patches touch, of which there is at least one.
    #[cfg(feature = "cuda")]
    pub fn rows_of(&self, tiles: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.corner(tiles.start).1..self.corner(tiles.end - 1).1 + self.patch
    }

    /// Pixels of a patch.
    pub fn area(&self) -> usize {
        self.patch * self.patch
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use crate::tiling::Grid;
    use crate::{Blend, Padding, Tiling};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn corners_are_those_of_the_grid(
            patch in 1usize..12, wider in 0usize..40, higher in 0usize..40, part in 0.0f64..1.0,
        ) {
            let stride = 1 + ((patch - 1) as f64 * part) as usize;
            let (width, height) = (patch + wider, patch + higher);
            let (padding, blend) = (Padding::None, Blend::Flat);
            let tiling = Tiling { stride, batch: 1, padding, blend };
            let corners = Grid::new(width, height, patch, &tiling).unwrap().corners();
            let geometry = Geometry::new(width, height, patch, stride).unwrap();
            prop_assert_eq!(corners.len(), geometry.columns * geometry.rows);
            for (tile, corner) in corners.into_iter().enumerate() {
                prop_assert_eq!(geometry.corner(tile), corner);
            }
        }
    }
}
