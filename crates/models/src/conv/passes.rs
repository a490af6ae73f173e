//! Sets of taps run over a batch of maps, in parallel over the maps.

use super::gather::{Grid, Steps, Taps};
use super::pack::{Border, pad};
use super::weights::Weights;
use super::{Epilogue, Maps};
use rayon::prelude::*;

/// One set of taps for one grid of output pixels in each map.
pub(super) struct Pass {
    pub weights: Weights,
    pub taps: Taps,
    pub grid: Grid,
}

/// A batch of maps `(N, H, W, channels)` and the zeros that are to be put around each.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub data: &'a [f32],
    pub maps: Maps,
    pub channels: usize,
    pub border: Border,
}

/// Runs all passes over each map, in parallel over the maps.
pub(super) fn run_passes(
    passes: &[Pass],
    source: Source<'_>,
    output: Maps,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    let Source { data, maps, channels, border } = source;
    let out_channels = passes.first().map_or(0, |pass| pass.weights.channels());
    let mut target = vec![0.0; output.count * output.pixels() * out_channels];
    let padded = border.around(maps).pixels() * channels;
    target
        .par_chunks_mut(output.pixels() * out_channels)
        .zip(data.par_chunks(maps.pixels() * channels))
        .for_each_init(
            || vec![0.0; padded],
            |buffer, (target, map)| {
                pad(map, maps, channels, border, buffer);
                for Pass { weights, taps, grid } in passes {
                    weights.convolve(buffer, *taps, *grid, epilogue, target);
                }
            },
        );
    target
}

/// The matrix product of `input` `(rows, taps)` with `weights`: `(rows, channels)`.
pub(super) fn multiply(
    input: &[f32],
    rows: usize,
    weights: &Weights,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    /// Enough for two register tiles.
    const ROWS_PER_TASK: usize = 12;
    if rows == 0 {
        return Vec::new();
    }
    let (taps, channels) = (input.len() / rows, weights.channels());
    let mut target = vec![0.0; rows * channels];
    target
        .par_chunks_mut(ROWS_PER_TASK * channels)
        .zip(input.par_chunks(ROWS_PER_TASK * taps))
        .for_each(|(target, input)| {
            let grid = Grid {
                height: 1,
                width: input.len() / taps,
                source: Steps { origin: 0, row: 0, column: taps },
                target: Steps { origin: 0, row: 0, column: channels },
            };
            let taps = Taps { rows: 1, row_stride: 0, run: taps };
            weights.convolve(input, taps, grid, epilogue, target);
        });
    target
}
