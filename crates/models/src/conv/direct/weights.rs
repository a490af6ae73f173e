//! The choice of a micro-kernel by the number of output channels.

use super::Epilogue;
use super::gather::{Grid, Taps};
use super::pack::Packed;
use super::simd::{Convolve, ConvolveNarrow, strip_width};

/// Weights packed for the kernel that suits the number of output channels.
pub(super) enum Weights {
    Wide(Packed),
    Narrow { data: Vec<f32>, channels: usize },
}

impl Weights {
    /// Whether a register tile would be mostly padding.
    fn is_narrow(channels: usize) -> bool {
        channels * 4 <= strip_width()
    }

    /// From a matrix `(taps, channels)`.
    pub fn from_taps(matrix: &[f32], channels: usize) -> Self {
        if !Self::is_narrow(channels) {
            return Self::Wide(Packed::from_taps(matrix, channels));
        }
        let data = (0..channels)
            .flat_map(|channel| matrix.iter().skip(channel).step_by(channels).copied())
            .collect();
        Self::Narrow { data, channels }
    }

    /// From matrices `(channels, taps of the block)`, whose taps follow each other.
    pub fn from_channels(blocks: &[&[f32]], channels: usize) -> Self {
        if !Self::is_narrow(channels) {
            return Self::Wide(Packed::from_channels(blocks, channels));
        }
        let row = |block: &[f32], channel: usize| {
            let taps = block.len() / channels;
            block[channel * taps..(channel + 1) * taps].to_vec()
        };
        let data = (0..channels)
            .flat_map(|channel| blocks.iter().flat_map(move |block| row(block, channel)))
            .collect();
        Self::Narrow { data, channels }
    }

    pub fn channels(&self) -> usize {
        match self {
            Self::Wide(packed) => packed.channels,
            Self::Narrow { channels, .. } => *channels,
        }
    }

    pub fn convolve(
        &self,
        source: &[f32],
        taps: Taps,
        grid: Grid,
        epilogue: Epilogue<'_>,
        target: &mut [f32],
    ) {
        match self {
            Self::Wide(weights) => {
                Convolve { source, taps, grid, weights, epilogue, target }.run();
            }
            Self::Narrow { data, channels } => {
                let (weights, channels) = (data, *channels);
                ConvolveNarrow { source, taps, grid, weights, channels, epilogue, target }.run();
            }
        }
    }
}
