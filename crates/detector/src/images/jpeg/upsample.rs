//! Planes of fewer samples in the size of the picture, as libjpeg does it by default (`jdsample.c`): between two samples lie
//! weighted means of them ("fancy upsampling") where a factor is 2, and copies elsewhere.

use super::frame::{Component, Frame};
use super::planes::Samples;

/// The rows of a component, one at a time, as wide as the picture.
pub struct Upsampled<'a> {
    samples: &'a Samples,
    size: (usize, usize),
    /// How often a sample is repeated in a row, and a row.
    factors: (usize, usize),
    /// Vertical means of a row.
    sums: Vec<u16>,
}

impl<'a> Upsampled<'a> {
    pub fn new(frame: &Frame, component: &Component, samples: &'a Samples) -> Self {
        let (h, v) = component.sampling;
        let factors = (frame.sampling.0 / h, frame.sampling.1 / v);
        Self { samples, size: component.size, factors, sums: Vec::new() }
    }

    /// Writes row `y` of the picture.
    pub fn write_row(&mut self, y: usize, row: &mut [u8]) {
        let (width, height) = self.size;
        let near = self.samples.row(y / self.factors.1, width);
        let is_smooth = width > 2;
        match self.factors {
            (1, 1) => row.copy_from_slice(&near[..row.len()]),
            (2, 1) if is_smooth => {
                let sample = |x: usize| u16::from(near[x]);
                widen(row, width, sample, |close, far, is_left| {
                    (3 * close + far + if is_left { 1 } else { 2 }) >> 2
                });
            }
            (1, 2) | (2, 2) if self.factors.0 == 1 || is_smooth => {
                let other = if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { y / 2 + 1 };
                let far = self.samples.row(other.min(height - 1), width);
                self.sums.clear();
                let sums = near.iter().zip(far).map(|(&a, &b)| 3 * u16::from(a) + u16::from(b));
                self.sums.extend(sums);
                if self.factors.0 == 1 {
                    let round = 1 + (y % 2) as u16;
                    for (value, &sum) in row.iter_mut().zip(&self.sums) {
                        *value = ((sum + round) >> 2) as u8;
                    }
                } else {
                    let sums = &self.sums;
                    widen(
                        row,
                        width,
                        |x| sums[x],
                        |close, far, is_left| (3 * close + far + if is_left { 8 } else { 7 }) >> 4,
                    );
                }
            }
            (repeated, _) => {
                for (value, x) in row.iter_mut().zip(0..) {
                    *value = near[x / repeated];
                }
            }
        }
    }
}

/// Writes two values for each sample: the mean of it and its left neighbour, and that of it and its right one. At the ends it is
/// its own neighbour.
fn widen(
    row: &mut [u8],
    width: usize,
    sample: impl Fn(usize) -> u16,
    mean: impl Fn(u16, u16, bool) -> u16,
) {
    for (x, pair) in row.chunks_mut(2).enumerate() {
        let close = sample(x);
        pair[0] = mean(close, sample(x.saturating_sub(1)), true) as u8;
        if let Some(right) = pair.get_mut(1) {
            *right = mean(close, sample((x + 1).min(width - 1)), false) as u8;
        }
    }
}
