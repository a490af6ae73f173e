//! How large the scores of good images become: extreme-value statistics of the largest scores of tiles.
//!
//! Above a high level, maxima exceed it by amounts that fall off exponentially, if the scores themselves fall off like a
//! Gaussian's or an exponential's (Coles 2001, *An Introduction to Statistical Modeling of Extreme Values*, chapter 4; a generalised
//! Pareto distribution of shape 0).

use serde::{Deserialize, Serialize};

use crate::{Image, NOT_SCORED};

/// Side length of a tile in pixels, where the image has as many. Smoothed scores of neighbouring pixels say the same; those of tiles
/// hardly do.
const TILE: usize = 48;

/// The fraction of the largest maxima that the tail is fitted to.
const FRACTION: f64 = 0.25;

/// The fewest maxima that the tail is fitted to, if there are twice as many.
const FEWEST: usize = 10;

/// The tail of maxima of tiles: a fraction of `above` exceeds `start`, by `scale` on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tail {
    pub start: f64,
    pub scale: f64,
    /// The fraction of tiles above `start`.
    pub above: f64,
}

impl Tail {
    /// The tail of at least one finite maximum.
    pub fn of(mut maxima: Vec<f32>) -> Self {
        maxima.sort_unstable_by(|a, b| b.total_cmp(a));
        let count = maxima.len();
        let above = ((count as f64 * FRACTION) as usize).max(FEWEST.min(count / 2)).max(1);
        let start = f64::from(maxima[above.min(count - 1)]);
        let excess: f64 = maxima[..above].iter().map(|&score| f64::from(score) - start).sum();
        // Equal maxima: any score above them is news.
        let smallest = f64::from(f32::EPSILON) * start.abs().max(f64::from(f32::EPSILON));
        let scale = (excess / above as f64).max(smallest);
        Self { start, scale, above: above as f64 / count as f64 }
    }

    /// The score that a fraction of tiles reaches.
    pub fn score_reached_by(&self, fraction: f64) -> f64 {
        self.start + self.scale * (self.above / fraction).ln()
    }
}

/// The largest score of each tile of a map, row by row; tiles without a scored pixel are left out. Tiles have 48×48 pixels, or a little more
/// where the map's sides are no multiples of 48; a smaller map is a tile of its own. Rules of extreme values look at nothing else of a map.
///
/// ```
/// use inspect::{Image, tile_maxima};
///
/// let map = Image::from_fn(100, 50, |x, y| (y * 100 + x) as f32);
/// assert_eq!(tile_maxima(&map), [4949.0, 4999.0]);
/// ```
pub fn tile_maxima(map: &Image) -> Vec<f32> {
    let (width, height) = map.size();
    let (columns, rows) = ((width / TILE).max(1), (height / TILE).max(1));
    let mut maxima = vec![NOT_SCORED; columns * rows];
    for y in 0..height {
        let row = &mut maxima[y * rows / height * columns..][..columns];
        for (x, &score) in map.row(y).iter().enumerate() {
            let maximum = &mut row[x * columns / width];
            *maximum = maximum.max(score);
        }
    }
    maxima.retain(|&maximum| maximum > NOT_SCORED);
    maxima
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_map_is_a_tile() {
        assert_eq!(tile_maxima(&Image::filled(3, 2, 0.5)), [0.5]);
    }

    /// Quantiles of an exponential distribution of mean 2: its tail is itself.
    #[test]
    fn the_tail_of_an_exponential_distribution_is_found() {
        let count = 100_000;
        let quantile = |i: usize| -2.0 * (1.0 - (i as f64 + 0.5) / count as f64).ln();
        let tail = Tail::of((0..count).map(|i| quantile(i) as f32).collect());
        // The mean of these quantiles in the tail is off by less than 1 %.
        assert!((tail.scale - 2.0).abs() < 0.02, "{tail:?}");
        let reached = tail.score_reached_by(1e-6);
        assert!((reached + 2.0 * 1e-6_f64.ln()).abs() < 0.2, "{reached}");
    }

    #[test]
    fn a_few_maxima_and_equal_ones_have_a_tail() {
        let tail = Tail::of(vec![1.0]);
        assert_eq!((tail.start, tail.above), (1.0, 1.0));
        assert!(tail.scale > 0.0);
        let tail = Tail::of(vec![0.0, 3.0, 1.0, 2.0]);
        assert_eq!((tail.start, tail.scale, tail.above), (1.0, 1.5, 0.5));
        assert!(Tail::of(vec![0.0; 40]).scale > 0.0);
    }
}
