//! Sets of taps run over a batch of maps, in parallel over the maps.

use crate::cpu::buffer::Buffers;
use crate::cpu::gather::{Grid, Taps};
use crate::cpu::pack::{Border, Packed, pad};
use crate::cpu::simd::Convolve;
use crate::geometry::{BiasRectifier, Size};
use rayon::prelude::*;

/// One set of taps for one grid of output pixels in each map.
pub struct Pass {
    pub weights: Packed,
    pub taps: Taps,
    pub grid: Grid,
}

/// The size of maps `(N, H, W, channels)` and the zeros that are to be put around each.
#[derive(Clone, Copy)]
pub struct Source {
    pub size: Size,
    pub channels: usize,
    pub border: Border,
}

/// Runs all passes over each map, in parallel over the maps. The grids of the passes make up the whole output.
pub fn run_passes(
    passes: &[Pass],
    (source, data): (Source, &[f32]),
    bias_rectifier: BiasRectifier<'_>,
    buffers: &Buffers,
    (output, result): (Size, &mut [f32]),
) {
    let Source { size, channels, border } = source;
    let out_channels = passes.first().map_or(0, |pass| pass.weights.channels);
    let padded = border.around(size).pixels() * channels;
    let maps = data.par_chunks_exact(size.pixels() * channels);
    result.par_chunks_exact_mut(output.pixels() * out_channels).zip_eq(maps).for_each_init(
        || buffers.zeros(padded),
        |buffer, (target, map)| {
            pad(map, size, channels, border, buffer);
            for &Pass { ref weights, taps, grid } in passes {
                let weights = weights.strips();
                Convolve { source: buffer, taps, grid, weights, bias_rectifier, target }.run();
            }
        },
    );
}

/// The matrix product of `input` `(rows, taps)` with `weights`: `(rows, channels)`.
pub fn multiply(
    input: &[f32],
    weights: &Packed,
    bias_rectifier: BiasRectifier<'_>,
    result: &mut [f32],
) {
    /// Enough for two register tiles.
    const ROWS: usize = 12;
    /// Of many rows: few enough that the splitting takes no time.
    const TASKS_PER_THREAD: usize = 4;
    let tasks = TASKS_PER_THREAD * rayon::current_num_threads();
    let rows = (input.len() / weights.taps).div_ceil(tasks).next_multiple_of(ROWS).max(ROWS);
    let inputs = input.par_chunks(rows * weights.taps);
    let results = result.par_chunks_mut(rows * weights.channels);
    results
        .zip_eq(inputs)
        .for_each(|(result, input)| multiply_rows(input, weights, bias_rectifier, result));
}

/// As [`multiply`], on one thread.
pub fn multiply_rows(
    input: &[f32],
    weights: &Packed,
    bias_rectifier: BiasRectifier<'_>,
    result: &mut [f32],
) {
    let grid = Grid::rows(input.len() / weights.taps, weights.taps, weights.channels);
    let taps = Taps { rows: 1, row_stride: 0, run: weights.taps };
    let weights = weights.strips();
    Convolve { source: input, taps, grid, weights, bias_rectifier, target: result }.run();
}
