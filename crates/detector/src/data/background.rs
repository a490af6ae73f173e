//! A background that a part or a strip of material lies against, told by its brightness.
//!
//! Good images are looked at under a Gaussian, so that a texture is its mean. Their pixels fall into two classes (Otsu 1979, *A
//! threshold selection method from gray-level histograms*), if they do: the classes must explain most of the variance. The one that
//! lies nearer the border of the images is the background. What training finds is two numbers, which are kept; an image is compared
//! with them and not with itself, so that a defect is not mistaken for a background of its own.

use inspect::{Connectivity, Image, Mask, Plane, label, smooth};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::ensure;

/// Standard deviation of the Gaussian in pixels.
const SIGMA: f64 = 8.0;

/// Pixels next to the background that are left out: the Gaussian mixes both there.
const MIXED: usize = 16;

/// The least share of the variance that two classes explain: a Gaussian's halves explain 0.64 of it, those of an even gradient 0.75.
const LEAST_EXPLAINED: f64 = 0.85;

/// The least distance of the means of the two classes.
const LEAST_CONTRAST: f64 = 0.1;

/// Where the level lies on the way from the part to the background: nearer the part, as backgrounds may vary.
const LEVEL: f64 = 0.25;

/// The smallest background, and the smallest part, as shares of an image.
const SMALLEST: f64 = 0.005;

/// How much a background differs on average from what is 16 to 32 pixels away from it, at least.
const LEAST_STEP: f64 = 0.05;

/// Levels of a histogram.
const LEVELS: usize = 256;

/// A background: `{ background = "brighter", level = 0.5 }`.
///
/// It is what is brighter, or darker, than a level under a Gaussian of 8 pixels, at least 33 pixels wide, connected with the border of
/// the image, and set off by a step of 0.05 from what is next to it; 16 pixels around it do not belong to the part either.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    /// On which side of the level it lies.
    pub background: Side,
    /// The intensity that parts it from what is inspected, in [0, 1].
    pub level: f64,
}

/// The side of a level that a background lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The background is brighter.
    Brighter,
    /// The background is darker.
    Darker,
}

/// The smoothed intensities of good images, and how near the border of an image they lie.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Pixels of each level.
    counts: [f64; LEVELS],
    /// Sums of their distances from the border.
    distances: [f64; LEVELS],
}

impl Default for Search {
    fn default() -> Self {
        Self { counts: [0.0; LEVELS], distances: [0.0; LEVELS] }
    }
}

impl Search {
    /// Looks at a good image.
    ///
    /// # Errors
    /// If it is not finite.
    pub fn look_at(&mut self, image: &Image) -> Result<()> {
        let smoothed = smooth(image, SIGMA)?;
        let (width, height) = image.size();
        let (across, down) = ((width as f64).recip(), (height as f64).recip());
        for y in 0..height {
            let to_edge = y.min(height - 1 - y) as f64 * down;
            for (x, &value) in smoothed.row(y).iter().enumerate() {
                let level = ((value * LEVELS as f32) as usize).min(LEVELS - 1);
                // An image counts as much as any other.
                self.counts[level] += across * down;
                let distance = to_edge + x.min(width - 1 - x) as f64 * across;
                self.distances[level] += distance * across * down;
            }
        }
        Ok(())
    }

    /// The findings of two searches together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let sums = self.counts.iter_mut().chain(&mut self.distances);
        sums.zip(other.counts.iter().chain(&other.distances))
            .for_each(|(sum, value)| *sum += value);
        self
    }

    /// The background of the images, if they have one.
    pub fn background(&self) -> Option<Background> {
        let value = |level: usize| (level as f64 + 0.5) / LEVELS as f64;
        let total: f64 = self.counts.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let moment = |levels: std::ops::Range<usize>, power: i32| -> f64 {
            levels.map(|level| self.counts[level] * value(level).powi(power)).sum()
        };
        let mean = moment(0..LEVELS, 1) / total;
        let variance = moment(0..LEVELS, 2) / total - mean * mean;
        let between = |split: usize| {
            let (dark, sum) = (moment(0..split, 0), moment(0..split, 1));
            let bright = total - dark;
            // Between two empty levels there is nothing to gain.
            if dark <= 0.0 || bright <= 0.0 {
                return 0.0;
            }
            let distance = sum / dark - (mean * total - sum) / bright;
            dark * bright * (distance / total).powi(2)
        };
        let split = (1..LEVELS).max_by(|&a, &b| between(a).total_cmp(&between(b)))?;
        let means =
            [0..split, split..LEVELS].map(|class| moment(class.clone(), 1) / moment(class, 0));
        if between(split) < LEAST_EXPLAINED * variance || means[1] - means[0] < LEAST_CONTRAST {
            return None;
        }
        let distance = |class: std::ops::Range<usize>| {
            self.distances[class.clone()].iter().sum::<f64>() / moment(class, 0)
        };
        let (background, level) = match distance(0..split) > distance(split..LEVELS) {
            true => (Side::Brighter, means[0] + LEVEL * (means[1] - means[0])),
            false => (Side::Darker, means[1] + LEVEL * (means[0] - means[1])),
        };
        // A round number, to be read and changed.
        Some(Background { background, level: (level * 1000.0).round() / 1000.0 })
    }
}

impl Background {
    /// # Errors
    /// If the level is not in [0, 1].
    pub(crate) fn validate(&self) -> Result<()> {
        let level = self.level;
        ensure!((0.0..=1.0).contains(&level), "data.region: level must be in [0, 1], got {level}");
        Ok(())
    }

    /// The pixels of an image that do not belong to the background. There may be none.
    ///
    /// # Errors
    /// If the image is not finite.
    pub(crate) fn part(&self, image: &Image) -> Result<Mask> {
        let (width, height) = image.size();
        let smoothed = smooth(image, SIGMA)?;
        let is_beyond = |value: f32| match self.background {
            Side::Brighter => f64::from(value) > self.level,
            Side::Darker => f64::from(value) < self.level,
        };
        let short = smoothed.map(|value| !is_beyond(value));
        // What is at least as wide as the square that is left out around it: a seam is no table.
        let wide = grown(&grown(&short, MIXED).map(|is_near| !is_near), MIXED);
        let smallest = (SMALLEST * (width * height) as f64).ceil() as usize;
        let mut mixed = Mask::filled(width, height, false);
        for background in regions_of(&wide, smallest).into_iter().filter(touches_border) {
            let near = grown(&background, MIXED);
            if self.stands_out(&smoothed, &background, &near) {
                let pixels = mixed.data_mut().iter_mut().zip(near.data());
                pixels.for_each(|(mixed, near)| *mixed |= near);
            }
        }
        let parts = regions_of(&mixed.map(|is_mixed| !is_mixed), smallest);
        Ok(Mask::from_fn(width, height, |x, y| parts.iter().any(|part| part.get(x, y))))
    }

    /// Whether a background differs from what is next to it, which a gradient does not.
    fn stands_out(&self, smoothed: &Image, background: &Mask, near: &Mask) -> bool {
        let further = grown(near, MIXED);
        let mean = |is_in: &dyn Fn(usize) -> bool| {
            let pixels = smoothed.data().iter().enumerate().filter(|&(index, _)| is_in(index));
            let (sum, count) =
                pixels.fold((0.0, 0.0), |(s, n), (_, &v)| (s + f64::from(v), n + 1.0));
            sum / count
        };
        let own = mean(&|index| background.data()[index]);
        let next = mean(&|index| further.data()[index] && !near.data()[index]);
        let step = match self.background {
            Side::Brighter => own - next,
            Side::Darker => next - own,
        };
        // Nothing is next to what fills the image.
        step.is_nan() || step >= LEAST_STEP
    }
}

/// The pixels with a set one of a mask in the square of `reach` pixels around them.
fn grown(mask: &Mask, reach: usize) -> Mask {
    let (width, height) = mask.size();
    // Numbers of set pixels above and left of a place.
    let mut sums = Plane::filled(width + 1, height + 1, 0_u32);
    for y in 0..height {
        let mut row = 0;
        for x in 0..width {
            row += u32::from(mask.get(x, y));
            let above = sums.get(x + 1, y);
            sums.data_mut()[(y + 1) * (width + 1) + x + 1] = above + row;
        }
    }
    Mask::from_fn(width, height, |x, y| {
        let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
        let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(height));
        sums.get(right, bottom) + sums.get(left, top)
            > sums.get(left, bottom) + sums.get(right, top)
    })
}

/// The 8-connected regions of at least `smallest` pixels.
fn regions_of(mask: &Mask, smallest: usize) -> Vec<Mask> {
    let labels = label(mask, Connectivity::Eight);
    let count = labels.data().iter().copied().max().unwrap_or(0) as usize;
    let mut areas = vec![0_usize; count + 1];
    labels.data().iter().for_each(|&label| areas[label as usize] += 1);
    let large = (1..=count).filter(|&region| areas[region] >= smallest);
    large.map(|region| labels.map(|label| label as usize == region)).collect()
}

fn touches_border(mask: &Mask) -> bool {
    let (width, height) = mask.size();
    let is_at_side = |y: usize| mask.get(0, y) || mask.get(width - 1, y);
    mask.row(0).contains(&true)
        || mask.row(height - 1).contains(&true)
        || (0..height).any(is_at_side)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// A fabric of fine stripes from a column on, against a table of another brightness.
    fn strip(edge: usize, fabric: f32, table: f32) -> Image {
        Image::from_fn(320, 96, |x, y| {
            if x < edge { table } else { fabric + 0.1 * ((x + y) % 4) as f32 - 0.15 }
        })
    }

    fn found(images: &[Image]) -> Option<Background> {
        let mut search = Search::default();
        images.iter().for_each(|image| search.look_at(image).unwrap());
        search.background()
    }

    #[test]
    fn a_strip_against_a_table_is_found_on_either_side_of_its_brightness() {
        for (table, side, level) in [(1.0, Side::Brighter, 0.475), (0.0, Side::Darker, 0.225)] {
            let good = [80, 90, 100].map(|edge| strip(edge, 0.3, table));
            let background = found(&good).unwrap();
            assert_eq!(background.background, side);
            // A quarter of the way. The Gaussian mixes both at the edge, by 8 of 320 columns; a level is 1/256.
            assert!((background.level - level).abs() < 0.02, "{background:?}");
            // Another place of the edge, and a defect in the middle and at the border that is as bright as the table.
            let mut image = strip(140, 0.3, table);
            for y in 40..60 {
                image.data_mut()[y * 320 + 230..][..20].fill(table);
            }
            let part = background.part(&image).unwrap();
            for y in 0..96 {
                let first = (0..320).find(|&x| part.get(x, y)).unwrap();
                assert!((156..=172).contains(&first), "{first}");
                assert!((first..320).all(|x| part.get(x, y)), "row {y}");
            }
        }
    }

    #[test]
    fn seams_are_no_background() {
        let background = Background { background: Side::Brighter, level: 0.5 };
        let all = |image: &Image| !background.part(image).unwrap().data().contains(&false);
        let seam = |y: usize| (40..60).contains(&y);
        assert!(all(&Image::from_fn(400, 90, |_, y| if seam(y) { 0.9 } else { 0.3 })));
        assert!(!all(&Image::from_fn(400, 90, |x, _| if x < 50 { 0.9 } else { 0.3 })));
    }

    #[test]
    fn a_part_in_the_middle_is_told_from_what_is_around_it() {
        let image = Image::from_fn(200, 160, |x, y| {
            if (60..140).contains(&x) && (50..110).contains(&y) { 0.8 } else { 0.1 }
        });
        let background = found(std::slice::from_ref(&image)).unwrap();
        assert_eq!(background.background, Side::Darker);
        let part = background.part(&image).unwrap();
        assert!(part.get(100, 80) && !part.get(20, 80) && !part.get(100, 20));
    }

    #[test]
    fn textures_and_gradients_have_no_background() {
        let texture = Image::from_fn(200, 150, |x, y| 0.5 + 0.5 * ((x * x + 3 * y) as f32).sin());
        assert_eq!(found(&[texture]), None);
        assert_eq!(found(&[Image::from_fn(200, 150, |x, _| x as f32 / 200.0)]), None);
        assert_eq!(found(&[Image::filled(50, 50, 0.5)]), None);
        assert_eq!(found(&[]), None);
    }
}
