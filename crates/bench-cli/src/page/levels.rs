//! Scores in 256 levels: maps that travel with a page.

use crate::drawing::{ScoreRange, inferno};
use inspect::{Image, Plane};

/// Levels between 0 and what good images reach.
const PER_UNIT: usize = 64;

/// The scores at which levels begin. Level 0 holds all that score less than the first of them; the last one is nearly four times
/// what good images reach, and holds all above.
///
/// The threshold is one of them, so that a pixel reaches the threshold if and only if its level does.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    edges: Vec<f32>,
    calibrated: usize,
    range: ScoreRange,
}

impl Levels {
    /// Levels for maps whose good images reach `unit`, in steps of a 64th of it. The edge nearest to the threshold gives way to it.
    pub fn new(unit: f32, threshold: f32) -> Self {
        let mut edges: Vec<f32> =
            (1..=255).map(|level| unit * level as f32 / PER_UNIT as f32).collect();
        // In f32 all edges are as far from a huge threshold.
        let distance = |edge: f32| (f64::from(edge) - f64::from(threshold)).abs();
        let nearest =
            (0..edges.len()).min_by(|&a, &b| distance(edges[a]).total_cmp(&distance(edges[b])));
        let nearest = nearest.unwrap_or(0);
        edges[nearest] = threshold;
        Self { edges, calibrated: nearest + 1, range: ScoreRange::of_good(unit) }
    }

    /// The level of a score.
    fn of(&self, score: f32) -> u8 {
        self.edges.partition_point(|&edge| edge <= score) as u8
    }

    /// A map in levels.
    pub fn quantised(&self, map: &Image) -> Plane<u8> {
        Plane::from_fn(map.width(), map.height(), |x, y| self.of(map.get(x, y)))
    }

    /// The scores at which the levels from 1 on begin.
    pub fn edges(&self) -> &[f32] {
        &self.edges
    }

    /// The level that begins at the threshold.
    pub fn calibrated(&self) -> usize {
        self.calibrated
    }

    /// The difference of neighbouring levels, but beside the threshold.
    pub fn step(&self) -> f32 {
        self.range.low * 2.0 / PER_UNIT as f32
    }

    /// The scores that the colours stand for.
    pub fn range(&self) -> ScoreRange {
        self.range
    }

    /// The colour of each level.
    pub fn palette(&self) -> Vec<[u8; 3]> {
        let scores = std::iter::once(f32::MIN).chain(self.edges.iter().copied());
        scores.map(|score| inferno(self.range.position(score)).map(|c| (c + 0.5) as u8)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inspect::{Decision, Image};

    /// A level is at least the threshold's where a score is at least the threshold, whatever the threshold is.
    #[test]
    fn the_threshold_falls_on_a_step() {
        let scores: Vec<f32> = (-40..400).map(|i| i as f32 / 64.3).collect();
        for threshold in [1.0_f32, 0.987_654_3, 1e-9, -0.3, 1e9, 3.99, 0.5_f32.next_up()] {
            let around = [threshold, threshold.next_up(), threshold.next_down()];
            let scores = [&scores[..], &around].concat();
            let map = Image::new(scores.len(), 1, scores).expect("a row");
            let levels = Levels::new(1.0, threshold);
            let reached = levels.quantised(&map);
            let mask = Decision { threshold, min_area: 1 }.mask(&map);
            for (&level, &flagged) in reached.data().iter().zip(mask.data()) {
                assert_eq!(usize::from(level) >= levels.calibrated(), flagged, "{threshold}");
            }
            assert!(levels.edges().is_sorted());
        }
    }

    #[test]
    fn steps_are_a_64th_of_what_good_images_reach() {
        let levels = Levels::new(0.5, 0.5);
        assert_eq!((levels.calibrated(), levels.step()), (64, 0.5 / 64.0));
        assert_eq!(
            [0.0, 0.0079, 0.5, 1.99, 99.0].map(|score| levels.of(score)),
            [0, 1, 64, 254, 255]
        );
        assert_eq!((levels.palette().len(), levels.palette()[0]), (256, [0, 0, 4]));
    }
}
