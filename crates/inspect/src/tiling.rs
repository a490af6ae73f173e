use crate::Error;

/// How an image is cut into overlapping square patches.
///
/// ```
/// use inspect::{Tiling, tile_positions};
///
/// // The paper's stride leaves 8 of 256 pixels, which a last patch covers.
/// let tiling = Tiling { stride: 30, batch: 64 };
/// assert_eq!(tile_positions(256, 128, tiling.stride)?, [0, 30, 60, 90, 120, 128]);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Distance in pixels between neighbouring patches, from 1 to the patch size. The paper's is 30 for
    /// patches of 128.
    pub stride: usize,
    /// How many patches are reconstructed at once, at least 1. It bounds the memory and leaves the result
    /// as it is.
    pub batch: usize,
}

/// The offsets of the patches along one axis: 0, `stride`, 2·`stride`, … and a last one flush with the border.
///
/// A stride rarely divides `length - patch`, and without the last offset the remaining pixels would never be
/// reconstructed: stride 30 leaves 8 pixels of 256, 26 of 1024 and 28 of 696. With it, every pixel of the axis
/// lies in at least one patch.
///
/// ```
/// //  pixels   0 1 2 3 4 5 6 7 8 9
/// //  patches  a a a a
/// //                 b b b b
/// //                     c c c c   flush with the border
/// assert_eq!(inspect::tile_positions(10, 4, 3)?, [0, 3, 6]);
/// assert_eq!(inspect::tile_positions(11, 4, 3)?, [0, 3, 6, 7]);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// If the patch or the stride is zero, the stride exceeds the patch (which leaves gaps), or the length is
/// smaller than the patch.
pub fn tile_positions(length: usize, patch: usize, stride: usize) -> Result<Vec<usize>, Error> {
    if patch == 0 {
        return Err(Error::ZeroPatch);
    }
    if stride == 0 || stride > patch {
        return Err(Error::Stride { stride, patch });
    }
    if length < patch {
        return Err(Error::LengthBelowPatch { length, patch });
    }
    let last = length - patch;
    Ok((0..last).step_by(stride).chain([last]).collect())
}

/// The positions of all patches in an image.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub width: usize,
    pub height: usize,
    pub patch: usize,
    xs: Vec<usize>,
    ys: Vec<usize>,
}

impl Grid {
    pub fn new(width: usize, height: usize, patch: usize, stride: usize) -> Result<Self, Error> {
        if width < patch || height < patch {
            return Err(Error::ImageBelowPatch { width, height, patch });
        }
        let xs = tile_positions(width, patch, stride)?;
        let ys = tile_positions(height, patch, stride)?;
        Ok(Self { width, height, patch, xs, ys })
    }

    /// The upper left corners `(x, y)` of all patches, row by row.
    pub fn corners(&self) -> Vec<(usize, usize)> {
        self.ys.iter().flat_map(|&y| self.xs.iter().map(move |&x| (x, y))).collect()
    }

    /// How many patches cover each column, and how many each row. A pixel lies in as many patches as the
    /// product of the two says.
    pub fn coverage(&self) -> (Vec<u32>, Vec<u32>) {
        (coverage(&self.xs, self.patch, self.width), coverage(&self.ys, self.patch, self.height))
    }
}

fn coverage(positions: &[usize], patch: usize, length: usize) -> Vec<u32> {
    let mut counts = vec![0; length];
    for &position in positions {
        for count in &mut counts[position..position + patch] {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sizes_of_the_papers_images_end_flush() {
        assert_eq!(tile_positions(256, 128, 30).unwrap(), [0, 30, 60, 90, 120, 128]);
        let columns = tile_positions(1024, 128, 30).unwrap();
        assert_eq!(columns[columns.len() - 2..], [870, 896]);
        let rows = tile_positions(696, 128, 30).unwrap();
        assert_eq!(rows[rows.len() - 2..], [540, 568]);
    }

    #[test]
    fn a_stride_that_tiles_has_no_extra_position() {
        assert_eq!(tile_positions(8, 4, 2).unwrap(), [0, 2, 4]);
        assert_eq!(tile_positions(8, 4, 4).unwrap(), [0, 4]);
        assert_eq!(tile_positions(4, 4, 3).unwrap(), [0]);
    }

    #[test]
    fn impossible_tilings_are_errors_that_name_the_sizes() {
        let message =
            |length, patch, stride| tile_positions(length, patch, stride).unwrap_err().to_string();
        assert!(message(8, 4, 0).contains("stride 0"));
        assert!(message(8, 4, 5).contains("1..=4"));
        assert_eq!(message(100, 128, 30), "a length of 100 pixels is smaller than a patch of 128");
        assert!(matches!(tile_positions(8, 0, 1), Err(Error::ZeroPatch)));
        assert_eq!(
            Grid::new(200, 100, 128, 30).unwrap_err().to_string(),
            "an image of 200x100 pixels is smaller than a patch of 128x128"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn every_pixel_is_covered_and_no_patch_leaves_the_axis(
            patch in 1usize..20, extra in 0usize..60, part in 0.0f64..1.0,
        ) {
            let stride = 1 + ((patch - 1) as f64 * part) as usize;
            let length = patch + extra;
            let positions = tile_positions(length, patch, stride).unwrap();
            prop_assert_eq!(positions[0], 0);
            prop_assert_eq!(positions.last().unwrap() + patch, length);
            prop_assert!(positions.windows(2).all(|p| p[0] < p[1] && p[1] - p[0] <= stride));
            let counts = coverage(&positions, patch, length);
            prop_assert!(counts.iter().all(|&n| n >= 1));
            prop_assert_eq!(counts.iter().sum::<u32>() as usize, positions.len() * patch);
        }
    }
}
