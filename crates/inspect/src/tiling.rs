use crate::padding::Frame;
use crate::{Blend, Error, Padding};

/// How an image is cut into overlapping square patches, and how their reconstructions are put together.
///
/// ```
/// use inspect::{Blend, Padding, Tiling, tile_positions};
///
/// // The paper's stride leaves 8 of 256 pixels, which a last patch covers.
/// let paper = Tiling { stride: 30, batch: 64, padding: Padding::None, blend: Blend::Flat };
/// assert_eq!(tile_positions(256, 128, paper.stride)?, [0, 30, 60, 90, 120, 128]);
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
    /// The pixels around the image that patches see, too.
    pub padding: Padding,
    /// The weights of a patch's pixels where patches overlap.
    pub blend: Blend,
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

/// The positions of all patches in an image with its margins.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub frame: Frame,
    /// The weights along one axis of a patch.
    pub weights: Vec<f64>,
    xs: Vec<usize>,
    ys: Vec<usize>,
}

impl Grid {
    /// The positions in an image of `width`×`height` pixels.
    pub fn new(width: usize, height: usize, patch: usize, tiling: &Tiling) -> Result<Self, Error> {
        let Tiling { stride, padding, blend, .. } = *tiling;
        match padding {
            Padding::None if width < patch || height < patch => {
                return Err(Error::ImageBelowPatch { width, height, patch });
            }
            Padding::Mirror { .. } if width == 0 || height == 0 => {
                return Err(Error::ImageBelowPatch { width, height, patch });
            }
            Padding::Mirror { pixels } if pixels > patch => {
                return Err(Error::Margin { pixels, patch });
            }
            _ => {}
        }
        let frame = padding.around(width, height, patch);
        let xs = tile_positions(frame.outer_width(), patch, stride)?;
        let ys = tile_positions(frame.outer_height(), patch, stride)?;
        Ok(Self { frame, weights: blend.weights(patch), xs, ys })
    }

    /// Side length of the patches in pixels.
    pub fn patch(&self) -> usize {
        self.weights.len()
    }

    /// The upper left corners `(x, y)` of all patches, row by row, counted from the first pixel of the margins.
    pub fn corners(&self) -> Vec<(usize, usize)> {
        self.ys.iter().flat_map(|&y| self.xs.iter().map(move |&x| (x, y))).collect()
    }

    /// The sums of the weights of the patches that cover each column, and each row, margins included. A pixel's weights sum to
    /// the product of the two.
    pub fn total_weights(&self) -> (Vec<f64>, Vec<f64>) {
        let totals = |positions, length| total_weights(positions, &self.weights, length);
        (totals(&self.xs, self.frame.outer_width()), totals(&self.ys, self.frame.outer_height()))
    }
}

fn total_weights(positions: &[usize], weights: &[f64], length: usize) -> Vec<f64> {
    let mut totals = vec![0.0; length];
    for &position in positions {
        for (total, weight) in totals[position..].iter_mut().zip(weights) {
            *total += weight;
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use proptest::prelude::*;

    fn flat(stride: usize) -> Tiling {
        Tiling { stride, batch: 1, padding: Padding::None, blend: Blend::Flat }
    }

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
            Grid::new(200, 100, 128, &flat(30)).unwrap_err().to_string(),
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
            // Weights of 1 count the patches that cover a pixel.
            let counts = total_weights(&positions, &vec![1.0; patch], length);
            prop_assert!(counts.iter().all(|&n| n >= 1.0));
            prop_assert_eq!(counts.iter().sum::<f64>() as usize, positions.len() * patch);
        }
    }
}
