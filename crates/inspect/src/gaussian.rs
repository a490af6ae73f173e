//! A Gaussian filter whose time per pixel does not grow with its width.
//!
//! A wide Gaussian is applied as two narrower ones, whose variances add up to its own. The first is evaluated at every
//! `spacing`-th row and column only, since its result varies slowly; the second interpolates these samples.

use rayon::prelude::*;

use crate::mirror::mirrored;
use crate::{Image, Plane};

/// Where Gaussians are cut off, in standard deviations. 6·10⁻⁷ of one lies beyond.
const REACH: f64 = 5.0;

/// Samples on each side that a pixel is interpolated from.
const NEIGHBOURS: usize = 5;

/// Samples that a pixel is interpolated from.
const WINDOW: usize = 2 * NEIGHBOURS + 1;

/// From this standard deviation on, in pixels, results are sampled. Below, the whole Gaussian has few weights.
const WIDE: f64 = 4.0;

/// The weights of both steps along an axis.
#[derive(Debug)]
struct Weights {
    /// Distance between samples in pixels; sample k lies in the middle of the pixels `k * spacing..(k + 1) * spacing`.
    spacing: usize,
    /// The first pixel that a sample depends on, relative to `k * spacing`.
    first: isize,
    /// The weights of this pixel and the following ones.
    sampling: Vec<f32>,
    /// For each of `spacing` pixels, the weights of the samples around it. None if each pixel is a sample.
    interpolation: Vec<[f32; WINDOW]>,
}

impl Weights {
    fn new(sigma: f64) -> Self {
        // With samples half a standard deviation apart, and the second Gaussian as wide as their distance, no frequency that the
        // first lets through is mistaken for another by more than 10⁻⁶.
        let spacing = if sigma < WIDE { 1 } else { (sigma / 2.0) as usize };
        let interpolating = if spacing > 1 { spacing as f64 } else { 0.0 };
        // Without squares of σ, which underflow.
        let sampling = sigma * (1.0 - (interpolating / sigma).powi(2)).sqrt();
        let centre = (spacing - 1) as f64 / 2.0;
        let first = (centre - REACH * sampling).ceil() as isize;
        let last = (centre + REACH * sampling).floor() as isize;
        let mut weights = vec![0.0; (last - first + 1) as usize];
        fill(&mut weights, sampling, centre - first as f64);
        let phase = |pixel: usize| {
            let mut window = [0.0; WINDOW];
            let place = NEIGHBOURS as f64 + (pixel as f64 - centre) / spacing as f64;
            fill(&mut window, 1.0, place);
            window
        };
        let phases = if spacing > 1 { spacing } else { 0 };
        Self { spacing, first, sampling: weights, interpolation: (0..phases).map(phase).collect() }
    }

    /// Samples before the first of the axis.
    fn margin(&self) -> usize {
        if self.spacing > 1 { NEIGHBOURS } else { 0 }
    }

    /// The number of samples that `length` pixels are interpolated from.
    fn samples(&self, length: usize) -> usize {
        length.div_ceil(self.spacing) + 2 * self.margin()
    }

    /// The first pixel that sample number `sample` depends on, which may lie before the axis.
    fn start(&self, sample: usize) -> isize {
        (sample as isize - self.margin() as isize) * self.spacing as isize + self.first
    }
}

/// A Gaussian around `centre` at the places 0, 1, …, of sum 1.
fn fill(weights: &mut [f32], sigma: f64, centre: f64) {
    // The quotient is squared, not σ: the square of a tiny σ underflows and 0/0 would follow.
    let weight = |place: usize| (-0.5 * ((place as f64 - centre) / sigma).powi(2)).exp();
    let total: f64 = (0..weights.len()).map(weight).sum();
    for (place, out) in weights.iter_mut().enumerate() {
        *out = (weight(place) / total) as f32;
    }
}

/// The map under a Gaussian of `sigma` pixels, above 0.
pub(crate) fn gaussian(map: &Image, sigma: f64) -> Image {
    if map.data().is_empty() {
        return map.clone();
    }
    let (weights, (width, height)) = (Weights::new(sigma), map.size());
    let mut samples = Plane::filled(width, weights.samples(height), 0.0);
    samples.data_mut().par_chunks_exact_mut(width).enumerate().for_each_init(
        || Row::new(&weights, width),
        |row, (sample, out)| {
            let rows = (weights.start(sample)..).map(|y| map.row(mirrored(y, height)));
            weighted_sum(out, weights.sampling.iter().copied().zip(rows));
            row.filter(out);
        },
    );
    if weights.interpolation.is_empty() {
        return samples;
    }
    let mut smooth = Plane::filled(width, height, 0.0);
    smooth.data_mut().par_chunks_exact_mut(width).enumerate().for_each(|(y, out)| {
        let (first, pixel) = (y / weights.spacing, y % weights.spacing);
        let rows = (first..).map(|sample| samples.row(sample));
        weighted_sum(out, weights.interpolation[pixel].into_iter().zip(rows));
    });
    smooth
}

/// The filter along a row, and its scratch.
struct Row<'a> {
    weights: &'a Weights,
    /// The pixels that samples depend on, those beyond the row included.
    pixels: Vec<f32>,
    samples: Vec<f32>,
}

impl<'a> Row<'a> {
    fn new(weights: &'a Weights, width: usize) -> Self {
        let samples = weights.samples(width);
        let pixels = (samples - 1) * weights.spacing + weights.sampling.len();
        Self { weights, pixels: vec![0.0; pixels], samples: vec![0.0; samples] }
    }

    /// Replaces a row by its filtered one.
    fn filter(&mut self, row: &mut [f32]) {
        self.extend(row);
        let Weights { spacing, sampling, interpolation, .. } = self.weights;
        if interpolation.is_empty() {
            let width = row.len();
            let shifted = (0..).map(|shift| &self.pixels[shift..shift + width]);
            return weighted_sum(row, sampling.iter().copied().zip(shifted));
        }
        for (sample, pixels) in self.samples.iter_mut().zip((0..).step_by(*spacing)) {
            *sample = dot(sampling, &self.pixels[pixels..pixels + sampling.len()]);
        }
        for (pixels, samples) in row.chunks_mut(*spacing).zip(self.samples.windows(WINDOW)) {
            for (pixel, weights) in pixels.iter_mut().zip(interpolation) {
                *pixel = weights.iter().zip(samples).map(|(weight, sample)| weight * sample).sum();
            }
        }
    }

    /// Mirrors a row at its ends.
    fn extend(&mut self, row: &[f32]) {
        let start = self.weights.start(0);
        let before = start.unsigned_abs().min(self.pixels.len());
        let beyond = |place: usize| row[mirrored(place as isize + start, row.len())];
        let end = self.pixels.len().min(before + row.len());
        for place in (0..before).chain(end..self.pixels.len()) {
            self.pixels[place] = beyond(place);
        }
        self.pixels[before..end].copy_from_slice(&row[..end - before]);
    }
}

/// Writes the sum of weighted rows, which are as long as `out`, in their order.
fn weighted_sum<'a>(out: &mut [f32], rows: impl Iterator<Item = (f32, &'a [f32])>) {
    let rows: Vec<_> = rows.collect();
    out.fill(0.0);
    // Four rows at once, so that sums are loaded and stored less often.
    let (fours, rest) = rows.as_chunks();
    for &[(w0, row0), (w1, row1), (w2, row2), (w3, row3)] in fours {
        let pairs = row0.iter().zip(row1).zip(row2.iter().zip(row3));
        for (out, ((a, b), (c, d))) in out.iter_mut().zip(pairs) {
            *out = *out + w0 * a + w1 * b + w2 * c + w3 * d;
        }
    }
    for &(weight, row) in rest {
        for (out, value) in out.iter_mut().zip(row) {
            *out += weight * value;
        }
    }
}

/// The sum of products, in an order that the length alone decides.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}
