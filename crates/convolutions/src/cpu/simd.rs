//! The micro-kernels: register tiles of output pixels × output channels, or of weights × output channels.
//!
//! Written once over [`pulp::Simd`], compiled for AVX-512, AVX2, NEON and plain scalars, and chosen at run time.
#![expect(unsafe_code, reason = "the innermost loops have no room for bounds checks")]

use super::gather::{Grid, Taps};
use super::strip::{MAX_STRIP, Strips, VECTORS};
use crate::geometry::BiasRectifier;
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;
use std::ptr;

/// Computes every pixel of a grid: the products of its taps with the packed weights, then bias and rectifier.
pub struct Convolve<'a> {
    pub source: &'a [f32],
    pub taps: Taps,
    pub grid: Grid,
    pub weights: Strips<'a>,
    pub bias_rectifier: BiasRectifier<'a>,
    pub target: &'a mut [f32],
}

impl Convolve<'_> {
    pub fn run(self) {
        assert!(self.grid.source_end(&self.taps) <= self.source.len(), "taps outside the source");
        assert_eq!(self.taps.len(), self.weights.taps, "weights packed for other taps");
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many accumulators as hide the latency of a fused multiply-add without spilling: 16 registers hold
        // 6 × 2 of them, 2 vectors of weights and a broadcast; 32 registers are not filled, for want of addresses.
        match self.weights.strip == S::F32_LANES {
            true => convolve::<S, 8, 1>(simd, self),
            false if S::REGISTER_COUNT >= 32 => convolve::<S, 8, VECTORS>(simd, self),
            false => convolve::<S, 6, VECTORS>(simd, self),
        }
    }
}

#[inline(always)]
fn convolve<S: Simd, const M: usize, const V: usize>(simd: S, job: Convolve<'_>) {
    let Convolve { source, taps, grid, weights, bias_rectifier, target } = job;
    let width = V * S::F32_LANES;
    assert_eq!(width, weights.strip, "weights packed for another vector width");
    // Room for the pixels of a strip that is not full.
    let mut spare = [[0.0; MAX_STRIP]; M];
    for (strip, weights) in weights.iter().enumerate() {
        let first_channel = strip * width;
        let channels = width.min(job.weights.channels - first_channel);
        let last_steps =
            LastSteps::<S, V>::new(simd, bias_rectifier, first_channel..first_channel + channels);
        let (weights, _) = S::as_simd_f32s(weights);
        for first in (0..grid.len()).step_by(M) {
            let (sources, targets) = grid.offsets::<M>(first);
            let is_full = channels == width;
            if is_full {
                let inside = |from: usize| from + first_channel + width <= target.len();
                assert!(targets.iter().all(|&from| inside(from)), "pixels outside the target");
            }
            // All places come from one borrow, so that none of them ends another.
            let (pixels, spares) = (target.as_mut_ptr(), spare.as_mut_ptr());
            let mut places = [ptr::null_mut(); M];
            for m in 0..M {
                places[m] = match is_full {
                    true => pixels.wrapping_add(targets[m] + first_channel),
                    false => spares.wrapping_add(m).cast(),
                };
            }
            // SAFETY: `Convolve::run` checked that every pixel's taps lie in `source`, and the strip holds
            // `taps.len()` rows of `V` vectors since its width and its number of taps are as asserted. Each place
            // has room for `V` vectors: in the target by the last assertion, or in a row of `spare`. Places past the end of the grid
            // repeat that of the last pixel.
            unsafe { pixel_tile(simd, source, &sources, &taps, weights, &last_steps, places) };
            if channels < width {
                for (values, from) in spare.iter().zip(targets) {
                    let pixel = &mut target[from + first_channel..][..channels];
                    pixel.copy_from_slice(&values[..channels]);
                }
            }
        }
    }
}

/// Bias and rectifier of a strip of channels.
struct LastSteps<S: Simd, const V: usize> {
    bias: [S::f32s; V],
    slope: S::f32s,
}

impl<S: Simd, const V: usize> LastSteps<S, V> {
    #[inline(always)]
    fn new(simd: S, bias_rectifier: BiasRectifier<'_>, channels: Range<usize>) -> Self {
        let mut vectors = [simd.splat_f32s(0.0); V];
        if let Some(bias) = bias_rectifier.bias {
            for (vector, lanes) in vectors.iter_mut().zip(bias[channels].chunks(S::F32_LANES)) {
                *vector = simd.partial_load_f32s(lanes);
            }
        }
        Self { bias: vectors, slope: simd.splat_f32s(bias_rectifier.slope.unwrap_or(1.0)) }
    }

    #[inline(always)]
    fn apply(&self, simd: S, sum: S::f32s, vector: usize) -> S::f32s {
        let sum = simd.add_f32s(sum, self.bias[vector]);
        simd.max_f32s(sum, simd.mul_f32s(sum, self.slope))
    }
}

/// Multiplies the taps of `M` pixels with one strip of weights, and writes the sums with bias and rectifier to `places`.
///
/// # Safety
/// `source` holds the taps from each of `offsets` on; `weights` holds `V` vectors for each tap, and each of `places` has room
/// for `V` vectors.
#[inline(always)]
unsafe fn pixel_tile<S: Simd, const M: usize, const V: usize>(
    simd: S,
    source: &[f32],
    offsets: &[usize; M],
    taps: &Taps,
    weights: &[S::f32s],
    last_steps: &LastSteps<S, V>,
    places: [*mut f32; M],
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; M];
    let mut weight = weights.as_ptr();
    for row in 0..taps.rows {
        let mut inputs = [source.as_ptr(); M];
        for m in 0..M {
            // SAFETY: the row's first tap lies in `source`, by the caller's promise.
            inputs[m] = unsafe { inputs[m].add(offsets[m] + row * taps.row_stride) };
        }
        for tap in 0..taps.run {
            // SAFETY: `V` vectors are there for each tap, by the caller's promise.
            let weights: [S::f32s; V] = unsafe { *weight.cast() };
            for (m, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the run's taps lie in `source`, by the caller's promise.
                let input = simd.splat_f32s(unsafe { *inputs[m].add(tap) });
                for (sum, &weight) in sums.iter_mut().zip(&weights) {
                    *sum = simd.mul_add_e_f32s(input, weight, *sum);
                }
            }
            // SAFETY: at most one past the end of `weights`.
            weight = unsafe { weight.add(V) };
        }
    }
    for (m, sums) in sums.iter().enumerate() {
        let place = places[m].cast::<S::f32s>();
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: there is room for `V` vectors, by the caller's promise.
            unsafe { place.add(v).write_unaligned(last_steps.apply(simd, sum, v)) };
        }
    }
}

/// Adds to `sums` the products of inputs and gradients of a block of output pixels: for each weight of a run and each
/// output channel, `sums[weight][channel] += Σ_pixels input[pixel][weight] · gradient[pixel][channel]`.
pub struct Correlate<'a> {
    /// The padded input, from the first weight's input for the block's first pixel on.
    pub input: &'a [f32],
    /// `(rows, columns, strips · strip width)`.
    pub gradient: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    /// Distance between the inputs of neighbouring pixels, and of pixels one row apart.
    pub column_step: usize,
    pub row_step: usize,
    /// `(weights, channels)`.
    pub sums: &'a mut [f32],
    /// Channels, padded to whole strips.
    pub channels: usize,
}

impl Correlate<'_> {
    pub fn run(self) {
        let weights = self.sums.len() / self.channels;
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.column_step;
        assert!(last + weights <= self.input.len(), "pixels outside the input");
        assert_eq!(self.gradient.len(), self.rows * self.columns * self.channels);
        assert_eq!(self.sums.len() % self.channels, 0);
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        assert_eq!(self.channels % (VECTORS * S::F32_LANES), 0);
        let weights = self.sums.len() / self.channels;
        let mut first = 0;
        while first < weights {
            // SAFETY: `Correlate::run` checked that all weights' inputs and all gradients are there.
            first += unsafe {
                match weights - first {
                    8.. if S::REGISTER_COUNT >= 32 => weight_tile::<S, 8>(simd, &mut self, first),
                    6.. => weight_tile::<S, 6>(simd, &mut self, first),
                    4.. => weight_tile::<S, 4>(simd, &mut self, first),
                    2.. => weight_tile::<S, 2>(simd, &mut self, first),
                    _ => weight_tile::<S, 1>(simd, &mut self, first),
                }
            };
        }
    }
}

/// Updates the sums of `M` weights from `first` on, and returns `M`.
///
/// # Safety
/// The inputs and gradients of all pixels of the block lie in their slices.
#[inline(always)]
unsafe fn weight_tile<S: Simd, const M: usize>(
    simd: S,
    job: &mut Correlate<'_>,
    first: usize,
) -> usize {
    let vectors_per_pixel = job.channels / S::F32_LANES;
    let (gradient, _) = S::as_simd_f32s(job.gradient);
    let (sums, _) = S::as_mut_simd_f32s(job.sums);
    for strip in (0..vectors_per_pixel).step_by(VECTORS) {
        let mut tile = [[simd.splat_f32s(0.0); VECTORS]; M];
        for row in 0..job.rows {
            // SAFETY: the row's first pixel is there, by the caller's promise.
            let (mut input, mut lanes) = unsafe {
                (
                    job.input.as_ptr().add(row * job.row_step + first),
                    gradient.as_ptr().add(row * job.columns * vectors_per_pixel + strip),
                )
            };
            for _ in 0..job.columns {
                // SAFETY: the pixel's gradients are there, by the caller's promise.
                let (g0, g1) = unsafe { (*lanes, *lanes.add(1)) };
                for (m, tile) in tile.iter_mut().enumerate() {
                    // SAFETY: the pixel's inputs are there, by the caller's promise.
                    let value = simd.splat_f32s(unsafe { *input.add(m) });
                    tile[0] = simd.mul_add_e_f32s(value, g0, tile[0]);
                    tile[1] = simd.mul_add_e_f32s(value, g1, tile[1]);
                }
                input = input.wrapping_add(job.column_step);
                lanes = lanes.wrapping_add(vectors_per_pixel);
            }
        }
        for (m, tile) in tile.iter().enumerate() {
            let at = (first + m) * vectors_per_pixel + strip;
            sums[at] = simd.add_f32s(sums[at], tile[0]);
            sums[at + 1] = simd.add_f32s(sums[at + 1], tile[1]);
        }
    }
    M
}
