//! The part of an image that a figure shows.

use anyhow::Result;
use detector::Margins;
use inspect::{Connectivity, Image, Mask, regions};

/// The margins around a square of the given side, at most the image's, about the middle of the largest region.
pub fn around_largest_defect(mask: &Mask, side: usize) -> Result<Margins> {
    let (width, height) = mask.size();
    let scores = Image::filled(width, height, 0.0);
    let regions = regions(mask, &scores, Connectivity::Eight)?.regions;
    let largest = regions.iter().max_by_key(|region| region.area);
    let (x, y) = largest.map_or((width / 2, height / 2), |region| {
        (region.x0.midpoint(region.x1), region.y0.midpoint(region.y1))
    });
    let around = |middle: usize, length: usize| {
        let side = side.min(length);
        let first = middle.saturating_sub(side / 2).min(length - side);
        (first, length - side - first)
    };
    let ((left, right), (top, bottom)) = (around(x, width), around(y, height));
    Ok(Margins { left, top, right, bottom })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn the_window_lies_around_the_largest_defect_and_inside_the_image() {
        let mask = |defects: &[(usize, usize)]| {
            Mask::from_fn(40, 20, |x, y| {
                defects.iter().any(|&(left, top)| (left..left + 4).contains(&x) && y == top)
            })
        };
        let of = |defects: &[(usize, usize)], side| {
            let Margins { left, top, right, bottom } =
                around_largest_defect(&mask(defects), side).unwrap();
            [left, top, right, bottom]
        };
        assert_eq!(of(&[(20, 10)], 8), [18, 6, 14, 6]);
        assert_eq!(of(&[(0, 0)], 8), [0, 0, 32, 12]);
        assert_eq!(of(&[(36, 19)], 8), [32, 12, 0, 0]);
        // Wider than the image is high.
        assert_eq!(of(&[(20, 10)], 30), [7, 0, 3, 0]);
        assert_eq!(of(&[], 8), [16, 6, 16, 6]);
    }
}
