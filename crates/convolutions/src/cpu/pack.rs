//! Copies of weights and activations in the order in which the micro-kernels read them.

use super::buffer::{Buffer, Buffers};
use super::strip::{Strips, strip_width};
use crate::geometry::{Conv2d, Size};
use rayon::prelude::*;

/// Weights in strips of as many output channels as a register tile has: `(strips, taps, strip)`, filled up with zeros.
pub struct Packed {
    data: Buffer,
    pub taps: usize,
    pub channels: usize,
    pub strip: usize,
}

impl Packed {
    fn new(
        taps: usize,
        channels: usize,
        buffers: &Buffers,
        fill: impl Fn(usize, usize, &mut [f32]) + Send + Sync,
    ) -> Self {
        let strip = strip_width(channels);
        let mut data = buffers.zeros(channels.div_ceil(strip) * taps * strip);
        data.par_chunks_mut((taps * strip).max(1)).enumerate().for_each(|(index, data)| {
            let first = index * strip;
            fill(first, strip.min(channels - first), data);
        });
        Self { data, taps, channels, strip }
    }

    /// From a matrix `(taps, channels)`.
    pub fn from_taps(matrix: &[f32], channels: usize, buffers: &Buffers) -> Self {
        let strip = strip_width(channels);
        Self::new(matrix.len() / channels, channels, buffers, |first, count, data| {
            for (packed, row) in data.chunks_exact_mut(strip).zip(matrix.chunks_exact(channels)) {
                packed[..count].copy_from_slice(&row[first..first + count]);
            }
        })
    }

    /// From matrices `(channels, taps of the block)`, whose taps follow each other.
    pub fn from_channels(blocks: &[&[f32]], channels: usize, buffers: &Buffers) -> Self {
        let strip = strip_width(channels);
        let block_taps = blocks.first().map_or(0, |block| block.len() / channels);
        Self::new(blocks.len() * block_taps, channels, buffers, |first, count, data| {
            for (packed, block) in data.chunks_exact_mut(block_taps * strip).zip(blocks) {
                for lane in 0..count {
                    let row = &block[(first + lane) * block_taps..][..block_taps];
                    for (packed, &weight) in packed.chunks_exact_mut(strip).zip(row) {
                        packed[lane] = weight;
                    }
                }
            }
        })
    }

    pub fn strips(&self) -> Strips<'_> {
        let Self { taps, channels, strip, .. } = *self;
        Strips { data: &self.data, step: taps * strip, taps, channels, strip }
    }
}

/// Zeros put around a map: rows above and below, columns left and right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    pub before: (usize, usize),
    pub after: (usize, usize),
}

impl Border {
    pub fn of(conv: &Conv2d) -> Self {
        Self { before: (conv.padding, conv.padding), after: (conv.padding, conv.padding) }
    }

    pub fn around(&self, map: Size) -> Size {
        Size {
            height: self.before.0 + map.height + self.after.0,
            width: self.before.1 + map.width + self.after.1,
        }
    }
}

/// Copies one map `(H, W, C)` into the inside of `target`, whose border is and stays zero.
pub fn pad(source: &[f32], map: Size, channels: usize, border: Border, target: &mut [f32]) {
    let padded_row = border.around(map).width * channels;
    let row = map.width * channels;
    for (y, source) in source.chunks_exact(row).enumerate() {
        let from = (border.before.0 + y) * padded_row + border.before.1 * channels;
        target[from..from + row].copy_from_slice(source);
    }
}

/// Copies a batch of maps `(N, H, W, C)`, each with zeros put around it.
pub fn pad_batch(
    source: &[f32],
    map: Size,
    channels: usize,
    border: Border,
    buffers: &Buffers,
) -> Buffer {
    let (inside, padded) = (map.pixels() * channels, border.around(map).pixels() * channels);
    let mut target = buffers.take(source.len() / inside * padded);
    let maps = target.par_chunks_exact_mut(padded).zip_eq(source.par_chunks_exact(inside));
    maps.for_each(|(target, source)| {
        target.fill(0.0);
        pad(source, map, channels, border, target);
    });
    target
}
